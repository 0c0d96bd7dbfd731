import { join, normalize, relative, sep } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UpdateRepositoryError } from '../../src/errors.js';
import { parseChannel } from '../../src/metadata/channel.js';
import { parseIndexJson, renderIndexJson } from '../../src/metadata/index-json.js';
import { parseSeriesMeta, renderSeriesMeta, type SeriesMeta } from '../../src/metadata/meta.js';
import { propertyRuns } from '../delta/support/properties.js';
import { seriesMeta } from '../metadata/arbitraries.js';
import { exampleMeta, exampleWithZst, withBarrier } from '../metadata/worked-example.js';
import { HOSTILE_NAMES, hostileText } from './support/hostile-json.js';

const DIR = '/srv/device';
const FILE = 'hostile.json';
const runs = propertyRuns(1_000);

/** What a client can put behind the name of any file while it works on it, such as `.json.tmp`. */
const ROOM_BYTES = 15;

describe('whatever a mirror says', () => {
  const samples = fc.sample(seriesMeta, { numRuns: 50, seed: 1 });
  const wellMeant = fc.constantFrom(exampleMeta, exampleWithZst, withBarrier, ...samples);
  const renamedOnes = fc.tuple(wellMeant, fc.constantFrom(...HOSTILE_NAMES)).map(([meta, name]) => renamed(meta, name));
  const metas = fc.oneof({ weight: 4, arbitrary: wellMeant }, { weight: 1, arbitrary: renamedOnes });
  const lists = fc.array(metas, { maxLength: 3 });

  it('a meta file names files of its own in the directory of the device, or is refused with the member', () => {
    const counts = countOutcomes(hostileText(metas.map(renderSeriesMeta)), (text) => {
      const meta = parseSeriesMeta(text, FILE);
      expectBounds(meta);
      const again = renderSeriesMeta(meta);
      expect(renderSeriesMeta(parseSeriesMeta(again, FILE))).toBe(again);
    });
    expect(counts.taken).toBeGreaterThan(counts.all / 50);
    expect(counts.refused).toBeGreaterThan(counts.all / 4);
  });

  it('an index.json names files of the mirror, or is refused with the member', () => {
    const counts = countOutcomes(hostileText(lists.map(renderIndexJson)), (text) => {
      const { series } = parseIndexJson(text, FILE);
      expect(new Set(series.map(({ name }) => name)).size).toBe(series.length);
      for (const { name, meta, images, newest } of series) {
        expectFileName(name);
        expectBelow(meta);
        expectSize(images);
        if (newest === null) continue;
        expectFileName(newest.filename);
        expectSize(newest.size);
        expect(newest.version).toMatch(/^[0-9]{14}$/);
      }
    });
    expect(counts.taken).toBeGreaterThan(counts.all / 50);
    expect(counts.refused).toBeGreaterThan(counts.all / 4);
  });

  it('a channel file names a version, or is refused with the member', () => {
    const channel = JSON.stringify({ format: 1, series: exampleMeta.series, version: '20220120173248' });
    const counts = countOutcomes(hostileText(fc.constant(channel)), (text) => {
      const { series, version } = parseChannel(text, FILE);
      expectFileName(series);
      expect(version).toMatch(/^[0-9]{14}$/);
    });
    expect(counts.taken).toBeGreaterThan(counts.all / 50);
    expect(counts.refused).toBeGreaterThan(counts.all / 4);
  });
});

/** The same with another name for an image, or for a delta, wherever the file has it. */
function renamed({ series, images: [first, ...others] }: SeriesMeta, filename: string): SeriesMeta {
  if (first === undefined) return { series, images: [] };
  const [diff, ...diffs] = first.diffs;
  if (!filename.endsWith('.rdiff') || diff === undefined) {
    return { series, images: [{ ...first, filename, id: filename.slice(0, -'.img'.length) }, ...others] };
  }
  const { zst } = diff;
  const packed = zst === undefined ? {} : { zst: { ...zst, filename: `${filename}.zst` } };
  return { series, images: [{ ...first, diffs: [{ ...diff, filename, ...packed }, ...diffs] }, ...others] };
}

/** Lets `take` read each text; what it throws has to be an error of ours that says what is wrong and where. */
function countOutcomes(texts: fc.Arbitrary<string>, take: (text: string) => void) {
  const counts = { all: 0, taken: 0, refused: 0 };
  const inherited = Object.getOwnPropertyNames(Object.prototype).join();
  fc.assert(
    fc.property(texts, (text) => {
      counts.all += 1;
      try {
        take(text);
        counts.taken += 1;
      } catch (error) {
        if (!(error instanceof UpdateRepositoryError)) throw error;
        expect(error.code).toBe('FORMAT');
        // A path as jq writes it, unless the text as a whole is no JSON to speak of.
        expect(error.message).toMatch(
          /^hostile\.json: (\.[^\p{C}]*: expected |expected (plain )?JSON, found )[^\p{C}]+$/u,
        );
        expect(error.message.length).toBeLessThan(1_000);
        counts.refused += 1;
      }
      expect(Object.getOwnPropertyNames(Object.prototype).join()).toBe(inherited);
    }),
    runs,
  );
  return counts;
}

function expectBounds({ series, images }: SeriesMeta): void {
  expectFileName(series);
  const names = images.flatMap(({ filename, diffs }) => [filename, ...diffs.flatMap(namesOf)]);
  for (const name of names) expectFileName(name);
  expect(new Set(names).size).toBe(names.length);
  expect(new Set(images.map(({ version }) => version)).size).toBe(images.length);
  for (const file of [...images, ...images.flatMap(({ diffs }) => diffs)]) {
    expectSize(file.size);
    expect(file.version).toMatch(/^[0-9]{14}$/);
    expect(file.sha256).toMatch(/^[0-9a-f]{64}$/);
    expect(file.urls.length).toBeGreaterThan(0);
  }
  for (const { filename } of images) expect(['ltsp.img', 'ltsp-backup.img']).not.toContain(filename.toLowerCase());
}

function namesOf({ filename, zst }: { readonly filename: string; readonly zst?: { readonly filename: string } }) {
  return zst === undefined ? [filename] : [filename, zst.filename];
}

/** One name, directly in the directory, that is there what it is here, with room for what a client appends. */
function expectFileName(name: string): void {
  expectBelow(name);
  expect(relative(DIR, join(DIR, name)).split(sep)).toHaveLength(1);
  expect(Buffer.byteLength(name)).toBeLessThanOrEqual(255 - ROOM_BYTES);
}

function expectBelow(path: string): void {
  expect(normalize(join(DIR, path))).toBe(`${DIR}/${path}`);
  expect(path).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\s\\]|^$|^\/|(^|\/)[.-]/u);
  expect(Buffer.from(path).toString('utf8')).toBe(path);
}

function expectSize(size: number): void {
  expect(Number.isSafeInteger(size) && size >= 0).toBe(true);
}
