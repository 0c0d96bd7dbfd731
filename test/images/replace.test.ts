import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readClaims } from '../support/mirror-claims.js';
import { servedTree } from '../support/served-tree.js';
import { validityWatch } from './support/always-valid.js';
import { selectionOf } from './support/config.js';
import { notes, startedJobs } from './support/events.js';
import { expectAsFresh } from './support/fresh-build.js';
import { editInPlace, replaceByOlder } from './support/tamper.js';
import {
  addImages,
  build,
  dayDeltaPath,
  dayImage,
  makeWorkshop,
  SERIES,
  STEM,
  verify,
  type Workshop,
} from './support/workshop.js';

const NAME = dayImage(2);

describe('a build that may replace published names', () => {
  it('publishes the new bytes, makes the deltas that touch them again, and the mirror is valid all the while', async () => {
    const workshop = await makeWorkshop(4);
    await build(workshop);
    const before = servedTree(workshop.mirrorDir);
    replaceByOlder(image(workshop));

    const { onEvent, seen } = validityWatch(workshop.mirrorDir);
    const run = await build(workshop, { replace: true, onEvent });
    expect(run.summary).toMatchObject({ changed: true, failures: 0 });
    expect(notes(run)).toEqual([
      `${NAME}: replaced under its published name: clients may hold the old bytes, and deltas will not apply to those`,
    ]);
    expect(startedJobs(run).filter((job) => job.startsWith('delta'))).toEqual([
      `delta ${dayDeltaPath(1, 2)}`,
      `delta ${dayDeltaPath(2, 3)}`,
    ]);
    const gone = [NAME, dayDeltaPath(1, 2), dayDeltaPath(2, 3)];
    const withdrawn = seen.find((names) => gone.every((path) => !names.includes(path)));
    expect(withdrawn).toEqual([dayImage(1), dayImage(3), dayImage(4), dayDeltaPath(3, 4), dayDeltaPath(4, 3)].sort());
    expect(servedTree(workshop.mirrorDir)[NAME]).not.toBe(before[NAME]);
    expect((await verify(workshop, { deep: true })).summary).toMatchObject({ errors: 0, warnings: 0 });
    await expectAsFresh(workshop);
    expect((await build(workshop, { replace: true })).summary.changed).toBe(false);
  });

  it('heals the mirror whose hard-linked image was edited where it lies', async () => {
    const workshop = await makeWorkshop(2);
    await build(workshop, { link: 'hard' });
    editInPlace(image(workshop));
    expect(readClaims(workshop.mirrorDir).broken).not.toEqual([]);

    await build(workshop, { replace: true });
    expect(readClaims(workshop.mirrorDir).broken).toEqual([]);
    expect(readFileSync(join(workshop.mirrorDir, NAME))).toEqual(readFileSync(image(workshop)));
    await expectAsFresh(workshop);
  });

  it('replaces all images at once', async () => {
    const workshop = await makeWorkshop(2);
    await build(workshop);
    replaceByOlder(image(workshop));
    replaceByOlder(join(workshop.imagesDir, dayImage(1)));
    const { onEvent, seen } = validityWatch(workshop.mirrorDir);
    await build(workshop, { replace: true, onEvent });
    expect(seen).toContainEqual([]);
    await expectAsFresh(workshop);
  });

  it('makes the deltas from a base that is not published again when its bytes change', async () => {
    const workshop = await makeWorkshop(2);
    const selection = await selectionWithBase(workshop);
    await build(workshop, { selection });
    replaceByOlder(join(workshop.imagesDir, BASE));

    const { onEvent } = validityWatch(workshop.mirrorDir);
    const run = await build(workshop, { selection, onEvent });
    expect(startedJobs(run)).toEqual([`check-delta ${BASE_DELTA}`, `delta ${BASE_DELTA}`, `examine ${BASE}`]);
    await expectAsFresh(workshop, { selection });
  });

  it('leaves the image out when it vanishes between its withdrawal and its new publication', async () => {
    const workshop = await makeWorkshop(3);
    await build(workshop);
    replaceByOlder(image(workshop));
    let examined = 0;
    const watch = validityWatch(workshop.mirrorDir);
    const run = await build(workshop, {
      replace: true,
      keepGoing: true,
      onEvent(event) {
        watch.onEvent(event);
        if (event.type === 'job-started' && event.path === NAME && ++examined === 2) rmSync(image(workshop));
      },
    });
    expect(run.summary.failures).toBe(1);
    expect(watch.seen.at(-1)).toEqual([dayImage(1), dayImage(3)]);
  });

  it('does nothing else than other builds where no name has other bytes', async () => {
    const workshop = await makeWorkshop(2);
    await build(workshop, { replace: true });
    await expectAsFresh(workshop);
    expect((await build(workshop, { replace: true })).summary.changed).toBe(false);
  });
});

const BASE_STEM = 'puavo-os-acme-bullseye';
const BASE = dayImage(1, BASE_STEM);
const BASE_DELTA = `rdiffs/${BASE_STEM}-2024-01-01-060000--2024-01-02-060000-amd64.rdiff`;

/** A configuration by which the second image has a delta from an image of another distribution as well. */
async function selectionWithBase(workshop: Workshop) {
  await addImages(workshop, [1], { stem: BASE_STEM, seed: STEM });
  return selectionOf(workshop, {
    [SERIES]: { images: [dayImage(1), dayImage(2)], extra_rdiffs: { [dayImage(2)]: [BASE] } },
  });
}

function image({ imagesDir }: Workshop): string {
  return join(imagesDir, NAME);
}
