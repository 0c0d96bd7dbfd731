import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseMultistatus } from '../../../src/publish/http/multistatus.js';
import { parseXml, XmlFault } from '../../../src/publish/http/xml.js';
import { propertyRuns } from '../../delta/support/properties.js';

const ok = (properties: string) =>
  `<propstat><prop>${properties}</prop><status>HTTP/1.1 200 OK</status></propstat>` +
  '<propstat><prop><quota/></prop><status>HTTP/1.1 404 Not Found</status></propstat>';
const response = (href: string, properties: string) => `<response><href>${href}</href>${ok(properties)}</response>`;
const multistatus = (...responses: string[]) =>
  `<?xml version="1.0"?>\n<multistatus xmlns="DAV:">${responses.join('\n')}</multistatus>\n`;

test('prefixes are of the sender’s choice, and mean what was declared where they stand', () => {
  const apache =
    '<D:multistatus xmlns:D="DAV:"><D:response xmlns:lp1="DAV:" xmlns:x="urn:x"><D:href>/m/a%20b</D:href><D:propstat>' +
    '<D:prop><lp1:resourcetype/><lp1:getcontentlength>3</lp1:getcontentlength><x:getcontentlength>9</x:getcontentlength>' +
    '<lp1:getetag>W/&quot;3-a&#38;b&#x26;c&quot;</lp1:getetag></D:prop><D:status>HTTP/1.1 200 OK</D:status>' +
    '</D:propstat></D:response></D:multistatus>';
  expect(parseMultistatus(apache, '/m/')).toEqual([
    { name: 'a b', directory: false, sizeBytes: 3, etag: 'W/"3-a&b&c"', lastModified: undefined },
  ]);
});

test('the directory itself is left out, and those in it are told apart from objects', () => {
  const text = multistatus(
    response('/m/', '<resourcetype><collection/></resourcetype>'),
    response('https://other.example:8443/m/rdiffs/', '<resourcetype><collection/></resourcetype>'),
    response('/m/b', '<getcontentlength>7</getcontentlength><getlastmodified>then</getlastmodified>'),
    '<response><href>/m/locked</href><status>HTTP/1.1 403 Forbidden</status></response>',
  );
  expect(parseMultistatus(text, '/m/')).toEqual([
    { name: 'rdiffs', directory: true, sizeBytes: null, etag: undefined, lastModified: undefined },
    { name: 'b', directory: false, sizeBytes: 7, etag: undefined, lastModified: 'then' },
  ]);
});

test('what no path of ours could name is left out', () => {
  const names = ['%ff', 'a%2Fb', 'a%00'].map((name) => response(`/m/${name}`, ''));
  expect(parseMultistatus(multistatus(...names), '/m/')).toEqual([]);
});

test.each(['/other/a', '/m/deep/a', '/m/../a', '/m/%2e%2e', '/m/.', '/m//', '/', 'a', '/mm'])(
  'an href that is not right in the directory is refused: %s',
  (href) => {
    expect(() => parseMultistatus(multistatus(response(href, '')), '/m/')).toThrow(XmlFault);
  },
);

test.each([
  ['nothing', ''],
  ['text', 'hello'],
  ['two documents', '<a/><a/>'],
  ['text behind it', '<a/>b'],
  ['no end', '<a><b></b>'],
  ['the wrong end', '<a><b></a></b>'],
  ['an end too many', '<a></a></a>'],
  ['a document type', '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'],
  ['an entity that nothing defines', '<a>&nbsp;</a>'],
  ['half an entity', '<a>&amp</a>'],
  ['a character that is none', '<a>&#x110000;</a>'],
  ['half a tag', '<a'],
  ['half an attribute', '<a b="c></a>'],
  ['a prefix that is not declared', '<D:a/>'],
  ['half a comment', '<a><!-- </a>'],
  ['depth without end', `${'<a>'.repeat(1000)}${'</a>'.repeat(1000)}`],
])('%s is refused', (_, text) => {
  expect(() => parseXml(text)).toThrow(XmlFault);
});

test.each(['<html></html>', '<multistatus></multistatus>', '<multistatus xmlns="DAV:"><response/></multistatus>'])(
  'another document is refused: %s',
  (text) => {
    expect(() => parseMultistatus(text, '/m/')).toThrow(XmlFault);
  },
);

test('comments, instructions and CDATA are what they are in XML', () => {
  const { text, children } = parseXml(
    '<?xml version="1.0"?><!-- < --><a x=\'>\' y="1"><![CDATA[<&]]>b<?pi >?><c/></a>',
  );
  expect(text).toBe('<&b');
  expect(children).toEqual([{ name: 'c', text: '', children: [] }]);
});

test('a damaged answer is read or refused, and fails in no other way', () => {
  const good = multistatus(response('/m/', '<resourcetype><collection/></resourcetype>'), response('/m/a&amp;b', ''));
  fc.assert(
    fc.property(fc.nat(good.length), fc.nat(good.length), fc.string({ maxLength: 5 }), (from, to, replacement) => {
      const damaged = good.slice(0, Math.min(from, to)) + replacement + good.slice(Math.max(from, to));
      try {
        parseMultistatus(damaged, '/m/');
      } catch (error) {
        expect(error).toBeInstanceOf(XmlFault);
      }
    }),
    propertyRuns(500),
  );
});
