import { existsSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readClaims } from '../support/mirror-claims.js';
import { servedTree } from '../support/served-tree.js';
import { caught } from './support/caught.js';
import { selectionOf } from './support/config.js';
import { eventsOf, notes, writtenIndexes } from './support/events.js';
import { expectAsFresh } from './support/fresh-build.js';
import { replaceByOlder } from './support/tamper.js';
import { addImages, build, dayDeltaPath, dayImage, makeWorkshop, SERIES, type Workshop } from './support/workshop.js';

describe('a build that keeps going', () => {
  it('publishes everything that a damaged image has no part in, reports it and counts it', async () => {
    const workshop = await makeWorkshop(4);
    writeFileSync(join(workshop.imagesDir, dayImage(1)), 'hsqs and nothing more');

    const run = await build(workshop, { keepGoing: true });
    expect(run.summary).toMatchObject({ failures: 1, examined: 4, deltasMade: 3 });
    expect(eventsOf(run, 'job-failed')).toMatchObject([
      { kind: 'examine', path: dayImage(1), error: { code: 'FORMAT' } },
    ]);
    expect(namedFiles(workshop)).toEqual([
      dayImage(2),
      dayImage(3),
      dayImage(4),
      dayDeltaPath(2, 3),
      dayDeltaPath(3, 4),
      dayDeltaPath(4, 3),
    ]);

    const again = await build(workshop, { keepGoing: true });
    expect(again.summary).toMatchObject({ failures: 1, examined: 1, deltasMade: 0 });
    expect(writtenIndexes(again)).toEqual([]);

    await addImages(workshop, [1]);
    expect((await build(workshop, { keepGoing: true })).summary.failures).toBe(0);
    await expectAsFresh(workshop);
  });

  it('keeps an image with its deltas as it was published when its file got other bytes, and publishes new ones', async () => {
    const workshop = await makeWorkshop(2);
    await build(workshop);
    replaceByOlder(join(workshop.imagesDir, dayImage(1)));
    const before = servedTree(workshop.mirrorDir);
    await addImages(workshop, [3]);

    const run = await build(workshop, { keepGoing: true });
    expect(run.summary).toMatchObject({ failures: 1 });
    expect(eventsOf(run, 'job-failed')).toMatchObject([{ path: dayImage(1), error: { code: 'NAME_REUSED' } }]);
    expect(namedFiles(workshop)).toEqual([
      dayImage(1),
      dayImage(2),
      dayImage(3),
      dayDeltaPath(1, 2),
      dayDeltaPath(2, 3),
      dayDeltaPath(3, 2),
    ]);
    expect(readClaims(workshop.mirrorDir).broken).toEqual([]);
    const after = servedTree(workshop.mirrorDir);
    for (const path of [dayImage(1), dayImage(2), dayDeltaPath(1, 2)]) expect(after[path]).toBe(before[path]);
  });

  it('does the rest when a listed image is missing, and keeps it published where it was', async () => {
    const workshop = await makeWorkshop(3);
    const selection = selectionOf(workshop, { [SERIES]: [1, 2, 3].map((day) => dayImage(day)) });
    rmSync(join(workshop.imagesDir, dayImage(3)));
    const first = await build(workshop, { keepGoing: true, selection });
    expect(first.summary.failures).toBe(1);
    expect(notes(first)).toEqual([`${dayImage(3)}: listed, and not in the image directory`]);
    expect(namedFiles(workshop)).toEqual([dayImage(1), dayImage(2), dayDeltaPath(1, 2)]);

    await addImages(workshop, [3]);
    await build(workshop, { keepGoing: true, selection });
    const served = servedTree(workshop.mirrorDir);
    renameSync(join(workshop.imagesDir, dayImage(2)), join(workshop.folder, 'away.img'));
    const second = await build(workshop, { keepGoing: true, selection });
    expect(second.summary).toMatchObject({ failures: 1 });
    expect(servedTree(workshop.mirrorDir)).toEqual(served);
  });
});

describe('a build that does not keep going', () => {
  it('stops before it does anything when listed images are missing, and names all of them', async () => {
    const workshop = await makeWorkshop(1);
    const selection = selectionOf(workshop, { [SERIES]: [1, 2, 3].map((day) => dayImage(day)) });
    const error = await caught(build(workshop, { selection }));
    expect(error).toMatchObject({ code: 'NOT_FOUND', data: { missing: [dayImage(2), dayImage(3)] } });
    expect(error.message).toBe(`${dayImage(2)}, ${dayImage(3)}: listed, and not in the image directory`);
    expect(error.hint).toContain('--keep-going');
    expect(existsSync(workshop.mirrorDir)).toBe(false);
  });

  it('stops at a missing image that was published, and changes nothing', async () => {
    const workshop = await makeWorkshop(2);
    const selection = selectionOf(workshop, { [SERIES]: [1, 2].map((day) => dayImage(day)) });
    await build(workshop, { selection });
    const served = servedTree(workshop.mirrorDir);
    rmSync(join(workshop.imagesDir, dayImage(1)));
    expect(await caught(build(workshop, { selection }))).toMatchObject({ code: 'NOT_FOUND' });
    expect(servedTree(workshop.mirrorDir)).toEqual(served);
  });

  it('publishes nothing new when one image is damaged', async () => {
    const workshop = await makeWorkshop(2);
    writeFileSync(join(workshop.imagesDir, dayImage(2)), 'hsqs and nothing more');
    expect(await caught(build(workshop))).toMatchObject({ code: 'FORMAT' });
    expect(namedFiles(workshop)).toEqual([]);
  });
});

function namedFiles({ mirrorDir }: Workshop): string[] {
  return [...readClaims(mirrorDir).named.keys()].sort();
}
