import { readdirSync, readlinkSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { activate } from '../../../src/client/device/activate.js';
import { rollback } from '../../../src/client/device/rollback.js';
import { notes } from '../../images/support/events.js';
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

/** A device on which the images of day 1 and day 2 became current one after the other. */
async function updatedDirectory(): Promise<string> {
  const dir = await temporaryDirectory();
  const { device } = await opened(dir);
  for (const day of [1, 2]) {
    addMade(dir, day);
    await activate(device, dayPublished(day), { hooks: NO_HOOKS, keep: null, protectedNames: new Set() });
  }
  await device.close();
  return dir;
}

it('makes the previous image current and the current one previous, and the same again', async () => {
  const dir = await updatedDirectory();
  const { device } = await opened(dir);
  expect(await rollback(device, NO_HOOKS)).toEqual({ current: dayImage(1), previous: dayImage(2) });
  expect([readlinkSync(join(dir, 'current')), readlinkSync(join(dir, 'previous'))]).toEqual([dayImage(1), dayImage(2)]);
  expect(await rollback(device, NO_HOOKS)).toEqual({ current: dayImage(2), previous: dayImage(1) });
  expect(textIn(dir, 'current')).toBe(dayBytes(2).toString());
});

it('runs the hooks, and goes nowhere when the first one fails', async () => {
  const dir = await updatedDirectory();
  const { device, events } = await opened(dir);
  const hooks = { ...NO_HOOKS, postActivate: 'echo "now $UPDATE_REPOSITORY_VERSION"' };
  expect(await caught(rollback(device, { ...hooks, preActivate: 'false' }))).toMatchObject({ code: 'HOOK' });
  expect(readlinkSync(join(dir, 'current'))).toBe(dayImage(2));
  await rollback(device, hooks);
  expect(notes({ events }, 'info')).toEqual(['post-activate: now 20240101060000']);
});

it('refuses when there is no previous image', async () => {
  const dir = await temporaryDirectory();
  addImage(dir, 1);
  symlinkSync(dayImage(1), join(dir, 'current'));
  const { device } = await opened(dir);
  const refusal = { code: 'NOT_FOUND', message: `${dir}: expected a previous image to go back to, found none` };
  expect(await caught(rollback(device, NO_HOOKS))).toMatchObject(refusal);
  symlinkSync(dayImage(1), join(dir, 'previous'));
  expect(await caught(rollback(device, NO_HOOKS))).toMatchObject(refusal);
});

it.each([
  { name: 'gone', spoil: (path: string) => rmSync(path), error: { code: 'NOT_FOUND', message: 'found no such image' } },
  {
    name: 'changed',
    spoil: (path: string) => writeFileSync(path, Buffer.alloc(dayBytes(1).length)),
    error: { code: 'VERIFICATION', message: 'found other bytes' },
  },
])('refuses when the previous image is $name', async ({ spoil, error }) => {
  const dir = await updatedDirectory();
  spoil(join(dir, dayImage(1)));
  const { device } = await opened(dir);
  expect(await caught(rollback(device, NO_HOOKS))).toMatchObject({
    code: error.code,
    message: expect.stringMatching(new RegExp(`^${join(dir, dayImage(1))}: .*${error.message}$`)),
  });
  expect(readlinkSync(join(dir, 'current'))).toBe(dayImage(2));
});

it('goes back from an image that is gone, and then has no previous one', async () => {
  const dir = await updatedDirectory();
  rmSync(join(dir, dayImage(2)));
  const { device } = await opened(dir);
  expect(await rollback(device, NO_HOOKS)).toEqual({ current: dayImage(1), previous: null });
  expect(readdirSync(dir).sort()).toEqual(['.update-repository', 'current', dayImage(1)]);
});

it('reads a previous image again whose state has changed, and takes one that it never saw with a warning', async () => {
  const dir = await updatedDirectory();
  utimesSync(join(dir, dayImage(1)), 1, 1);
  const { device, events } = await opened(dir);
  await rollback(device, NO_HOOKS);
  expect(notes({ events })).toEqual([]);
  await device.close();
  rmSync(join(dir, '.update-repository', 'images.json'));
  const { device: forgetful, events: later } = await opened(dir);
  await rollback(forgetful, NO_HOOKS);
  expect(notes({ events: later })).toEqual([expect.stringContaining(`${dayImage(2)}: was never compared`)]);
  expect(readdirSync(dir)).toContain('previous');
});
