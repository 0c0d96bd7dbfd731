import { readFileSync } from 'node:fs';
import { cp } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';
import { addImages, makeWorkshop, type Workshop } from '../images/support/workshop.js';
import { projectRoot, runCli } from './run.js';

const ENV = { UPDATE_REPOSITORY_PASSPHRASE: 'correct horse battery staple' };
const TIMEOUT_MS = 300_000;

/** Runs it, which has to end well, and gives what it printed. */
async function done(...args: readonly string[]): Promise<string> {
  const { stdout, stderr, code } = await runCli(args, ENV);
  expect({ args, code, stderr }).toMatchObject({ code: 0 });
  return stdout + stderr;
}

/** A workshop with keys beside it, whose mirror is not built yet. */
async function workshopWithKeys(): Promise<Workshop & { readonly keys: string }> {
  const workshop = await makeWorkshop(1);
  const keys = join(workshop.folder, 'keys');
  await done('key', 'init', keys);
  return { ...workshop, keys };
}

function timestampOf({ mirrorDir }: Workshop) {
  return JSON.parse(readFileSync(join(mirrorDir, 'metadata', 'timestamp.json'), 'utf8')).signed;
}

describe('the directory of keys', () => {
  it(
    'is remembered as --sign names it, until --no-sign ends that',
    async () => {
      const workshop = await workshopWithKeys();
      const { imagesDir, mirrorDir, keys, folder } = workshop;
      // The program runs in the project's directory: the next run may be anywhere else.
      await done('--sign', relative(projectRoot, keys), imagesDir, mirrorDir);
      await addImages(workshop, [2]);
      expect(await done(imagesDir, mirrorDir)).toContain(`signed with the keys in ${keys}: as before`);
      expect(timestampOf(workshop).version).toBe(2);
      await done('verify', '--trust', join(keys, '1.root.json'), mirrorDir);
      expect(await runCli(['verify', '--trust', join(keys, '1.targets.json'), mirrorDir])).toMatchObject({ code: 3 });
      expect(await done('refresh', mirrorDir)).toContain('up to date, nothing signed');

      const others = join(folder, 'others');
      await cp(keys, others, { recursive: true });
      await done('refresh', '--sign', others, mirrorDir);
      expect(await done(imagesDir, mirrorDir)).toContain(`signed with the keys in ${others}: as before`);

      await done('--no-sign', imagesDir, mirrorDir);
      expect(await runCli(['refresh', mirrorDir], ENV)).toMatchObject({
        code: 2,
        stderr: expect.stringContaining('expected keys to sign it with, found none'),
      });
      await addImages(workshop, [3]);
      expect(await runCli([imagesDir, mirrorDir], ENV)).toMatchObject({
        code: 2,
        stderr: expect.stringContaining('--sign'),
      });
    },
    TIMEOUT_MS,
  );
});

describe('lifetimes', () => {
  it(
    'of root and targets hold for new keys and for those that take their place',
    async () => {
      const workshop = await makeWorkshop(1);
      const { mirrorDir } = workshop;
      const keys = join(workshop.folder, 'keys');
      const daysOf = (name: string) => {
        const { expires } = JSON.parse(readFileSync(join(mirrorDir, 'metadata', name), 'utf8')).signed;
        return Math.round((Date.parse(expires) - Date.now()) / 86_400_000);
      };
      await done('key', 'init', '--mirror', mirrorDir, '--expires', 'root=730d,targets=400d', keys);
      expect([daysOf('1.root.json'), daysOf('1.targets.json')]).toEqual([730, 400]);
      await done('key', 'rotate', '--role', 'timestamp', '--mirror', mirrorDir, keys);
      expect(daysOf('2.root.json')).toBe(730);
      await done('key', 'rotate', '--role', 'snapshot', '--mirror', mirrorDir, '--expires', 'root=500d', keys);
      expect(daysOf('3.root.json')).toBe(500);
    },
    TIMEOUT_MS,
  );
});
