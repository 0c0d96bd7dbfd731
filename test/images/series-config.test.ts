import { describe, expect, it } from 'vitest';
import { mergeSeriesConfigs, parseSeriesConfig } from '../../src/images/series-config.js';

const [a, b, old] = [
  'puavo-os-acme-buster-2021-04-13-193910-amd64.img',
  'puavo-os-acme-buster-2022-01-17-120001-amd64.img',
  'puavo-os-acme-stretch-2020-12-01-060000-amd64.img',
];
const file = 'config/images/buster.json';

describe('a series configuration', () => {
  it('has images in its order and extra bases by target', () => {
    const [config, ...others] = parse({ s: { images: [b, a], extra_rdiffs: { [b]: [old, a], [a]: [] } } });
    expect(others).toEqual([]);
    expect(config?.name).toBe('s');
    expect(config?.images.map(({ fileName }) => fileName)).toEqual([b, a]);
    expect(config?.extraBases.get(b)?.map(({ fileName }) => fileName)).toEqual([old, a]);
    expect(config?.extraBases.get(a)).toEqual([]);
    expect(config?.notes).toEqual([]);
  });

  it('has barriers among its images', () => {
    const [config, without] = parse({ s: { images: [a, b], barriers: [b] }, t: { images: [a] } });
    expect([...(config?.barriers ?? [])]).toEqual([b]);
    expect(config?.notes).toEqual([]);
    expect(without?.barriers.size).toBe(0);
  });

  it('of the older form, a bare list, means the same', () => {
    expect(parse({ s: [a, b], t: { images: [a] } })).toEqual(parse({ s: { images: [a, b] }, t: [a] }));
  });

  it('may be empty, and so may a series', () => {
    expect(parse({})).toEqual([]);
    expect(parse({ s: { images: [] } })[0]?.images).toEqual([]);
  });

  it('with members or targets that mean nothing is taken with a note on each', () => {
    const [config] = parse({ s: { images: [a], comment: 'x', extra_rdiffs: { [b]: [a] } } });
    expect(config?.extraBases.size).toBe(0);
    expect(config?.notes).toEqual([
      `${file}: .s.comment: not known here and not heeded`,
      `${file}: .s.extra_rdiffs."${b}": the series does not list this image, so it gets no deltas`,
    ]);
  });

  it.each([
    ['[]', '.: expected an object, found a list'],
    ['{"s":', 'expected JSON, found '],
    ['{"s":[],"s":[]}', 'expected plain JSON, found the key "s" twice in one object'],
    ['{"a/b":[]}', '."a/b": expected a series name that can be a file name, found "a/b"'],
    ['{"s":{}}', '.s.images: expected a list, found nothing'],
    ['{"s":null}', '.s: expected an object, found null'],
    ['{"s":{"images":{}}}', '.s.images: expected a list, found an object'],
    [
      '{"s":["x.img"]}',
      '.s[0]: expected an image name <stem>-YYYY-MM-DD-HHMMSS-<arch>.img, found "x.img", which carries no stamp',
    ],
    ['{"s":[1]}', '.s[0]: expected an image name <stem>-YYYY-MM-DD-HHMMSS-<arch>.img, found 1'],
    [`{"s":["../${a}"]}`, '.s[0]: expected an image name'],
    [
      `{"s":["${a}","${b}","${a}"]}`,
      '.s[2]: expected an image that the series does not list yet, found the same as .s[0]',
    ],
    [
      `{"s":{"images":["${a}"],"barriers":["${b}"]}}`,
      '.s.barriers[0]: expected an image that the series lists, found "',
    ],
    [`{"s":{"images":["${a}"],"barriers":"${a}"}}`, '.s.barriers: expected a list'],
    [`{"s":{"images":[],"extra_rdiffs":[]}}`, '.s.extra_rdiffs: expected an object, found a list'],
    [
      `{"s":{"images":["${a}"],"extra_rdiffs":{"${a}":"${b}"}}}`,
      `.s.extra_rdiffs."${a}": expected a list, found "${b}"`,
    ],
    [
      `{"s":{"images":["${a}"],"extra_rdiffs":{"${a}":["${a}"]}}}`,
      `.s.extra_rdiffs."${a}"[0]: expected another image than the target`,
    ],
    [`{"s":{"images":["${a}"],"extra_rdiffs":{"${a}":["b"]}}}`, `.s.extra_rdiffs."${a}"[0]: expected an image name`],
  ])('such as %s is refused at its path', (text, message) => {
    expect(() => parseSeriesConfig(text, file)).toThrow(
      expect.objectContaining({ code: 'CONFIG', message: expect.stringContaining(`${file}: ${message}`) }),
    );
  });
});

describe('several configuration files', () => {
  it('are joined in their order', () => {
    const merged = mergeSeriesConfigs([
      { file: 'b.json', configs: parse({ z: [a], y: [b] }) },
      { file: 'a.json', configs: parse({ x: [a] }) },
    ]);
    expect(merged.map(({ name }) => name)).toEqual(['z', 'y', 'x']);
  });

  it('may not share a series; the error names both', () => {
    const files = ['b.json', 'a.json'].map((file) => ({ file, configs: parse({ s: [a] }) }));
    expect(() => mergeSeriesConfigs(files)).toThrow(
      expect.objectContaining({
        code: 'CONFIG',
        message: 'a.json: expected series s in one file, found it in b.json too',
      }),
    );
  });
});

function parse(config: object): ReturnType<typeof parseSeriesConfig> {
  return parseSeriesConfig(JSON.stringify(config), file);
}
