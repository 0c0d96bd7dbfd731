import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readClaims } from '../support/mirror-claims.js';
import { servedTree } from '../support/served-tree.js';
import { haveTools } from '../support/tools.js';
import { validityWatch } from './support/always-valid.js';
import { caught } from './support/caught.js';
import { problems, startedJobs, writtenIndexes } from './support/events.js';
import { fileStates } from './support/file-states.js';
import { makeOldMirror } from './support/old-producer.js';
import { editInPlace, replaceByOlder } from './support/tamper.js';
import {
  addImages,
  build,
  dayDeltaPath,
  dayImage,
  makeWorkshop,
  prune,
  SERIES,
  verify,
  type Workshop,
} from './support/workshop.js';

const BASE_URL = 'https://images.example.org';
const PUAVO = { kind: 'puavo' } as const;
const ALL_PAIRS = [
  [2, 1],
  [3, 1],
  [1, 2],
  [3, 2],
  [1, 3],
  [2, 3],
] as const;
const META = `meta/${SERIES}.json`;

describe.skipIf(!haveTools('rdiff', 'cksum', 'sha256sum', 'sha512sum'))("a mirror of Puavo's own producer", () => {
  it('passes verify, which says what it lacks', async () => {
    const workshop = await oldMirror();
    const run = await verify(workshop, { deep: true });
    expect(problems(run)).toEqual(
      ['SHA256SUMS', 'index.json', 'rdiffs/SHA256SUMS'].map((path) => `warning missing ${path}`),
    );
    expect(run.summary).toMatchObject({ errors: 0, deltasApplied: 6 });
  });

  it('is taken over: each delta is applied once, none is made again, meta and CKSUMS stay as they are', async () => {
    const workshop = await oldMirror();
    const before = servedTree(workshop.mirrorDir);
    const run = await build(workshop, { deltas: PUAVO });
    expect(startedJobs(run)).toEqual([
      ...ALL_PAIRS.map(([base, target]) => `check-delta ${dayDeltaPath(base, target)}`).sort(),
      ...[1, 2, 3].map((day) => `examine ${dayImage(day)}`),
    ]);
    expect(run.summary).toMatchObject({ deltasMade: 0, failures: 0 });
    expect(writtenIndexes(run)).toEqual(['SHA256SUMS', 'rdiffs/SHA256SUMS', 'index.json']);
    expect(servedTree(workshop.mirrorDir)).toMatchObject(before);
    expect((await build(workshop, { deltas: PUAVO })).summary.changed).toBe(false);
    expect(problems(await verify(workshop, { deep: true }))).toEqual([]);
  });

  it('keeps its private caches, its links and everything foreign untouched, and serves valid indexes meanwhile', async () => {
    const workshop = await oldMirror();
    const foreign = ['torrents/x.torrent', 'distfiles/a.tar', 'index.html', 'rdiffs/leftover.rdiff.tmp'];
    for (const directory of ['torrents', 'distfiles']) mkdirSync(join(workshop.mirrorDir, directory));
    for (const path of foreign) writeFileSync(join(workshop.mirrorDir, path), 'foreign');
    const before = statesOf(workshop);
    const { onEvent } = validityWatch(workshop.mirrorDir);
    await build(workshop, { deltas: PUAVO, onEvent });
    await prune(workshop);
    const after = statesOf(workshop);
    const kept = [...foreign, ...Object.keys(before).filter((path) => /^(\.checksums|\.signatures|.*img$)/.test(path))];
    expect(kept).toHaveLength(4 + 2 + 3 + 3 * 9 + 3);
    for (const path of kept) expect(after[path], path).toBe(before[path]);
  });

  it('makes just the deltas that it lacks, and drops those that are not wanted but leaves them until prune', async () => {
    const workshop = await oldMirror(ALL_PAIRS.slice(1));
    const run = await build(workshop, { deltas: PUAVO });
    expect(startedJobs(run).filter((job) => job.startsWith('delta'))).toEqual([`delta ${dayDeltaPath(2, 1)}`]);

    await build(workshop, { deltas: { kind: 'neighbours' } });
    const wanted = [dayDeltaPath(1, 2), dayDeltaPath(2, 3), dayDeltaPath(3, 2)];
    expect(namedDeltas(workshop)).toEqual(wanted);
    expect(storedDeltas(workshop)).toHaveLength(6);
    await prune(workshop, { graceMs: 3_600_000 });
    expect(storedDeltas(workshop)).toHaveLength(6);
    await prune(workshop);
    expect(storedDeltas(workshop)).toEqual(wanted);
  });

  it('has deltas dropped right away that the first build does not want, and prunes them as well', async () => {
    const workshop = await oldMirror();
    await build(workshop, { deltas: { kind: 'latest', count: 1 } });
    expect(namedDeltas(workshop)).toEqual([dayDeltaPath(2, 3)]);
    expect((await prune(workshop)).summary.removed).toBe(5);
    expect(storedDeltas(workshop)).toEqual([dayDeltaPath(2, 3)]);
  });

  it('has a delta made again, and withdrawn before, that does not lead where its name says', async () => {
    const workshop = await oldMirror();
    const path = dayDeltaPath(1, 2);
    editInPlace(join(workshop.mirrorDir, path));
    const seen: boolean[] = [];
    const run = await build(workshop, {
      deltas: PUAVO,
      onEvent(event) {
        if (event.type === 'job-started' && event.kind === 'delta') seen.push(namedDeltas(workshop).includes(path));
      },
    });
    expect(seen).toEqual([false]);
    expect(startedJobs(run)).toContain(`delta ${path}`);
    expect(readClaims(workshop.mirrorDir).broken).toEqual([]);
    expect(problems(await verify(workshop, { deep: true }))).toEqual([]);
  });

  it('is refused where an image has other bytes than its meta says', async () => {
    const workshop = await oldMirror();
    const before = servedTree(workshop.mirrorDir);
    replaceByOlder(join(workshop.imagesDir, dayImage(2)));
    const error = await caught(build(workshop, { deltas: PUAVO }));
    expect(error).toMatchObject({ code: 'NAME_REUSED', data: { published: before[dayImage(2)] } });
    expect(servedTree(workshop.mirrorDir)).toEqual(before);
  });

  it('has its signatures and checksums nowhere in the indexes, and a meta of another series is dropped, not lost', async () => {
    const workshop = await oldMirror();
    const other = { 'gone-series': { images: [] } };
    writeFileSync(join(workshop.mirrorDir, 'meta', 'gone-series.json'), JSON.stringify(other));
    await build(workshop, { deltas: PUAVO });
    expect(existsSync(join(workshop.mirrorDir, 'meta', 'gone-series.json'))).toBe(false);
    expect(readFileSync(join(workshop.mirrorDir, 'CKSUMS'), 'utf8')).not.toMatch(/signature|cksum$/m);
  });

  it('gets a new image as any other mirror does', async () => {
    const workshop = await oldMirror();
    await build(workshop, { deltas: PUAVO });
    await addImages(workshop, [4]);
    const run = await build(workshop, { deltas: PUAVO });
    expect(startedJobs(run)).toEqual(
      [...[1, 2, 3].map((base) => [base, 4] as const), [4, 2] as const, [4, 3] as const]
        .map(([base, target]) => `delta ${dayDeltaPath(base, target)}`)
        .concat(`examine ${dayImage(4)}`)
        .sort(),
    );
    expect(problems(await verify(workshop, { deep: true }))).toEqual([
      `warning unlisted ${dayDeltaPath(2, 1)}`,
      `warning unlisted ${dayDeltaPath(3, 1)}`,
    ]);
  });

  it('whose CKSUMS covers only the last series that was made gets a whole one', async () => {
    const workshop = await oldMirror();
    const whole = readFileSync(join(workshop.mirrorDir, 'CKSUMS'), 'utf8');
    writeFileSync(join(workshop.mirrorDir, 'CKSUMS'), whole.split('\n').slice(4).join('\n'));
    expect(problems(await verify(workshop))).toContain('error inconsistent CKSUMS');
    const run = await build(workshop, { deltas: PUAVO });
    expect(writtenIndexes(run)).not.toContain(META);
    expect(readFileSync(join(workshop.mirrorDir, 'CKSUMS'), 'utf8')).toBe(whole);
  });
});

async function oldMirror(deltas: readonly (readonly [number, number])[] = ALL_PAIRS): Promise<Workshop> {
  const workshop = await makeWorkshop(3, { sizeBytes: 50_000 });
  makeOldMirror(workshop, BASE_URL, [1, 2, 3], deltas);
  return workshop;
}

function namedDeltas({ mirrorDir }: Workshop): string[] {
  return [...readClaims(mirrorDir).named.keys()].filter((path) => path.startsWith('rdiffs/')).sort();
}

function storedDeltas({ mirrorDir }: Workshop): string[] {
  return Object.keys(servedTree(mirrorDir)).filter((path) => /^rdiffs.*\.rdiff$/.test(path));
}

/** Of everything but what the build itself remembers. */
function statesOf({ mirrorDir }: Workshop): Record<string, string> {
  const entries = Object.entries(fileStates(mirrorDir)).filter(([path]) => !path.startsWith('.update-repository'));
  return Object.fromEntries(entries);
}
