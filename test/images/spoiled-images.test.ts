import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readClaims } from '../support/mirror-claims.js';
import { servedTree } from '../support/served-tree.js';
import { caught } from './support/caught.js';
import { editInPlace } from './support/tamper.js';
import { build, dayDeltaPath, dayImage, makeWorkshop, verify, type Workshop } from './support/workshop.js';

/** An image that is edited where it lies is edited in the mirror as well, where that has a hard link. */
describe('an image that was edited through its hard link', () => {
  it('is named by no index any more, and published as before once its bytes are back', async () => {
    const workshop = await makeWorkshop(2);
    await build(workshop, { link: 'hard' });
    const served = servedTree(workshop.mirrorDir);
    editInPlace(join(workshop.imagesDir, dayImage(2)));
    for (let attempt = 1; attempt <= 2; attempt++) {
      expect(await caught(build(workshop))).toMatchObject({ code: 'NAME_REUSED', data: { path: dayImage(2) } });
      expect(named(workshop)).toEqual([dayImage(1)]);
    }
    expect((await verify(workshop)).summary.errors).toBe(0);

    // The same byte turned round once more.
    editInPlace(join(workshop.imagesDir, dayImage(2)));
    await build(workshop);
    expect(servedTree(workshop.mirrorDir)).toEqual(served);
  });

  it('takes the deltas from and to it along, while everything else stays published and goes on', async () => {
    const workshop = await makeWorkshop(4);
    await build(workshop, { link: 'hard' });
    editInPlace(join(workshop.imagesDir, dayImage(1)));
    const run = await build(workshop, { link: 'hard', keepGoing: true });
    expect(run.summary).toMatchObject({ failures: 1, deltasMade: 0 });
    expect(named(workshop)).toEqual([
      dayImage(2),
      dayImage(3),
      dayImage(4),
      dayDeltaPath(2, 3),
      dayDeltaPath(3, 4),
      dayDeltaPath(4, 3),
    ]);
  });

  it('is not kept either when its own file is gone', async () => {
    const workshop = await makeWorkshop(2);
    await build(workshop, { link: 'hard' });
    const image = join(workshop.imagesDir, dayImage(2));
    editInPlace(image);
    rmSync(image);
    await build(workshop);
    expect(named(workshop)).toEqual([dayImage(1)]);
  });
});

function named({ mirrorDir }: Workshop): string[] {
  const { broken, named: files } = readClaims(mirrorDir);
  expect(broken).toEqual([]);
  return [...files.keys()].sort();
}
