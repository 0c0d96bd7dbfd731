import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseSeriesMeta, renderSeriesMeta } from '../../src/metadata/meta.js';
import { seriesMeta } from './arbitraries.js';
import { exampleMeta, exampleMetaText, exampleWithZst, exampleZstText, withBarrier } from './worked-example.js';

const file = 'meta/puavo-os-acme-buster-amd64.json';
const images = '."puavo-os-acme-buster-amd64".images';

describe('a meta file', () => {
  it('has the form of the old producer, byte for byte', () => {
    expect(renderSeriesMeta(exampleMeta)).toBe(exampleMetaText);
  });

  it('of a series without images keeps the empty list', () => {
    expect(renderSeriesMeta({ series: exampleMeta.series, images: [] })).toBe(
      '{"puavo-os-acme-buster-amd64":{"images":[]}}',
    );
  });

  it('is written without members that are not of the format', () => {
    const [image] = exampleMeta.images;
    if (image === undefined) throw new Error('the example has images');
    const more = { ...image, note: 'x', diffs: image.diffs.map((diff) => ({ ...diff, note: 'x' })) };
    expect(renderSeriesMeta({ ...exampleMeta, images: [more, ...exampleMeta.images.slice(1)] })).toBe(exampleMetaText);
  });

  it('is read back as it was written, on one line', () => {
    fc.assert(
      fc.property(seriesMeta, (meta) => {
        const text = renderSeriesMeta(meta);
        expect(text).not.toContain('\n');
        expect(parseSeriesMeta(text, file)).toEqual(meta);
      }),
    );
  });

  it('is read whatever its whitespace and the order of its members', () => {
    const text = JSON.stringify(reverseMembers(JSON.parse(exampleMetaText)), null, 3);
    expect(parseSeriesMeta(text, file)).toEqual(exampleMeta);
  });

  it('may have further members in images and diffs, which are left out', () => {
    const text = exampleMetaText.replaceAll('"filename":', '"note":{"a":[1]},"filename":');
    expect(text.match(/"note"/g)).toHaveLength(4);
    expect(parseSeriesMeta(text, file)).toEqual(exampleMeta);
  });

  it('may name an image outside the grammar, as long as it is a plain file name', () => {
    const text = exampleMetaText
      .replaceAll('puavo-os-acme-buster-2022-01-17-120001-amd64.img', 'old.img')
      .replace('"id":"puavo-os-acme-buster-2022-01-17-120001-amd64"', '"id":"old"');
    expect(parseSeriesMeta(text, file).images[0]).toMatchObject({ filename: 'old.img', version: '20220117120001' });
  });
});

describe('a barrier', () => {
  const text = renderSeriesMeta(withBarrier);

  it('is one more member of its image, and nothing else of the file changes', () => {
    expect(text.replace(',"barrier":true', '')).toBe(exampleMetaText);
    expect(parseSeriesMeta(text, file)).toEqual(withBarrier);
    expect(parseSeriesMeta(text.replace('"barrier":true', '"barrier":false'), file)).toEqual(exampleMeta);
  });

  it.each(['null', '1', '"true"', '[]'])('that is %s is refused', (value) => {
    expect(() => parseSeriesMeta(text.replace('"barrier":true', `"barrier":${value}`), file)).toThrow(
      `${file}: ${images}[0].barrier: expected true or false, found `,
    );
  });
});

describe('the compressed form of a delta', () => {
  const text = renderSeriesMeta(exampleWithZst);

  it('is the last member of the delta, and nothing else of the file changes', () => {
    expect(text.replace(exampleZstText, '')).toBe(exampleMetaText);
    expect(text).toContain(`"sha512":"${'b'.repeat(128)}"${exampleZstText}}],"filename"`);
  });

  it('is read back as it was written, without members that are not of the format', () => {
    expect(parseSeriesMeta(text, file)).toEqual(exampleWithZst);
    expect(parseSeriesMeta(text.replace('"zst":{', '"zst":{"level":9,'), file)).toEqual(exampleWithZst);
  });

  it.each([
    ['that is no object', /"zst":\{[^}]*\}/, '"zst":null', '.zst: expected an object, found null'],
    ['of another delta', /20-173248(--[^"]*\.rdiff\.zst",)/, '20-173249$1', '.zst.filename: expected the delta'],
    ['in another directory', /"puavo([^"]*\.rdiff\.zst")/, '"../puavo$1', '.zst.filename: expected the delta'],
    ['of another format', '.rdiff.zst",', '.rdiff.gz",', '.zst.filename: expected the delta'],
    ['without a URL', /\["[^"]*\.zst"\]/, '[]', '.zst.urls: expected at least one URL'],
    ['of a size that is none', '305601923', '"305601923"', '.zst.size: expected an integer'],
    ['without its sha256', `"sha256":"${'e'.repeat(64)}",`, '', '.zst.sha256: expected'],
    ['of a cksum that is none', '1732050807', '01', '.zst.cksum: expected a decimal number'],
  ])('%s is refused', (_, from, to, message) => {
    const wrong = text.replace(from, to);
    expect(wrong).not.toBe(text);
    expect(() => parseSeriesMeta(wrong, file)).toThrow(
      expect.objectContaining({ code: 'FORMAT', message: expect.stringContaining(`[0].diffs[0]${message}`) }),
    );
  });
});

describe('a meta file that contradicts itself', () => {
  it.each([
    [
      'a member beside images',
      '{"images":[',
      '{"note":1,"images":[',
      ': expected "images" and nothing beside it, found 2',
    ],
    ['another member than images', '{"images":[', '{"list":[', ': expected "images" and nothing beside it'],
    ['a second series', /\}$/, ',"b":{"images":[]}}', '.: expected one series and nothing beside it, found 2 members'],
    ['a series name with a slash', '{"puavo', '{"../puavo', 'expected a series name that can be a file name'],
    ['another id than its name', '"id":"puavo', '"id":"opinsys', '[0].id: expected the file name without .img, "puavo'],
    [
      'another version than its name',
      '"20220120173248","cksum"',
      '"20220120173249","cksum"',
      '[1].version: expected the digits',
    ],
    [
      'another base than its name',
      '"version":"20220120173248","size"',
      '"version":"20220120173249","size"',
      '[0].diffs[0].version: expected the digits',
    ],
    [
      'another target than its name',
      '17-120001--2022-01-20-173248-amd64.rdiff"',
      '17-120001--2022-01-20-173249-amd64.rdiff"',
      '[1].diffs[0].filename: expected a delta whose second stamp',
    ],
    [
      'an image as delta',
      '-amd64.rdiff"',
      '-amd64.img"',
      '[0].diffs[0].filename: expected a plain file name ending in .rdiff',
    ],
    ['a number that is no cksum', '"3141592653"', '"4294967296"', '[0].cksum: expected a decimal number below 2^32'],
  ])('by %s is refused', (_, from, to, message) => {
    const text = exampleMetaText.replace(from, to);
    expect(text).not.toBe(exampleMetaText);
    expect(() => parseSeriesMeta(text, file)).toThrow(
      expect.objectContaining({ code: 'FORMAT', message: expect.stringContaining(message) }),
    );
  });

  it('by two images of one version is refused naming both places', () => {
    const text = renderSeriesMeta({
      ...exampleMeta,
      images: [...exampleMeta.images, ...exampleMeta.images.slice(0, 1)],
    });
    expect(() => parseSeriesMeta(text, file)).toThrow(
      `${file}: ${images}[2].version: expected a version that no other image of the series has, ` +
        `found the same as ${images}[0].version`,
    );
  });

  it('by one delta twice is refused naming both places', () => {
    const text = renderSeriesMeta({
      ...exampleMeta,
      images: exampleMeta.images.map((image) => ({ ...image, diffs: [...image.diffs, ...image.diffs] })),
    });
    expect(() => parseSeriesMeta(text, file)).toThrow(`found the same as ${images}[0].diffs[0].filename`);
  });
});

describe('a hostile meta file', () => {
  it('with a value of a wrong type anywhere is refused at the path of that value', () => {
    const places = placesIn(JSON.parse(exampleMetaText)).filter(
      ({ keys }) => keys.indexOf('puavo-conf') !== 3 || keys.length === 4,
    );
    expect(places).toHaveLength(2 + 2 * (1 + 10 + 1 + 1 + 7 + 1));
    for (const { keys, value } of places) {
      for (const wrong of wrongFor(value)) {
        const text = JSON.stringify(replaced(JSON.parse(exampleMetaText), keys, wrong));
        expect(() => parseSeriesMeta(text, file), text).toThrow(
          expect.objectContaining({
            code: 'FORMAT',
            message: expect.stringContaining(`${file}: ${jqPath(keys)}: expected `),
          }),
        );
      }
    }
  });

  it('with any member left out is refused at the path of that member', () => {
    const places = placesIn(JSON.parse(exampleMetaText)).filter(
      ({ keys }) => typeof keys.at(-1) === 'string' && keys.length > 3 && !keys.slice(0, -1).includes('puavo-conf'),
    );
    expect(places).toHaveLength(2 * (10 + 7));
    for (const { keys } of places) {
      const text = JSON.stringify(replaced(JSON.parse(exampleMetaText), keys, undefined));
      expect(() => parseSeriesMeta(text, file)).toThrow(
        new RegExp(`^${escapeRegExp(`${file}: ${jqPath(keys)}`)}: expected .*, found nothing$`),
      );
    }
  });

  it.each([
    '../../etc/shadow.img',
    '/etc/a.img',
    '.a.img',
    '..',
    '.img',
    '-rf.img',
    'a b.img',
    'a\n.img',
    'a\\b.img',
    'a\u0000.img',
    'ltsp.img',
    'LTSP-Backup.img',
  ])('that names the image %j is refused', (name) => {
    const text = exampleMetaText.replace(
      '"filename":"puavo-os-acme-buster-2022-01-17-120001-amd64.img"',
      `"filename":${JSON.stringify(name)}`,
    );
    expect(() => parseSeriesMeta(text, file)).toThrow(
      `${file}: ${images}[0].filename: expected a plain file name ending in .img, found ${JSON.stringify(name)}`,
    );
  });

  it('with a name that leaves a client no room for what it appends is refused', () => {
    const [image, rdiff] = [`${'a'.repeat(211)}.img`, `${'a'.repeat(230)}.rdiff`];
    const [first, ...others] = exampleMeta.images;
    const [diff] = first?.diffs ?? [];
    if (first === undefined || diff === undefined) throw new Error('the example has images and deltas');
    const named = (filename: string, deltaName: string) => {
      const one = { ...first, filename, id: filename.slice(0, -4), diffs: [{ ...diff, filename: deltaName }] };
      return renderSeriesMeta({ ...exampleMeta, images: [one, ...others] });
    };
    expect(parseSeriesMeta(named(image, rdiff), file).images[0]).toMatchObject({ filename: image });
    expect(() => parseSeriesMeta(named(`a${image}`, rdiff), file)).toThrow('[0].filename: expected a plain file name');
    expect(() => parseSeriesMeta(named(image, `a${rdiff}`), file)).toThrow('[0].diffs[0].filename: expected a plain');
  });

  it.each([
    ['[]'],
    ['["https://a b"]'],
    ['[""]'],
    [`["${'x'.repeat(2049)}"]`],
    [JSON.stringify(Array(101).fill('https://a'))],
  ])('with the urls %.40s is refused', (urls) => {
    const text = exampleMetaText.replace(/"urls":\[[^\]]*\]/, `"urls":${urls}`);
    expect(() => parseSeriesMeta(text, file)).toThrow(new RegExp(`${escapeRegExp(images)}\\[0\\].diffs\\[0\\].urls`));
  });

  it.each([
    ['', 'expected JSON'],
    ['{', 'expected JSON'],
    ['x\ny\u2028', 'expected JSON'],
    [`${exampleMetaText}{}`, 'expected JSON'],
    [exampleMetaText.slice(0, 1000), 'expected JSON'],
    ['{"a\nb":1}', 'expected JSON'],
    ['[]', '.: expected an object, found a list'],
    ['null', '.: expected an object, found null'],
    ['{}', '.: expected one series and nothing beside it, found 0 members'],
    ['{"a":{"images":[],"images":[]}}', 'expected plain JSON, found the key "images" twice in one object'],
    ['['.repeat(1_000_000), 'expected plain JSON, found more than 64 levels of nesting'],
    [`{"a":{"images":[${Array(10_001).fill('0')}]}}`, '.a.images: expected at most 10000 entries, found 10001'],
  ])('such as %.30s is refused in one line', (text, message) => {
    expect(() => parseSeriesMeta(text, file)).toThrow(
      expect.objectContaining({ code: 'FORMAT', message: expect.stringMatching(/^[^\n\u2028]{1,400}$/) }),
    );
    expect(() => parseSeriesMeta(text, file)).toThrow(message);
  });

  it('that speaks of __proto__ changes no other object and is kept as it is', () => {
    const conf = '"puavo-conf":{"__proto__":{"polluted":true}}';
    const text = exampleMetaText.replace(/"puavo-conf":\{"puavo\.acme\.enabled":\{[^}]*\}\}/, conf);
    const meta = parseSeriesMeta(text.replace('{"diffs"', '{"__proto__":{"size":1},"diffs"'), file);
    expect(meta.images[0]).not.toHaveProperty('puavo-conf.polluted');
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
    expect(renderSeriesMeta(meta)).toContain(conf);
    expect(renderSeriesMeta(parseSeriesMeta('{"__proto__":{"images":[]}}', file))).toBe('{"__proto__":{"images":[]}}');
  });

  it('cannot find a member that every object inherits', () => {
    expect(() => parseSeriesMeta('{"a":{"constructor":[]}}', file)).toThrow('expected "images"');
  });

  it('cut off or with a changed byte gives a meta or a FORMAT error, never another failure', () => {
    const changed = fc.tuple(
      fc.nat({ max: exampleMetaText.length - 1 }),
      fc.string({ maxLength: 2 }),
      fc.nat({ max: 2 }),
    );
    fc.assert(
      fc.property(changed, ([at, text, skipped]) => {
        try {
          parseSeriesMeta(exampleMetaText.slice(0, at) + text + exampleMetaText.slice(at + skipped), file);
        } catch (error) {
          expect(error).toMatchObject({ code: 'FORMAT', message: expect.stringMatching(/^[^\n]{1,600}$/) });
        }
      }),
      { numRuns: 1000 },
    );
  });
});

type Key = string | number;

/** Every place in a JSON value below its root. */
function placesIn(
  value: unknown,
  keys: readonly Key[] = [],
): { readonly keys: readonly Key[]; readonly value: unknown }[] {
  const here = keys.length === 0 ? [] : [{ keys, value }];
  if (typeof value !== 'object' || value === null) return here;
  const entries: [Key, unknown][] = Array.isArray(value) ? [...value.entries()] : Object.entries(value);
  return [...here, ...entries.flatMap(([key, child]) => placesIn(child, [...keys, key]))];
}

function wrongFor(value: unknown): unknown[] {
  if (typeof value === 'string') return [null, 1, true, [], {}, [value], ''];
  if (typeof value === 'number') return [null, String(value), -1, 1.5, 2 ** 53, 1e300, [], {}];
  return Array.isArray(value) ? [null, 1, 'x', {}] : [null, 1, 'x', []];
}

/** The same value with another one at that place, or without that member. */
function replaced(value: unknown, [key, ...rest]: readonly Key[], by: unknown): unknown {
  if (key === undefined) return by;
  if (Array.isArray(value)) return value.map((item, index) => (index === key ? replaced(item, rest, by) : item));
  const members = Object.entries(Object(value));
  return Object.fromEntries(
    members.map(([name, member]) => [name, name === key ? replaced(member, rest, by) : member]),
  );
}

function reverseMembers(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reverseMembers);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, member]) => [key, reverseMembers(member)]),
  );
}

function jqPath(keys: readonly Key[]): string {
  return keys
    .map((key) => (typeof key === 'number' ? `[${key}]` : key.includes('-') ? `."${key}"` : `.${key}`))
    .join('');
}

function escapeRegExp(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
