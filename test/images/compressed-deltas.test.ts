import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { dailyStamps } from '../support/image-name.js';
import { makeImageSeries } from '../support/image-series.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { requireTools } from '../support/tools.js';
import { COMPRESS, compressedWorkshop, expectAtRest, zst } from './support/compressed.js';
import { eventsOf, notes, startedJobs } from './support/events.js';
import { fileStates } from './support/file-states.js';
import { expectAsFresh } from './support/fresh-build.js';
import {
  addImages,
  build,
  dayDelta,
  dayDeltaPath,
  dayImage,
  makeWorkshop,
  prune,
  type Run,
  SERIES,
  STEM,
  verify,
  type Workshop,
} from './support/workshop.js';

const META = `meta/${SERIES}.json`;

describe('a mirror with compressed deltas', () => {
  it('has one beside each delta where that saves something, named in meta, CKSUMS and rdiffs/SHA256SUMS', async () => {
    const workshop = await compressedWorkshop();
    const deltas = [dayDeltaPath(1, 2), dayDeltaPath(2, 1)];
    expect(readdirSync(join(workshop.mirrorDir, 'rdiffs')).sort().map(inRdiffs)).toEqual([
      'rdiffs/SHA256SUMS',
      ...deltas.flatMap((path) => [path, zst(path)]),
    ]);
    for (const path of deltas) {
      expect(sizeOf(workshop, zst(path))).toBeLessThan(0.7 * sizeOf(workshop, path));
      expect(statSync(join(workshop.mirrorDir, zst(path))).mode & 0o777).toBe(0o644);
    }
    const names = [dayImage(1), dayDelta(2, 1), zst(dayDelta(2, 1)), dayImage(2), dayDelta(1, 2), zst(dayDelta(1, 2))];
    expect(column(workshop, 'CKSUMS', 2)).toEqual(names);
    expect(column(workshop, 'rdiffs/SHA256SUMS', 2)).toEqual(names.filter((name) => name.includes('.rdiff')));
    expect(zstMembers(workshop).map(({ filename, urls }) => [filename, urls])).toEqual(
      [zst(dayDelta(2, 1)), zst(dayDelta(1, 2))].map((name) => [name, [`https://images.example.org/rdiffs/${name}`]]),
    );
    const { summary } = await verify(workshop, { deep: true });
    expect(summary).toMatchObject({ files: 6, deltasApplied: 2, errors: 0, warnings: 0 });
  });

  it("is for anyone: Debian's zstd unpacks them and Debian's rdiff makes the images", async (context) => {
    requireTools(context, 'rdiff', 'zstd');
    const workshop = await compressedWorkshop();
    for (const [base, target] of [
      [1, 2],
      [2, 1],
    ] as const) {
      const [unpacked, made] = [join(workshop.folder, 'unpacked'), join(workshop.folder, 'made')];
      const packed = join(workshop.mirrorDir, zst(dayDeltaPath(base, target)));
      execFileSync('zstd', ['-q', '-f', '-d', packed, '-o', unpacked]);
      execFileSync('rdiff', ['-f', 'patch', join(workshop.mirrorDir, dayImage(base)), unpacked, made]);
      expect(readFileSync(made).equals(readFileSync(join(workshop.imagesDir, dayImage(target))))).toBe(true);
    }
  });

  it('has none of a delta that is compressed already, and does not try again', async (context) => {
    requireTools(context, 'mksquashfs');
    const workshop = workshopIn(await temporaryDirectory());
    const series = { dir: workshop.imagesDir, stem: STEM, arch: 'amd64', stamps: dailyStamps(2), seed: 'zst' };
    await makeImageSeries({ ...series, compressor: 'gzip', sizeBytes: 1_000_000 });
    const run = await build(workshop, { ...COMPRESS, maxDeltaRatio: 10 });
    expect(details(run)).toEqual(Array.from({ length: 2 }, () => 'not published: saves less than 5 % of the delta'));
    expect(readdirSync(join(workshop.mirrorDir, 'rdiffs')).sort()).toEqual([
      'SHA256SUMS',
      dayDelta(1, 2),
      dayDelta(2, 1),
    ]);
    expect(readFileSync(join(workshop.mirrorDir, META), 'utf8')).not.toContain('zst');
    await expectAtRest(workshop);
  });

  it('has the same bytes whatever the number of jobs', async () => {
    const [one, two] = [1, 2].map((jobs) => ({ ...COMPRESS, resources: { jobs, memoryBytes: 2 ** 30 } }));
    const workshop = await makeWorkshop(3, { compressible: true });
    await build(workshop, { ...one, deltas: { kind: 'all' } });
    await expectAsFresh(workshop, { ...two, deltas: { kind: 'all' } });
  });

  it('keeps to its choice until it is told otherwise, and does nothing when nothing is to be done', async () => {
    const workshop = await compressedWorkshop();
    await expectAtRest(workshop);

    await addImages(workshop, [3], { compressible: true });
    const run = await build(workshop);
    expect(startedJobs(run).filter((job) => job.startsWith('compress'))).toEqual([
      `compress-delta ${zst(dayDeltaPath(2, 3))}`,
      `compress-delta ${zst(dayDeltaPath(3, 2))}`,
    ]);
    expect(details(run).every((detail) => /^saves \d\d\.\d % of the delta$/.test(detail))).toBe(true);
    await expectAsFresh(workshop, COMPRESS);
  });

  it('drops them when they are not wanted any more, for prune to remove, and takes them up again without work', async () => {
    const workshop = await compressedWorkshop();
    const packed = [zst(dayDeltaPath(1, 2)), zst(dayDeltaPath(2, 1))];
    const run = await build(workshop, { compressDeltas: false });
    expect(planned(run)).toEqual([
      `write-index ${META}`,
      'write-index CKSUMS',
      'write-index rdiffs/SHA256SUMS',
      ...[...packed].reverse().map((path) => `drop ${path}`),
    ]);
    expect(startedJobs(run)).toEqual([]);
    expect(notes(run)).toEqual([]);
    expect(zstMembers(workshop)).toEqual([]);
    await expectAtRest(workshop);

    expect(startedJobs(await build(workshop, COMPRESS))).toEqual([]);
    expect(zstMembers(workshop)).toHaveLength(2);
    await build(workshop, { compressDeltas: false });
    expect(eventsOf(await prune(workshop), 'file-removed').map(({ path }) => path)).toEqual(packed);
    await expectAsFresh(workshop);
    expect(startedJobs(await build(workshop, COMPRESS))).toEqual(packed.map((path) => `compress-delta ${path}`));
  });

  it('loses them along with their deltas', async () => {
    const workshop = await compressedWorkshop();
    await build(workshop, { deltas: { kind: 'none' } });
    const run = await prune(workshop);
    expect(eventsOf(run, 'file-removed').map(({ path }) => path)).toEqual(
      [dayDeltaPath(1, 2), dayDeltaPath(2, 1)].flatMap((path) => [path, zst(path)]),
    );
    expect(readdirSync(join(workshop.mirrorDir, 'rdiffs'))).toEqual([]);
  });

  it('tells with a dry run what would be compressed, and compresses nothing', async () => {
    const workshop = await makeWorkshop(2, { compressible: true });
    await build(workshop);
    const before = fileStates(workshop.folder);
    const run = await build(workshop, { ...COMPRESS, dryRun: true });
    expect(planned(run)).toEqual([
      `compress-delta ${zst(dayDeltaPath(2, 1))}`,
      `compress-delta ${zst(dayDeltaPath(1, 2))}`,
      `write-index ${META}`,
      'write-index CKSUMS',
      'write-index SHA256SUMS',
      'write-index rdiffs/SHA256SUMS',
      'write-index index.json',
    ]);
    expect(fileStates(workshop.folder)).toEqual(before);
  });

  it('is as it was without them, to the byte, as long as nobody asks for them', async () => {
    const workshop = await compressedWorkshop();
    await build(workshop, { compressDeltas: false });
    const plain = { ...workshop, mirrorDir: join(workshop.folder, 'plain') };
    await build(plain);
    for (const index of [META, 'CKSUMS', 'SHA256SUMS', 'rdiffs/SHA256SUMS', 'index.json']) {
      expect(readFileSync(join(workshop.mirrorDir, index))).toEqual(readFileSync(join(plain.mirrorDir, index)));
    }
    expect(existsSync(join(plain.mirrorDir, zst(dayDeltaPath(1, 2))))).toBe(false);
  });
});

function workshopIn(folder: string): Workshop {
  return { folder, imagesDir: join(folder, 'images'), mirrorDir: join(folder, 'mirror') };
}

function inRdiffs(name: string): string {
  return `rdiffs/${name}`;
}

function sizeOf({ mirrorDir }: Workshop, path: string): number {
  return statSync(join(mirrorDir, path)).size;
}

/** One word of every line of a list. */
function column({ mirrorDir }: Workshop, list: string, index: number): (string | undefined)[] {
  const lines = readFileSync(join(mirrorDir, list), 'utf8').trimEnd().split('\n');
  return lines.map((line) => line.split(' ')[index]);
}

/** What the meta file says of compressed deltas. */
function zstMembers({ mirrorDir }: Workshop): { filename: string; urls: string[] }[] {
  const meta = JSON.parse(readFileSync(join(mirrorDir, META), 'utf8')) as Record<
    string,
    { images: { diffs: { zst?: { filename: string; urls: string[] } }[] }[] }
  >;
  const diffs = Object.values(meta).flatMap(({ images }) => images.flatMap((image) => image.diffs));
  return diffs.flatMap((diff) => diff.zst ?? []);
}

function planned(run: Run<unknown>): string[] {
  return eventsOf(run, 'plan').flatMap(({ actions }) => actions.map(({ action, path }) => `${action} ${path}`));
}

/** What came of compressing each delta. */
function details(run: Run<unknown>): string[] {
  const finished = eventsOf(run, 'job-finished').filter(({ kind }) => kind === 'compress-delta');
  return finished.map(({ detail }) => detail);
}
