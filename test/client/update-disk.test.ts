import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync, rmSync, statfsSync, truncateSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import type { JobKind, RepositoryEvent } from '../../src/events.js';
import { runCli } from '../cli/run.js';
import { mountSmallDisk } from '../support/small-disk.js';
import { temporaryDirectory, temporaryDirectoryOfSuite } from '../support/temporary-directory.js';
import { haveTools, type Skippable } from '../support/tools.js';
import { startFaultyServer } from './support/faulty-server.js';
import {
  type BuiltMirror,
  buildMirrorOf,
  currentBytes,
  deviceWith,
  filesOf,
  updateTo,
  versionIn,
} from './support/updates.js';

const IMAGE_BYTES = 3_000_000;
const AMPLE = 5 * IMAGE_BYTES;

describe.skipIf(!haveTools('cksum'))('an update', () => {
  const dir = temporaryDirectoryOfSuite();
  let mirror: BuiltMirror;
  let files: ReadonlyMap<string, Buffer>;

  beforeAll(async () => {
    mirror = await buildMirrorOf(3, dir, 'neighbours', IMAGE_BYTES);
    files = filesOf(mirror);
  });

  const image = (index: number) => String(mirror.images[index]);
  const version = (index: number) => versionIn(image(index));

  /** A device on a disk of its own that has one of the images, and the mirror. */
  async function deviceOnDisk(context: Skippable, index: number, sizeBytes = AMPLE) {
    const disk = mountSmallDisk(context, join(await temporaryDirectory(), 'disk'), sizeBytes);
    const device = await deviceWith(disk.path, image(index));
    return { device, disk, ...(await served()) };
  }

  async function served() {
    const server = await startFaultyServer({ files, random: () => 0.5 });
    return { server, source: { urls: [server.url] } };
  }

  /** Does something once, as a job of that kind begins. */
  function asBegins(kind: JobKind, act: () => void) {
    let isDone = false;
    return (event: RepositoryEvent) => {
      if (isDone || event.type !== 'job-started' || event.kind !== kind) return;
      isDone = true;
      act();
    };
  }

  describe('on a disk', () => {
    test('without the room for the image is not begun', async (context) => {
      const { device, server } = await deviceOnDisk(context, 1, IMAGE_BYTES * 1.5);
      const { code, stderr } = await runCli(['update', '--connection', 'unmetered', server.url, device]);
      expect(code, stderr).toBe(6);
      expect(
        stderr
          .trim()
          .split('\n')
          .filter((line) => /free|room|space/.test(line)),
      ).not.toEqual([]);
      expect(server.served.filter(({ url }) => /\.(img|rdiff)$/.test(url))).toEqual([]);
      expect(currentBytes(device).equals(readFileSync(image(1)))).toBe(true);
    });

    test.for(['download', 'patch'] as const)('that gets full in the %s goes on from there', async (kind, context) => {
      const { device, disk, source } = await deviceOnDisk(context, 0);
      const fill = asBegins(kind, () => {
        const { bavail, bsize } = statfsSync(device);
        const leftBytes = kind === 'patch' ? IMAGE_BYTES / 2 : 0;
        writeFileSync(join(device, 'ballast'), Buffer.alloc(bavail * bsize - leftBytes));
      });
      const policy = { fallback: 'never' } as const;
      const full = updateTo(version(2), device, source, { policy, onEvent: fill });
      await expect(full).rejects.toMatchObject({ code: 'NO_SPACE', message: expect.stringContaining(disk.path) });
      expect(currentBytes(device).equals(readFileSync(image(0)))).toBe(true);
      rmSync(join(device, 'ballast'));
      const { summary } = await updateTo(version(2), device, source, { policy });
      expect(currentBytes(device).equals(readFileSync(image(2)))).toBe(true);
      expect(summary.fetchedBytes).toBe(summary.plannedBytes);
      // What led to the image between is here already where the image was being made.
      const deltas = [...files].filter(([path]) => path.endsWith('.rdiff')).map(([, bytes]) => bytes.length);
      const allBytes = deltas.reduce((sum, bytes) => sum + bytes, 0);
      if (kind === 'patch') expect(summary.fetchedBytes).toBeLessThanOrEqual(allBytes - Math.min(...deltas));
    });

    test('that cannot be written is told in one line', async (context) => {
      const { device, server } = await deviceOnDisk(context, 1);
      execFileSync('mount', ['-o', 'remount,ro', device]);
      const { code, stderr } = await runCli(['update', '--connection', 'unmetered', server.url, device]);
      expect(code, stderr).toBe(1);
      expect(stderr).toContain(device);
      expect(
        stderr
          .trim()
          .split('\n')
          .filter((line) => line.includes('read-only')),
      ).toHaveLength(1);
      expect(server.served).toEqual([]);
      expect(readdirSync(device).sort()).toEqual([basename(image(1)), 'current'].sort());
    });
  });

  describe('whose base changed', () => {
    const damage = (path: string) => {
      const bytes = readFileSync(path);
      bytes[bytes.length >> 1]! ^= 1;
      writeFileSync(path, bytes);
    };

    async function deviceAt(index: number) {
      const device = await deviceWith(join(await temporaryDirectory(), 'device'), image(index));
      return { device, base: join(device, basename(image(index))), ...(await served()) };
    }

    test.each([
      ['has other bytes', damage, 'sha256'],
      ['is cut', (path: string) => truncateSync(path, 1000), '1000 bytes'],
    ])('before it and %s does not use it, and says so', async (_, change, told) => {
      const { device, base, source, server } = await deviceAt(1);
      change(base);
      const before = readFileSync(base);
      const notes: string[] = [];
      const onEvent = (event: RepositoryEvent) => void (event.type === 'note' && notes.push(event.message));
      const refused = updateTo(version(2), device, source, { policy: { fallback: 'never' }, onEvent });
      await expect(refused).rejects.toMatchObject({ code: 'CONFIG' });
      expect(notes).toEqual([expect.stringContaining(told)]);
      expect(server.served.filter(({ url }) => url.endsWith('.rdiff'))).toEqual([]);
      expect([readlinkSync(join(device, 'current')), readFileSync(base).equals(before)]).toEqual([
        basename(base),
        true,
      ]);
      await updateTo(version(2), device, source);
      expect(currentBytes(device).equals(readFileSync(image(2)))).toBe(true);
    });

    test.each([
      ['while it is used', 1, 'patch'],
      ['while a delta comes', 0, 'download'],
    ] as const)('%s does not end in another image', async (_, index, kind) => {
      const { device, base, source } = await deviceAt(index);
      const onEvent = asBegins(kind, () => damage(base));
      const refused = updateTo(version(2), device, source, { policy: { fallback: 'never' }, onEvent });
      await expect(refused).rejects.toMatchObject({
        code: expect.stringMatching(/^(VERIFICATION|CHANGED_WHILE_READ)$/),
        message: expect.stringContaining(basename(base)),
      });
      expect(readlinkSync(join(device, 'current'))).toBe(basename(base));
      await updateTo(version(2), device, source);
      expect(currentBytes(device).equals(readFileSync(image(2)))).toBe(true);
    });

    test('and is what it is to stay at has it anew, whatever else is new', async () => {
      const { device, base, source } = await deviceAt(2);
      damage(base);
      const kept = await updateTo(version(2), device, source, { policy: { fallback: 'never' } }).catch(
        (error) => error,
      );
      expect(kept).toMatchObject({ code: 'CONFIG' });
      const { summary } = await updateTo(version(2), device, source);
      expect(summary).toMatchObject({ to: version(2), changed: true, reason: 'was damaged on this device' });
      expect(currentBytes(device).equals(readFileSync(image(2)))).toBe(true);
      const again = await updateTo(version(2), device, source);
      expect(again.summary).toMatchObject({ changed: false, fetchedBytes: 0 });
    });

    test('while it is used takes another way where there is one', async () => {
      const { device, base, source } = await deviceAt(1);
      await updateTo(version(2), device, source, { onEvent: asBegins('patch', () => damage(base)) });
      expect(currentBytes(device).equals(readFileSync(image(2)))).toBe(true);
    });
  });
});
