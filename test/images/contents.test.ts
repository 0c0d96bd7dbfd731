import { describe, expect, it } from 'vitest';
import { namedFiles, renderIndexes, withoutFiles } from '../../src/images/contents.js';
import { parseSeriesName } from '../../src/metadata/brands.js';
import { type ImageName, rdiffFileName } from '../../src/metadata/image-name.js';
import type { MetaDiff, MetaImage, MetaZst, SeriesMeta } from '../../src/metadata/meta.js';
import { dailyImages } from './series-names.js';
import { digests } from './support/statuses.js';

const [A, B, C] = dailyImages(3) as [ImageName, ImageName, ImageName];

/** A to C with the deltas A>B, C>B and B>C; the twin has B and C. */
const release = seriesOf('release', [image(A), image(B, A, C), image(C, B)]);
const twin = seriesOf('twin', [image(B, C), image(C, B)]);

describe('the indexes of two series with common images', () => {
  const texts = renderIndexes([release, twin], null);

  it('are written meta first, then the lists, then index.json', () => {
    const lists = ['CKSUMS', 'SHA256SUMS', 'rdiffs/SHA256SUMS', 'index.json'];
    expect([...texts.keys()]).toEqual(['meta/release.json', 'meta/twin.json', ...lists]);
  });

  it('name each file once, in the order of its first place', () => {
    const order = [A.fileName, B.fileName, delta(A, B), delta(C, B), C.fileName, delta(B, C)];
    const names = (text: string | undefined) =>
      text
        ?.trimEnd()
        .split('\n')
        .map((line) => line.split(' ').at(-1));
    expect(names(texts.get('CKSUMS'))).toEqual(order);
    expect(names(texts.get('SHA256SUMS'))).toEqual(order.filter((name) => name.endsWith('.img')));
    expect(names(texts.get('rdiffs/SHA256SUMS'))).toEqual(order.filter((name) => name.endsWith('.rdiff')));
    expect([...namedFiles([release, twin])]).toEqual(order.map(inRdiffs));
  });

  it('have no list of deltas where there is none', () => {
    expect([...renderIndexes([seriesOf('bare', [image(A)])], null).keys()]).toEqual([
      'meta/bare.json',
      'CKSUMS',
      'SHA256SUMS',
      'index.json',
    ]);
  });

  it('say first until when they are good, after the empty file that has to be there', () => {
    const dated = renderIndexes([twin], new Date('2026-03-01T00:00:00Z'));
    expect([...dated.keys()].slice(1, 4)).toEqual(['CKSUMS', 'BEST-BEFORE-2026-03-01', 'SHA256SUMS']);
    expect(dated.get('BEST-BEFORE-2026-03-01')).toBe('');
    const lists = ['CKSUMS', 'SHA256SUMS', 'rdiffs/SHA256SUMS'].map((path) => dated.get(path)?.includes('BEST'));
    expect(lists).toEqual([false, true, false]);
  });

  it('of no series at all are empty lists', () => {
    const empty = renderIndexes([], null);
    expect([...empty.keys()]).toEqual(['CKSUMS', 'SHA256SUMS', 'index.json']);
    expect([empty.get('CKSUMS'), empty.get('SHA256SUMS')]).toEqual(['', '']);
  });
});

describe('series without some of their files', () => {
  it('lack an image in every series, and the deltas to it', () => {
    expect(
      outline(withoutFiles([release, twin], new Set([C.fileName, inRdiffs(delta(C, B)), inRdiffs(delta(B, C))]))),
    ).toEqual([[[A.fileName], [B.fileName, delta(A, B)]], [[B.fileName]]]);
  });

  it('lack the deltas from an image that is left out, even if those are not named', () => {
    expect(outline(withoutFiles([release], new Set([A.fileName])))).toEqual([
      [
        [B.fileName, delta(C, B)],
        [C.fileName, delta(B, C)],
      ],
    ]);
  });

  it('lack a delta alone', () => {
    expect(outline(withoutFiles([twin], new Set([inRdiffs(delta(B, C))])))).toEqual([
      [[B.fileName, delta(C, B)], [C.fileName]],
    ]);
  });

  it('lack the compressed form of a delta alone, or along with it', () => {
    const packed = seriesOf('packed', [image(B, C), { ...image(C), diffs: [{ ...diff(B, C), zst: zstOf(B, C) }] }]);
    expect([...namedFiles([packed])].slice(2)).toEqual([C.fileName, inRdiffs(delta(B, C)), zstPath(B, C)]);
    const bare = seriesOf('packed', [image(B, C), image(C, B)]);
    expect(withoutFiles([packed], new Set([zstPath(B, C)]))).toEqual([bare]);
    const [alone] = withoutFiles([packed], new Set([inRdiffs(delta(B, C))]));
    expect([...namedFiles(alone === undefined ? [] : [alone])]).not.toContain(zstPath(B, C));
  });

  it('are the same where nothing of theirs is named', () => {
    expect(withoutFiles([release, twin], new Set(['other.img', delta(A, B)]))).toEqual([release, twin]);
  });
});

function seriesOf(name: string, images: readonly MetaImage[]): SeriesMeta {
  return { series: parseSeriesName(name, 'test'), images };
}

function image(name: ImageName, ...bases: readonly ImageName[]): MetaImage {
  const { fileName: filename, id, version } = name;
  const file = { filename, id, version, urls: [`/${filename}`], size: 1000, ...digests('a') };
  return { ...file, 'puavo-conf': {}, diffs: bases.map((base) => diff(base, name)) };
}

function diff(base: ImageName, target: ImageName): MetaDiff {
  const filename = delta(base, target);
  return { filename, version: base.version, urls: [`/rdiffs/${filename}`], size: 100, ...digests('d') };
}

function zstOf(base: ImageName, target: ImageName): MetaZst {
  const filename = `${delta(base, target)}.zst`;
  return { filename, urls: [`/rdiffs/${filename}`], size: 50, ...digests('e') };
}

function zstPath(base: ImageName, target: ImageName): string {
  return `rdiffs/${delta(base, target)}.zst`;
}

function delta(base: ImageName, target: ImageName): string {
  return rdiffFileName(base, target);
}

function inRdiffs(name: string): string {
  return name.endsWith('.rdiff') ? `rdiffs/${name}` : name;
}

/** By series and image: the image and its deltas. */
function outline(metas: readonly SeriesMeta[]): string[][][] {
  return metas.map(({ images }) =>
    images.map(({ filename, diffs }) => [filename, ...diffs.map((one) => one.filename)]),
  );
}
