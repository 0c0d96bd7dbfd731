import { createHash } from 'node:crypto';
import { parseSeriesName, parseSha256Hex, parseSha512Hex } from '../../../../src/metadata/brands.js';
import { parseImageName, rdiffFileName } from '../../../../src/metadata/image-name.js';
import { type MetaImage, renderSeriesMeta, type SeriesMeta } from '../../../../src/metadata/meta.js';
import { metaPath, rdiffPath } from '../../../../src/metadata/mirror-paths.js';
import { type RepositoryContents, repositoryContents } from '../../../../src/trust/tuf/contents.js';
import { dailyStamps } from '../../../support/image-name.js';

/** The bytes that stand for an image or a delta of a sample: they depend on its path alone. */
export function sampleBytes(path: string): Buffer {
  return Buffer.from(`the bytes of ${path}\n`);
}

/** A series `<stem>-amd64` of images a day apart, each with a delta from the one before it and its compressed form. */
export function sampleSeries(stem: string, imageCount: number, series = `${stem}-amd64`): SeriesMeta {
  const names = dailyStamps(imageCount).map((stamp) => parseImageName(`${stem}-${stamp}-amd64.img`));
  const images = names.map((name, index): MetaImage => {
    const base = names[index - 1];
    const delta = base && rdiffFileName(base, name);
    const diffs =
      base === undefined || delta === undefined
        ? []
        : [{ ...file(rdiffPath(delta)), version: base.version, zst: file(rdiffPath(`${delta}.zst`)) }];
    return { diffs, id: name.id, 'puavo-conf': {}, version: name.version, ...file(name.fileName) };
  });
  return { series: parseSeriesName(series, 'a sample'), images };
}

/** What a mirror of these series vouches for; index.json and the lists are stand-ins. */
export function sampleContents(metas: readonly SeriesMeta[]): RepositoryContents {
  const names = metas.map(({ series }) => series).join(' ');
  return repositoryContents(
    metas,
    new Map([
      ...metas.map((meta) => [metaPath(meta.series), renderSeriesMeta(meta)] as const),
      ['index.json', `{"series":"${names}"}`],
      ['CKSUMS', `cksums of ${names}\n`],
      ['SHA256SUMS', `sha256sums of ${names}\n`],
      ['channels/stable.json', '{"format":1}'],
    ]),
  );
}

/** The paths of all images and deltas of these series. */
export function samplePaths(contents: RepositoryContents): string[] {
  return contents.series.flatMap(({ files }) => [...files.keys()]);
}

function file(path: string) {
  const bytes = sampleBytes(path);
  const hex = (algorithm: string) => createHash(algorithm).update(bytes).digest('hex');
  const sha256 = parseSha256Hex(hex('sha256'), 'a sample');
  const filename = path.slice(path.lastIndexOf('/') + 1);
  const urls = [`https://mirror.example/${path}`];
  return { filename, urls, size: bytes.length, cksum: '0', sha256, sha512: parseSha512Hex(hex('sha512'), 'a sample') };
}
