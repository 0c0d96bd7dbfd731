import { describe, expect, test } from 'vitest';
import { fetchMeta, parseMirrorPlace, type TextSource } from '../../src/client/catalog.js';

const { signal } = new AbortController();

describe('the address', () => {
  test.each([
    ['https://a.example', 'https://a.example/', null],
    ['https://a.example/b//', 'https://a.example/b/', null],
    ['http://a.example/meta', 'http://a.example/meta/', null],
    ['https://a.example/b/meta/x-amd64.json', 'https://a.example/b/', 'meta/x-amd64.json'],
    ['https://a.example/meta/%C3%A4.json', 'https://a.example/', 'meta/ä.json'],
  ])('%s is that of a mirror or of a meta file', (text, root, metaPath) => {
    expect(parseMirrorPlace(text)).toEqual({ root, metaPath });
  });

  test.each([
    'ftp://a.example',
    'a.example',
    'https://',
    'https://a.example/?x',
    'https://a.example/meta/%zz.json',
    'https://a.example/meta/..%2Fx.json',
  ])('%s is refused', (text) => {
    expect(() => parseMirrorPlace(text)).toThrow(expect.objectContaining({ code: 'USAGE' }));
  });
});

describe('the meta file', () => {
  const index = (...names: string[]) =>
    JSON.stringify({
      format: 1,
      series: names.map((name) => ({ name, meta: `meta/${name}.json`, images: 0, newest: null })),
    });
  const meta = (name: string) => JSON.stringify({ [name]: { images: [] } });

  test('is that of the only series', async () => {
    const source = serving({ 'index.json': index('one'), 'meta/one.json': meta('one') });
    expect(await fetchMeta(source, { metaPath: null }, signal)).toEqual({ series: 'one', images: [] });
  });

  test('is that of the named series, with or without index.json', async () => {
    const files = { 'meta/one.json': meta('one'), 'meta/two.json': meta('two') };
    for (const source of [serving({ ...files, 'index.json': index('one', 'two') }), serving(files)]) {
      expect((await fetchMeta(source, { metaPath: null, series: 'two' }, signal)).series).toBe('two');
    }
  });

  test('is the one asked for by its address', async () => {
    const source = serving({ 'meta/two.json': meta('two') });
    expect((await fetchMeta(source, { metaPath: 'meta/two.json' }, signal)).series).toBe('two');
    const other = fetchMeta(source, { metaPath: 'meta/two.json', series: 'one' }, signal);
    await expect(other).rejects.toMatchObject({ code: 'USAGE', data: { expected: 'one', series: ['two'] } });
  });

  test.each([
    ['of several series one has to be named', { 'index.json': index('one', 'two') }, undefined, 'USAGE'],
    ['a series that is not there', { 'index.json': index('one') }, 'two', 'USAGE'],
    ['a mirror of none', { 'index.json': index() }, undefined, 'USAGE'],
    ['no mirror', {}, undefined, 'NOT_FOUND'],
    ['an index whose meta file is missing', { 'index.json': index('one') }, undefined, 'NOT_FOUND'],
    [
      'a meta file of another series',
      { 'index.json': index('one'), 'meta/one.json': meta('two') },
      undefined,
      'FORMAT',
    ],
    ['a meta file of another series than the named one', { 'meta/one.json': meta('two') }, 'one', 'FORMAT'],
    ['a damaged index', { 'index.json': '{' }, undefined, 'FORMAT'],
    ['a name that leads out of the mirror', {}, '../x', 'NAME'],
  ])('%s is told', async (_, files, series, code) => {
    await expect(fetchMeta(serving(files), { metaPath: null, series }, signal)).rejects.toMatchObject({ code });
  });
});

function serving(files: Readonly<Record<string, string>>): TextSource {
  const name = 'https://a.example';
  return {
    name,
    async read({ path }, parse) {
      const text = files[path];
      return text === undefined ? null : parse(text, `${name}/${path}`);
    },
  };
}
