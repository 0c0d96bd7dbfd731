import { expect, it } from 'vitest';
import { mergePuavoConf } from '../../src/metadata/puavo-conf.js';

const file = (name: string, value: unknown) => ({ path: `/definitions/${name}.json`, text: JSON.stringify(value) });

it('definitions come out unchanged, in the order of the files and then of their keys', () => {
  const network = { 'puavo.wlan': { default: 'x', unknown: [1, { deep: null }] }, 'puavo.lan': { typehint: 'bool' } };
  const admin = { 'puavo.admin': {} };
  const conf = mergePuavoConf('a.img', [file('network', network), file('admin', admin)]);
  expect(JSON.stringify(conf)).toBe(JSON.stringify({ ...network, ...admin }));
});

it('no files define nothing', () => {
  expect(mergePuavoConf('a.img', [])).toEqual({});
});

it('keys that objects have anyway are keys like others', () => {
  const text = '{"__proto__": {"default": "1"}, "constructor": {}, "toString": {}}';
  const conf = mergePuavoConf('a.img', [{ path: '/a.json', text }]);
  expect(Object.keys(conf)).toEqual(['__proto__', 'constructor', 'toString']);
  expect(JSON.stringify(conf)).toBe('{"__proto__":{"default":"1"},"constructor":{},"toString":{}}');
  expect(Object.getPrototypeOf(conf)).toBe(Object.prototype);
});

it('a key that two files define is refused, naming both', () => {
  const files = [file('a', { x: {}, __proto__x: {} }), file('b', { y: {}, x: {} })];
  expect(() => mergePuavoConf('a.img', files)).toThrow(
    expect.objectContaining({
      code: 'FORMAT',
      message: 'a.img: /definitions/a.json and /definitions/b.json: expected "x" in one file, found it in both',
    }),
  );
});

it('__proto__ in two files is refused as well', () => {
  const text = '{"__proto__": {}}';
  expect(() =>
    mergePuavoConf('a.img', [
      { path: '/a', text },
      { path: '/b', text },
    ]),
  ).toThrow('"__proto__" in one file');
});

it.each([
  ['a list', '[]', 'expected a JSON object, found a list'],
  ['null', 'null', 'expected a JSON object, found null'],
  ['a string', '"x"', 'expected a JSON object, found a string'],
  ['a definition that is a string', '{"k": "v"}', 'expected an object for "k", found a string'],
  ['a definition that is a list', '{"k": []}', 'expected an object for "k", found a list'],
  ['a definition that is null', '{"k": null}', 'expected an object for "k", found null'],
])('%s is refused', (_, text, message) => {
  expect(() => mergePuavoConf('a.img', [{ path: '/d/x.json', text }])).toThrow(
    expect.objectContaining({ code: 'FORMAT', message: `a.img: /d/x.json: ${message}` }),
  );
});

it.each(['', '{', '{"a": {},}', '{"a": {}} x', '\ufeff{}', "{\n'a': {}\n}"])(
  'the broken JSON %j is refused on one line',
  (text) => {
    expect(() => mergePuavoConf('a.img', [{ path: '/d/x.json', text }])).toThrow(
      expect.objectContaining({
        code: 'FORMAT',
        message: expect.stringMatching(/^a\.img: \/d\/x\.json: expected JSON, found .+$/),
      }),
    );
  },
);
