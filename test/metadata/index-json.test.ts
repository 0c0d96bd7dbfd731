import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareVersions } from '../../src/metadata/image-name.js';
import { parseIndexJson, renderIndexJson } from '../../src/metadata/index-json.js';
import { seriesMeta } from './arbitraries.js';
import { exampleIndex, exampleMeta } from './worked-example.js';

describe('index.json', () => {
  it('has this form, byte for byte', () => {
    expect(renderIndexJson([exampleMeta])).toBe(exampleIndex);
  });

  it('names the highest version as the newest, wherever it stands in the list', () => {
    const reversed = { ...exampleMeta, images: exampleMeta.images.toReversed() };
    expect(renderIndexJson([reversed])).toBe(exampleIndex);
  });

  it('has no newest image for a series without images', () => {
    const [series] = parseIndexJson(renderIndexJson([{ ...exampleMeta, images: [] }]), 'index.json').series;
    expect(series).toMatchObject({ images: 0, newest: null });
  });

  it('is read back as it was written, series in their order', () => {
    const lists = fc.uniqueArray(seriesMeta, { maxLength: 4, selector: ({ series }) => series });
    fc.assert(
      fc.property(lists, (metas) => {
        const { series } = parseIndexJson(renderIndexJson(metas), 'index.json');
        expect(series.map(({ name }) => name)).toEqual(metas.map((meta) => meta.series));
        for (const [index, { images }] of metas.entries()) {
          const newest = images.toSorted((a, b) => compareVersions(b.version, a.version))[0];
          expect(series[index]?.images).toBe(images.length);
          expect(series[index]?.newest?.sha256).toBe(newest?.sha256);
        }
      }),
      { numRuns: 50 },
    );
  });

  it('may hold members that are not known here', () => {
    const text = exampleIndex
      .replace('"format": 1', '"format": 1, "more": {}')
      .replace('"images"', '"extra": 1, "images"');
    expect(parseIndexJson(text, 'index.json')).toEqual(parseIndexJson(exampleIndex, 'index.json'));
  });

  it.each([
    ['"format": 1', '"format": 2', '.format: expected the format 1 that this program knows, found 2'],
    ['"format": 1', '"format": "1"', '.format: expected the format 1 that this program knows, found "1"'],
    ['"series"', '"list"', '.series: expected a list, found nothing'],
    ['"name": "p', '"name": "../p', '.series[0].name: expected a series name'],
    ['"meta": "meta/', '"meta": "../meta/', '.series[0].meta: expected a plain relative path, found "../'],
    ['"meta": "meta/', '"meta": "/meta/', '.series[0].meta: expected a plain relative path'],
    ['"meta": "meta/', '"meta": "https://a.example/', '.series[0].meta: expected a plain relative path'],
    ['"images": 2', '"images": -1', '.series[0].images: expected an integer from 0 to 2^53 - 1, found -1'],
    ['"images": 2', '"images": 0', '.series[0].newest: expected null, as there are no images, found an object'],
    ['"newest"', '"latest"', '.series[0].newest: expected an object, found nothing'],
    ['"version": "2022', '"version": "x022', '.series[0].newest.version: expected a version of 14 digits'],
    ['"filename": "p', '"filename": "a/p', '.series[0].newest.filename: expected a plain file name ending in .img'],
    ['64.img', '64.rdiff', '.series[0].newest.filename: expected a plain file name ending in .img'],
    ['"size": 4311744512', '"size": 1e99', '.series[0].newest.size: expected an integer'],
    ['"sha256": "c', '"sha256": "C', '.series[0].newest.sha256: expected 64 lower-case hex digits'],
  ])('with %s made %s is refused at its path', (from, to, message) => {
    const text = exampleIndex.replace(from, to);
    expect(text).not.toBe(exampleIndex);
    expect(() => parseIndexJson(text, 'index.json')).toThrow(
      expect.objectContaining({ code: 'FORMAT', message: expect.stringContaining(`index.json: ${message}`) }),
    );
  });

  it('may not list a series twice', () => {
    expect(() => parseIndexJson(renderIndexJson([exampleMeta, exampleMeta]), 'index.json')).toThrow(
      'index.json: .series[1].name: expected a series that is not listed twice, found the same as .series[0].name',
    );
  });
});
