import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkSeries, seriesFromConfigs, seriesFromNames } from '../../src/images/series.js';
import { parseSeriesConfig } from '../../src/images/series-config.js';
import { parseImageName } from '../../src/metadata/image-name.js';
import { imageName } from '../metadata/arbitraries.js';
import { dailyImages, seriesOf, shuffledImages } from './series-names.js';

describe('series made from the names of images', () => {
  it('gather what shares stem and arch, ordered by version, the series by name', () => {
    const names = [
      'puavo-os-b-sid-2024-01-02-060000-amd64.img',
      'puavo-os-b-sid-2024-01-01-060000-i386.img',
      'puavo-os-b-sid-2024-01-01-060000-amd64.img',
      'Puavo-os-b-sid-2024-01-01-060000-amd64.img',
      'ltsp-a-trusty-2016-01-21-120716-i386.img',
    ];
    const series = seriesFromNames(names.map(parseImageName));
    expect(series.map(({ name, images }) => [name, images.map(({ version }) => version)])).toEqual([
      ['Puavo-os-b-sid-amd64', ['20240101060000']],
      ['ltsp-a-trusty-i386', ['20160121120716']],
      ['puavo-os-b-sid-amd64', ['20240101060000', '20240102060000']],
      ['puavo-os-b-sid-i386', ['20240101060000']],
    ]);
    expect(series.every(({ extraBases }) => extraBases.size === 0)).toBe(true);
    expect(seriesFromNames([])).toEqual([]);
  });

  it('are ordered by the bytes of their names, not by UTF-16 units', () => {
    const names = ['\u{10000}', '\uff5e'].map((stem) => parseImageName(`${stem}-2024-01-01-060000-a.img`));
    expect(seriesFromNames(names).map(({ name }) => name)).toEqual(['\uff5e-a', '\u{10000}-a']);
  });

  it('do not depend on the order of the names, lose none and pass the check', () => {
    fc.assert(
      fc.property(fc.uniqueArray(imageName, { selector: ({ fileName }) => fileName }), (names) => {
        const series = seriesFromNames(names);
        expect(seriesFromNames(names.toReversed())).toEqual(series);
        expect(series.flatMap(({ images }) => images)).toHaveLength(names.length);
        for (const { name, images } of series) expect(images.every((image) => image.series === name)).toBe(true);
        expect(() => checkSeries(series)).not.toThrow();
      }),
    );
  });

  it('leave the list that they were made from as it was', () => {
    fc.assert(
      fc.property(shuffledImages, (images) => {
        const before = [...images];
        seriesFromNames(images);
        expect(images).toEqual(before);
      }),
    );
  });
});

describe('series made from a configuration', () => {
  it('keep its order, of series as of images, and its extra bases', () => {
    const [first, second] = dailyImages(2).map(({ fileName }) => fileName);
    const old = 'puavo-os-acme-stretch-2020-12-01-060000-amd64.img';
    const text = JSON.stringify({
      z: { images: [second, first], extra_rdiffs: { [String(first)]: [old] } },
      a: { images: [] },
    });
    const series = seriesFromConfigs(parseSeriesConfig(text, 'sid.json'));
    expect(series.map(({ name }) => name)).toEqual(['z', 'a']);
    expect(series[0]?.images.map(({ fileName }) => fileName)).toEqual([second, first]);
    expect([...(series[0]?.extraBases ?? [])]).toEqual([[first, [parseImageName(old)]]]);
  });
});

describe('the check of series', () => {
  const one = parseImageName('puavo-os-acme-sid-2024-01-01-060000-amd64.img');
  const other = parseImageName('puavo-os-acme-buster-2024-01-01-060000-amd64.img');

  it('refuses two images of one version in one series, naming both', () => {
    expect(() => checkSeries([seriesOf([one, other])])).toThrow(
      expect.objectContaining({
        code: 'NAME',
        message:
          'series puavo-os-acme-sid-amd64: expected one image a version, found ' +
          `${one.fileName} and ${other.fileName} with 20240101060000`,
      }),
    );
  });

  it('lets two series share an image or a version', () => {
    expect(() => checkSeries([seriesOf([one]), seriesOf([one]), seriesOf([other])])).not.toThrow();
  });
});
