import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { readClaims } from '../support/mirror-claims.js';
import { pseudoRandomBytes } from '../support/pseudo-random.js';
import { eventsOf, startedJobs } from './support/events.js';
import { fileStates } from './support/file-states.js';
import { expectAsFresh } from './support/fresh-build.js';
import { addImages, build, dayDeltaPath, dayImage, makeWorkshop, type Workshop } from './support/workshop.js';

const DELTA = dayDeltaPath(1, 2);
const LATEST = { kind: 'latest', count: 1 } as const;

it('a delta nearly as big as its target is not published, and the verdict is remembered', async () => {
  const workshop = await makeWorkshop(1);
  // The second image has nothing in common with the first.
  await addImages(workshop, [2], { seed: 'another' });
  const run = await build(workshop, { deltas: LATEST });
  expect(startedJobs(run)).toContain(`delta ${DELTA}`);
  expect(eventsOf(run, 'job-finished').find(({ path }) => path === DELTA)).toMatchObject({
    sizeBytes: null,
    detail: 'not published: more than 80.0 % of the image',
  });
  expect(run.summary.series).toMatchObject([{ images: 2, deltas: 0, deltasTooLarge: 1, savedBytes: 0 }]);
  expect(namedDeltas(workshop)).toEqual([]);

  const before = fileStates(workshop.folder);
  const second = await build(workshop, { deltas: LATEST });
  expect(second.summary).toMatchObject({ changed: false, series: [{ deltasTooLarge: 1 }] });
  expect(fileStates(workshop.folder)).toEqual(before);

  const lower = await build(workshop, { deltas: LATEST, maxDeltaRatio: 0.5 });
  expect(lower.summary.changed).toBe(false);

  const higher = await build(workshop, { deltas: LATEST, maxDeltaRatio: 1.2 });
  expect(startedJobs(higher)).toEqual([`delta ${DELTA}`]);
  expect(namedDeltas(workshop)).toEqual([DELTA]);
});

it('an image that is overwritten after it was hashed is not taken for one whose delta is too large', async () => {
  const workshop = await makeWorkshop(2);
  const image = join(workshop.imagesDir, dayImage(2));
  const bytes = readFileSync(image);
  const overwrite = () => writeFileSync(image, pseudoRandomBytes('other', bytes.length), { flag: 'r+' });
  const run = build(workshop, {
    deltas: LATEST,
    link: 'hard',
    onEvent: (event) => event.type === 'job-started' && event.kind === 'delta' && overwrite(),
  });
  await expect(run).rejects.toMatchObject({ code: 'CHANGED_WHILE_READ' });
  writeFileSync(image, bytes, { flag: 'r+' });
  const again = await build(workshop, { deltas: LATEST, link: 'hard' });
  expect(again.summary.series).toMatchObject([{ images: 2, deltas: 1, deltasTooLarge: 0 }]);
});

it('a lower ratio drops a delta from the indexes and a higher one names it again, without making it again', async () => {
  const workshop = await makeWorkshop(2);
  await build(workshop, { deltas: LATEST });
  const targetBytes = statSync(join(workshop.mirrorDir, dayImage(2))).size;
  const ratio = statSync(join(workshop.mirrorDir, DELTA)).size / targetBytes;
  expect(ratio).toBeLessThan(0.3);

  const lower = await build(workshop, { deltas: LATEST, maxDeltaRatio: ratio - 0.001 });
  expect(startedJobs(lower)).toEqual([]);
  expect(lower.summary.series).toMatchObject([{ deltas: 0, deltasTooLarge: 1 }]);
  expect(namedDeltas(workshop)).toEqual([]);
  expect((await build(workshop, { deltas: LATEST, maxDeltaRatio: ratio - 0.001 })).summary.changed).toBe(false);

  const higher = await build(workshop, { deltas: LATEST });
  expect(startedJobs(higher)).toEqual([]);
  expect(namedDeltas(workshop)).toEqual([DELTA]);
  await expectAsFresh(workshop, { deltas: LATEST });
});

it('a delta of just the largest size is published', async () => {
  const workshop = await makeWorkshop(2);
  await build(workshop, { deltas: LATEST });
  const [deltaBytes, targetBytes] = [DELTA, dayImage(2)].map((path) => statSync(join(workshop.mirrorDir, path)).size);
  const exact = ((deltaBytes ?? 0) + 0.5) / (targetBytes ?? 1);
  const tight = { ...workshop, mirrorDir: join(workshop.folder, 'tight') };
  await build(tight, { deltas: LATEST, maxDeltaRatio: exact });
  expect(namedDeltas(tight)).toEqual([DELTA]);
  const tighter = { ...workshop, mirrorDir: join(workshop.folder, 'tighter') };
  await build(tighter, { deltas: LATEST, maxDeltaRatio: exact - 1 / (targetBytes ?? 1) });
  expect(namedDeltas(tighter)).toEqual([]);
});

function namedDeltas({ mirrorDir }: Workshop): string[] {
  return [...readClaims(mirrorDir).named.keys()].filter((path) => path.startsWith('rdiffs/'));
}
