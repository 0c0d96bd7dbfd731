import { describe, expect, it } from 'vitest';
import { renderIndexes } from '../../src/images/contents.js';
import { readExpectations } from '../../src/images/expectations.js';
import { parseSeriesName } from '../../src/metadata/brands.js';
import { type ImageName, rdiffFileName } from '../../src/metadata/image-name.js';
import type { SeriesMeta } from '../../src/metadata/meta.js';
import { dailyImages } from './series-names.js';
import { digests } from './support/statuses.js';

const [A, B] = dailyImages(2) as [ImageName, ImageName];
const META = 'meta/puavo-os-acme-sid-amd64.json';
const DELTA = rdiffFileName(A, B);

describe('what the indexes of a mirror claim', () => {
  it('is one list of claims a file, each with the index that makes it', () => {
    const { files, metas, problems } = readExpectations(mirrorTexts(), false);
    expect(problems).toEqual([]);
    expect(metas.map(({ series }) => series)).toEqual(['puavo-os-acme-sid-amd64']);
    expect(files.map(({ path }) => path)).toEqual([A.fileName, B.fileName, `rdiffs/${DELTA}`]);
    const { cksum, sha256, sha512 } = digests('d');
    expect(files[2]?.claims).toEqual([
      { source: META, field: 'size', value: '100' },
      { source: META, field: 'cksum', value: cksum },
      { source: META, field: 'sha256', value: sha256 },
      { source: META, field: 'sha512', value: sha512 },
      { source: 'CKSUMS', field: 'cksum', value: cksum },
      { source: 'CKSUMS', field: 'size', value: '100' },
      { source: 'rdiffs/SHA256SUMS', field: 'sha256', value: sha256 },
    ]);
  });

  it('holds for a mirror that has only meta and CKSUMS, with a warning for each list that it lacks', () => {
    const texts = mirrorTexts();
    for (const path of ['SHA256SUMS', 'rdiffs/SHA256SUMS', 'index.json']) texts.delete(path);
    const { files, problems } = readExpectations(texts, false);
    expect(files).toHaveLength(3);
    expect(problems.map(({ level, kind, path }) => `${level} ${kind} ${path}`)).toEqual([
      'warning missing SHA256SUMS',
      'warning missing rdiffs/SHA256SUMS',
      'warning missing index.json',
    ]);
  });

  it('holds of the other indexes where one is malformed, which is a problem that names the place', () => {
    const texts = mirrorTexts().set('CKSUMS', 'nonsense\n');
    const { files, problems } = readExpectations(texts, false);
    expect(files).toHaveLength(3);
    expect(problems).toContainEqual({
      type: 'problem',
      level: 'error',
      kind: 'malformed',
      path: 'CKSUMS',
      message: expect.stringMatching(/^CKSUMS: line 1: expected /),
    });
  });

  it('includes files that CKSUMS alone names, deltas by their base names', () => {
    const extra = `1 2 ${rdiffFileName(B, A)}\n`;
    const texts = mirrorTexts();
    texts.set('CKSUMS', `${texts.get('CKSUMS')}${extra}`);
    const { files, problems } = readExpectations(texts, false);
    expect(files.map(({ path }) => path)).toContain(`rdiffs/${rdiffFileName(B, A)}`);
    expect(problems).toMatchObject([{ kind: 'inconsistent', message: `differs from meta: has ${extra.trimEnd()}` }]);
  });
});

describe('indexes that differ from each other', () => {
  it('are errors, and name the first line that differs', () => {
    const texts = mirrorTexts();
    texts.set('SHA256SUMS', (texts.get('SHA256SUMS') ?? '').split('\n').slice(1).join('\n'));
    expect(readExpectations(texts, false).problems).toMatchObject([
      {
        level: 'error',
        kind: 'inconsistent',
        path: 'SHA256SUMS',
        message: `differs from meta: lacks ${digests('a').sha256}  ${A.fileName}`,
      },
    ]);
  });

  it('are warnings while a build is at it or was killed, a missing one too', () => {
    const texts = mirrorTexts();
    texts.set('CKSUMS', '');
    texts.delete('index.json');
    expect(readExpectations(texts, true).problems).toMatchObject([
      { level: 'warning', path: 'CKSUMS', message: expect.stringContaining('run it again') },
      { level: 'warning', path: 'index.json' },
    ]);
  });

  it('are those of an earlier version, which listed the deltas along with the images, and say what to do', () => {
    const texts = mirrorTexts();
    texts.set('SHA256SUMS', `${texts.get('SHA256SUMS')}${digests('d').sha256}  rdiffs/${DELTA}\n`);
    texts.delete('rdiffs/SHA256SUMS');
    const { files, problems } = readExpectations(texts, false);
    expect(files.map(({ path }) => path)).toEqual([A.fileName, B.fileName, `rdiffs/${DELTA}`]);
    expect(problems).toMatchObject([
      {
        level: 'error',
        kind: 'inconsistent',
        path: 'SHA256SUMS',
        message: expect.stringMatching(/: build the mirror again$/),
      },
      { level: 'warning', kind: 'missing', path: 'rdiffs/SHA256SUMS' },
    ]);
  });

  it('are a list of deltas that no meta file has any more', () => {
    const texts = mirrorTexts();
    const [line] = (texts.get('rdiffs/SHA256SUMS') ?? '').split('\n');
    texts.set(META, (texts.get(META) ?? '').replace(/"diffs":\[\{.*?\}\]/, '"diffs":[]'));
    expect(readExpectations(texts, false).problems).toContainEqual({
      type: 'problem',
      level: 'error',
      kind: 'inconsistent',
      path: 'rdiffs/SHA256SUMS',
      message: `differs from meta: has ${line}`,
    });
  });

  it('may have their lines in another order', () => {
    const texts = mirrorTexts();
    const reversed = (texts.get('CKSUMS') ?? '').trimEnd().split('\n').reverse();
    texts.set('CKSUMS', `${reversed.join('\n')}\n`);
    expect(readExpectations(texts, false).problems).toEqual([]);
  });

  it('are those where a series stands in a file of another name', () => {
    const texts = mirrorTexts();
    texts.set('meta/other.json', texts.get(META) ?? '');
    texts.delete(META);
    expect(readExpectations(texts, false).problems).toMatchObject([
      { level: 'error', kind: 'inconsistent', path: META },
    ]);
  });
});

/** The indexes of a mirror of two images and a delta. */
function mirrorTexts(): Map<string, string> {
  const files = [A, B].map((name, index) => {
    const { fileName: filename, id, version } = name;
    const sums = digests(index === 0 ? 'a' : 'b');
    return { filename, id, version, urls: [`/${filename}`], size: 1000, ...sums, 'puavo-conf': {}, diffs: [] };
  });
  const diff = { filename: DELTA, version: A.version, urls: [`/rdiffs/${DELTA}`], size: 100, ...digests('d') };
  const images = files.map((file, index) => (index === 0 ? file : { ...file, diffs: [diff] }));
  const meta: SeriesMeta = { series: parseSeriesName('puavo-os-acme-sid-amd64', 'test'), images };
  return new Map(renderIndexes([meta], null));
}
