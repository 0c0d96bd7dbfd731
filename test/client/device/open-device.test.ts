import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { freeBytes } from '../../../src/client/device/free-bytes.js';
import { mountSmallDisk } from '../../support/small-disk.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';
import { requireTools, skipLoudly } from '../../support/tools.js';
import { caught } from './support/caught.js';
import { dayImage, opened } from './support/device-directory.js';
import { deviceScript } from './support/device-process.js';

it('makes its private directory, and is for one at a time', async () => {
  const dir = await temporaryDirectory();
  const { device } = await opened(dir);
  expect(readdirSync(join(dir, '.update-repository')).sort()).toEqual(['lock', 'partial']);
  expect(await caught(opened(dir))).toMatchObject({
    code: 'LOCKED',
    message: expect.stringContaining(`held by process ${process.pid}`),
  });
  const { device: taker } = await opened(dir, { breakLock: true });
  await expect(device.assertMayGoOn()).rejects.toMatchObject({ code: 'LOCKED' });
  await taker.assertMayGoOn();
  await taker.close();
  await (await opened(dir)).device.close();
});

it('refuses what is no directory', async () => {
  const dir = await temporaryDirectory();
  writeFileSync(join(dir, 'file'), '');
  expect(await caught(opened(join(dir, 'file')))).toMatchObject({
    code: 'NOT_FOUND',
    message: `${join(dir, 'file')}: expected a directory of images, found something else`,
  });
  expect(await caught(opened(join(dir, 'none')))).toMatchObject({
    code: 'NOT_FOUND',
    message: expect.stringContaining(`${join(dir, 'none')}: cannot `),
  });
});

it('refuses a read-only file system with one clear line', async (context) => {
  const dir = await temporaryDirectory();
  const disk = mountSmallDisk(context, join(dir, 'disk'), 1_000_000);
  expect(spawnSync('mount', ['-o', 'remount,ro', disk.path]).status).toBe(0);
  expect(await caught(opened(disk.path))).toMatchObject({
    code: 'IO',
    message: `${disk.path}: cannot keep images in it: read-only file system`,
  });
});

it('refuses a directory that is not ours to write with one clear line', async (context) => {
  if (process.getuid?.() !== 0) skipLoudly(context, 'only root can become nobody');
  const dir = await temporaryDirectory();
  chmodSync(dir, 0o755);
  mkdirSync(join(dir, 'images'));
  const { status, stderr } = runOpen(join(dir, 'images'), [], { uid: 65534, gid: 65534 });
  expect({ status, stderr }).toEqual({
    status: 1,
    stderr: `IO ${join(dir, 'images')}: cannot keep images in it: permission denied\n`,
  });
  chownSync(join(dir, 'images'), 65534, 65534);
  expect(runOpen(join(dir, 'images'), [], { uid: 65534, gid: 65534 }).status).toBe(0);
});

it.each(['.update-repository', '.update-repository/partial'])('follows no symbolic link at %s', async (name) => {
  const [dir, elsewhere] = [await temporaryDirectory(), await temporaryDirectory()];
  if (name.includes('/')) mkdirSync(join(dir, '.update-repository'));
  symlinkSync(elsewhere, join(dir, name));
  expect(await caught(opened(dir))).toMatchObject({
    code: 'CONFIG',
    message: `${join(dir, name)}: expected a directory, found a symbolic link`,
  });
});

it.each([
  { name: 'a file', make: (path: string) => writeFileSync(path, ''), found: 'something else' },
  { name: 'a directory', make: (path: string) => mkdirSync(path), found: 'something else' },
  { name: 'a link out of it', make: (path: string) => symlinkSync(`/x/${dayImage(1)}`, path), found: 'a link to' },
  { name: 'a link to another file', make: (path: string) => symlinkSync('x', path), found: 'a link to x' },
])('leaves $name that is called current alone, and says so', async ({ make, found }) => {
  const dir = await temporaryDirectory();
  make(join(dir, 'current'));
  expect(await caught(opened(dir))).toMatchObject({
    code: 'CONFIG',
    message: expect.stringContaining(
      `${join(dir, 'current')}: expected a symbolic link to an image beside it, found ${found}`,
    ),
  });
});

it.for([
  { layout: 'plain', call: 'symlink', kind: 'symbolic links' },
  { layout: 'puavo', call: 'link', kind: 'hard links' },
])('tells at once of a file system without what the $layout layout needs', async ({ layout, call, kind }, context) => {
  requireTools(context, 'strace', 'flock');
  const dir = await temporaryDirectory();
  const trace = ['strace', '-f', '-qq', '-o', join(dir, 'log'), '-e', `inject=${call}:error=EPERM`];
  const { stderr } = runOpen(dir, trace, {}, layout);
  expect(stderr).toMatch(new RegExp(`^CONFIG .*expected a file system with ${kind}`));
  expect(readdirSync(join(dir, '.update-repository'))).toEqual(['partial']);
});

it('says how much room is left', async (context) => {
  const disk = mountSmallDisk(context, join(await temporaryDirectory(), 'disk'), 1_000_000);
  const { device } = await opened(disk.path);
  const before = await freeBytes(device);
  expect(before).toBeGreaterThan(900_000);
  writeFileSync(join(disk.path, 'file'), Buffer.alloc(400_000));
  expect(before - (await freeBytes(device))).toBeGreaterThanOrEqual(400_000);
});

/** Opens and closes a directory in a process of its own. */
function runOpen(dir: string, wrapper: readonly string[], user: { uid?: number; gid?: number }, layout = 'plain') {
  const [command = '', ...args] = [...wrapper, process.execPath, deviceScript, 'open', layout, dir];
  return spawnSync(command, args, { encoding: 'utf8', cwd: '/', ...user });
}
