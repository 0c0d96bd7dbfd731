import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readClaims } from '../support/mirror-claims.js';
import { servedTree } from '../support/served-tree.js';
import { eventsOf, notes, startedJobs, writtenIndexes } from './support/events.js';
import { fileStates } from './support/file-states.js';
import { expectAsFresh } from './support/fresh-build.js';
import { addImages, build, dayDeltaPath, dayImage, makeWorkshop, SERIES } from './support/workshop.js';

const META = `meta/${SERIES}.json`;
const LISTS = ['CKSUMS', 'SHA256SUMS', 'rdiffs/SHA256SUMS'];

describe('a second build with nothing new', () => {
  it('writes nothing at all, starts no job and says that nothing changed', async () => {
    const workshop = await makeWorkshop(3);
    const first = await build(workshop);
    expect(first.summary).toMatchObject({ changed: true, examined: 3, deltasMade: 3, failures: 0 });
    const before = fileStates(workshop.folder);

    const second = await build(workshop);
    expect(fileStates(workshop.folder)).toEqual(before);
    expect(second.summary).toMatchObject({ changed: false, examined: 0, deltasMade: 0, failures: 0 });
    expect(second.summary.series).toEqual(first.summary.series);
    expect(second.events.map(({ type }) => type)).toEqual(['plan', 'build-summary']);
    expect(eventsOf(second, 'plan')).toEqual([{ type: 'plan', dryRun: false, actions: [] }]);
  });

  it('takes the base URL that the mirror remembers, and writes nothing either', async () => {
    const workshop = await makeWorkshop(2);
    await build(workshop, { baseUrl: 'https://one.example.org' });
    const before = fileStates(workshop.folder);
    const run = await build(workshop, { baseUrl: undefined });
    expect(run.summary.changed).toBe(false);
    expect(notes(run)).toEqual([]);
    expect(fileStates(workshop.folder)).toEqual(before);
  });
});

describe('a build without a policy', () => {
  it('takes that of the build before, and neighbours at first', async () => {
    const workshop = await makeWorkshop(3);
    const first = await build(workshop, { deltas: undefined });
    expect(first.summary.deltasMade).toBe(3);
    await build(workshop, { deltas: { kind: 'all' } });
    const before = fileStates(workshop.folder);
    const again = await build(workshop, { deltas: undefined });
    expect(notes(again, 'info')).toEqual(['delta policy all: as before']);
    expect(fileStates(workshop.folder)).toEqual(before);
  });

  it('that does not want published deltas any more warns of it', async () => {
    const workshop = await makeWorkshop(3);
    await build(workshop, { deltas: { kind: 'all' } });
    const run = await build(workshop, { deltas: { kind: 'neighbours' } });
    expect(notes(run)).toEqual(['3 published deltas are not wanted any more (policy neighbours, before all)']);
  });
});

describe('a build with one change', () => {
  it('reads a new image alone and makes the deltas that it brings', async () => {
    const workshop = await makeWorkshop(3);
    await build(workshop);
    const before = fileStates(workshop.mirrorDir);
    await addImages(workshop, [4]);

    const run = await build(workshop);
    expect(startedJobs(run)).toEqual([
      `delta ${dayDeltaPath(3, 4)}`,
      `delta ${dayDeltaPath(4, 3)}`,
      `examine ${dayImage(4)}`,
    ]);
    expect(run.summary).toMatchObject({ changed: true, examined: 1, deltasMade: 2 });
    expect(writtenIndexes(run)).toEqual([META, ...LISTS, 'index.json']);
    expectUntouched(workshop.mirrorDir, before, [dayImage(1), dayImage(2), dayImage(3), dayDeltaPath(1, 2)]);
    await expectAsFresh(workshop);
  });

  it('touches no other series', async () => {
    const workshop = await makeWorkshop(2);
    const stem = 'puavo-os-other-bookworm';
    await addImages(workshop, [1], { stem });
    await build(workshop);
    const before = fileStates(workshop.mirrorDir);
    await addImages(workshop, [2], { stem });

    const run = await build(workshop);
    expect(startedJobs(run)).toEqual([
      `delta ${dayDeltaPath(1, 2, stem)}`,
      `delta ${dayDeltaPath(2, 1, stem)}`,
      `examine ${dayImage(2, stem)}`,
    ]);
    expect(writtenIndexes(run)).toEqual([`meta/${stem}-amd64.json`, ...LISTS, 'index.json']);
    expectUntouched(workshop.mirrorDir, before, [META, dayImage(1), dayDeltaPath(1, 2), dayDeltaPath(2, 1)]);
    await expectAsFresh(workshop);
  });

  it('takes a removed image out of the indexes and leaves its files where they are', async () => {
    const workshop = await makeWorkshop(3);
    await build(workshop);
    await rm(join(workshop.imagesDir, dayImage(3)));

    const run = await build(workshop);
    expect(startedJobs(run)).toEqual([`delta ${dayDeltaPath(2, 1)}`]);
    expect(writtenIndexes(run)).toEqual([META, ...LISTS, 'index.json']);
    expect(readClaims(workshop.mirrorDir).broken).toEqual([]);
    expect([...readClaims(workshop.mirrorDir).named.keys()].sort()).toEqual([
      dayImage(1),
      dayImage(2),
      dayDeltaPath(1, 2),
      dayDeltaPath(2, 1),
    ]);
    expect(Object.keys(servedTree(workshop.mirrorDir))).toEqual(
      expect.arrayContaining([dayImage(3), dayDeltaPath(2, 3), dayDeltaPath(3, 2)]),
    );
    await expectAsFresh(workshop);
  });

  it('takes a removed series out of the indexes, its meta file too', async () => {
    const workshop = await makeWorkshop(1);
    const stem = 'puavo-os-other-bookworm';
    await addImages(workshop, [1], { stem });
    await build(workshop);
    await rm(join(workshop.imagesDir, dayImage(1, stem)));

    const run = await build(workshop);
    expect(startedJobs(run)).toEqual([]);
    expect(run.summary.changed).toBe(true);
    expect(notes(run)).toEqual([`meta/${stem}-amd64.json: removed: its series is not wanted any more`]);
    await expectAsFresh(workshop);
  });

  it('rewrites meta and nothing else for another base URL', async () => {
    const workshop = await makeWorkshop(2);
    await build(workshop);
    const before = fileStates(workshop.mirrorDir);

    const run = await build(workshop, { baseUrl: 'https://other.example.org/images' });
    expect(startedJobs(run)).toEqual([]);
    expect(writtenIndexes(run)).toEqual([META]);
    expect(run.summary.changed).toBe(true);
    const served = [dayImage(1), dayImage(2), dayDeltaPath(1, 2), dayDeltaPath(2, 1), ...LISTS, 'index.json'];
    expectUntouched(workshop.mirrorDir, before, served);
    await expectAsFresh(workshop, { baseUrl: 'https://other.example.org/images' });
  });

  it('makes what another delta policy adds, and drops what it takes away from the indexes', async () => {
    const workshop = await makeWorkshop(3);
    await build(workshop);
    const more = await build(workshop, { deltas: { kind: 'puavo' } });
    expect(startedJobs(more)).toEqual([
      `delta ${dayDeltaPath(1, 3)}`,
      `delta ${dayDeltaPath(2, 1)}`,
      `delta ${dayDeltaPath(3, 1)}`,
    ]);

    const fewer = await build(workshop, { deltas: { kind: 'latest', count: 1 } });
    expect(startedJobs(fewer)).toEqual([]);
    expect(writtenIndexes(fewer)).toEqual([META, 'CKSUMS', 'rdiffs/SHA256SUMS']);
    expect([...readClaims(workshop.mirrorDir).named.keys()]).toContain(dayDeltaPath(2, 3));
    expect([...readClaims(workshop.mirrorDir).named.keys()].filter((path) => path.startsWith('rdiffs/'))).toHaveLength(
      1,
    );

    const again = await build(workshop, { deltas: { kind: 'puavo' } });
    expect(startedJobs(again)).toEqual([]);
    await expectAsFresh(workshop, { deltas: { kind: 'puavo' } });
  });
});

function expectUntouched(folder: string, before: Record<string, string>, paths: readonly string[]): void {
  const after = fileStates(folder);
  for (const path of paths) {
    expect(before[path], path).toBeDefined();
    expect(after[path], path).toBe(before[path]);
  }
}
