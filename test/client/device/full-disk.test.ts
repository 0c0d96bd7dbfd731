import { statfsSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { activate } from '../../../src/client/device/activate.js';
import { rollback } from '../../../src/client/device/rollback.js';
import { mountSmallDisk } from '../../support/small-disk.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';
import { caught } from './support/caught.js';
import {
  addImage,
  addMade,
  dayBytes,
  dayImage,
  dayPublished,
  NO_HOOKS,
  opened,
  textIn,
} from './support/device-directory.js';

const PAGE = 4096;
const AMPLE = 2_000_000;
const keepAll = { hooks: NO_HOOKS, keep: null, protectedNames: new Set<string>() };

/** Fills what is left of a disk but for so many pages. */
function fill(dir: string, pages: number): void {
  const { bavail, bsize } = statfsSync(dir);
  writeFileSync(join(dir, 'ballast'), Buffer.alloc(bavail * bsize - pages * PAGE));
}

// What an activation needs are a few pages for its records: the image itself is on the disk already.
test.for([0, 1, 2, 3, 4])(
  'a disk with %i pages left ends in one clear error or in success, and the old image is whole',
  async (pages, context) => {
    const disk = mountSmallDisk(context, join(await temporaryDirectory(), 'disk'), AMPLE);
    const dir = disk.path;
    addImage(dir, 1);
    symlinkSync(dayImage(1), join(dir, 'current'));
    addMade(dir, 2);
    await (await opened(dir)).device.close();
    const { device } = await opened(dir);
    fill(dir, pages);
    const outcome = await outcomeOf(activate(device, dayPublished(2), keepAll));
    await device.close();
    expect(pages === 0 ? ['NO_SPACE'] : ['done', 'NO_SPACE']).toContain(outcome);
    const current = outcome === 'done' ? 2 : 1;
    expect(textIn(dir, 'current')).toBe(dayBytes(current).toString());
    // Nothing of the new image was lost.
    disk.resize(2 * AMPLE);
    const next = await opened(dir);
    await activate(next.device, dayPublished(2), keepAll);
    expect(textIn(dir, 'current')).toBe(dayBytes(2).toString());
    expect(await rollback(next.device, NO_HOOKS)).toEqual({ current: dayImage(1), previous: dayImage(2) });
  },
);

test('a disk that is full as the directory is opened gives one clear error', async (context) => {
  const disk = mountSmallDisk(context, join(await temporaryDirectory(), 'disk'), AMPLE);
  fill(disk.path, 0);
  expect(await caught(opened(disk.path))).toMatchObject({
    code: 'NO_SPACE',
    message: expect.stringContaining(disk.path),
  });
});

async function outcomeOf(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => 'done',
    (error: unknown) => (error instanceof Error && 'code' in error ? String(error.code) : String(error)),
  );
}
