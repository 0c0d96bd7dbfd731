import { chmodSync, linkSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { servedTree } from '../support/served-tree.js';
import { notes, startedJobs, writtenIndexes } from './support/events.js';
import { fileStates } from './support/file-states.js';
import { replaceBySame } from './support/tamper.js';
import { build, dayDeltaPath, dayImage, makeWorkshop, type Workshop } from './support/workshop.js';

type Touch = (workshop: Workshop) => void;

const touches: readonly [name: string, link: 'hard' | 'copy', touch: Touch][] = [
  ['an image got another hard link', 'hard', (shop) => linkSync(image(shop), join(shop.folder, 'link.img'))],
  ['an image got other permissions', 'hard', (shop) => chmodSync(image(shop), 0o664)],
  ['an image got another mtime', 'hard', (shop) => utimesSync(image(shop), 1, 1)],
  ['an image was replaced by one of the same bytes', 'hard', (shop) => replaceBySame(image(shop))],
  ['a copied image got other permissions', 'copy', (shop) => chmodSync(image(shop), 0o664)],
  ['the copy of an image got another mtime', 'copy', (shop) => utimesSync(join(shop.mirrorDir, dayImage(1)), 1, 1)],
];

describe('a build after', () => {
  it.each(touches)('%s (%s) reads it again and changes no index', async (_, link, touch) => {
    const workshop = await makeWorkshop(2);
    await build(workshop, { link });
    const served = servedTree(workshop.mirrorDir);
    touch(workshop);

    const run = await build(workshop, { link });
    expect(startedJobs(run)).toEqual([`examine ${dayImage(1)}`]);
    expect(writtenIndexes(run)).toEqual([]);
    expect(notes(run)).toEqual([]);
    expect(run.summary.failures).toBe(0);
    expect(servedTree(workshop.mirrorDir)).toEqual(served);
    await expectAtRest(workshop, link);
  });

  it('a delta got other permissions applies it again and changes no index', async () => {
    const workshop = await makeWorkshop(2);
    await build(workshop);
    chmodSync(join(workshop.mirrorDir, dayDeltaPath(1, 2)), 0o664);

    const run = await build(workshop);
    expect(startedJobs(run)).toEqual([`check-delta ${dayDeltaPath(1, 2)}`]);
    expect(writtenIndexes(run)).toEqual([]);
    expect(run.summary.deltasMade).toBe(0);
    await expectAtRest(workshop, 'hard');
  });
});

function image({ imagesDir }: Workshop): string {
  return join(imagesDir, dayImage(1));
}

/** What was learnt is remembered: the next build has nothing to do. */
async function expectAtRest(workshop: Workshop, link: 'hard' | 'copy'): Promise<void> {
  const before = fileStates(workshop.folder);
  expect((await build(workshop, { link })).summary.changed).toBe(false);
  expect(fileStates(workshop.folder)).toEqual(before);
}
