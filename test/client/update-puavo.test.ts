import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, linkSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { PuavoPlaces } from '../../src/client/device/puavo/puavo-layout.js';
import { policyOf } from '../../src/client/policy/policy.js';
import { checkDevice } from '../../src/client/update.js';
import { parseImageVersion } from '../../src/metadata/brands.js';
import { temporaryDirectory, temporaryDirectoryOfSuite } from '../support/temporary-directory.js';
import { haveTools } from '../support/tools.js';
import { startFaultyServer } from './support/faulty-server.js';
import { type BuiltMirror, buildMirrorOf, filesOf, updateTo, versionIn } from './support/updates.js';

const PATIENCE = {
  attempts: 2,
  firstPauseMs: 1,
  limits: { answerTimeoutMs: 2_000, textTimeoutMs: 5_000, pace: { bytesPerSecond: 1, windowMs: 5_000 } },
};

describe.skipIf(!haveTools('flock', 'cksum'))("an update of Puavo's layout", () => {
  const dir = temporaryDirectoryOfSuite();
  let mirror: BuiltMirror;
  let files: ReadonlyMap<string, Buffer>;

  beforeAll(async () => {
    mirror = await buildMirrorOf(4, dir, 'neighbours', 120_000);
    files = filesOf(mirror);
  });

  /** A laptop that has images of the mirror, of which one is booted and one is current. */
  async function laptop({ booted, current = booted }: { readonly booted: number; readonly current?: number }) {
    const device = join(await temporaryDirectory(), 'images');
    mkdirSync(device);
    for (const image of new Set([booted, current])) {
      writeFileSync(join(device, nameOf(image)), readFileSync(String(mirror.images[image])));
    }
    linkSync(join(device, nameOf(current)), join(device, 'ltsp.img'));
    const puavoPlaces: PuavoPlaces = {
      bootedName: join(device, '..', 'name'),
      managedImages: join(device, '..', 'images.json'),
      runPreinst: false,
    };
    writeFileSync(puavoPlaces.bootedName, `${nameOf(booted)}\n`);
    const server = await startFaultyServer({ files, random: () => 0.5 });
    const source = { urls: [server.url], patience: PATIENCE };
    const place = { dir: device, layout: 'puavo', puavoPlaces } as const;
    const update = (image: number, options: Parameters<typeof updateTo>[3] = {}) =>
      updateTo(versionIn(String(mirror.images[image])), device, source, { device: place, ...options });
    return { device, place, source, server, update };
  }

  const nameOf = (image: number) => basename(String(mirror.images[image]));
  const sameFile = (device: string, ...names: string[]) =>
    new Set(names.map((name) => statSync(join(device, name)).ino)).size === 1;
  const stats = (device: string) => readFileSync(join(device, 'image_update.stats'), 'utf8');

  test('leads to hard links, the last phase, and labels for grub', async () => {
    const { device, update } = await laptop({ booted: 1 });
    const { summary } = await update(3);
    expect(summary).toMatchObject({ changed: true, from: versionIn(nameOf(1)), to: versionIn(nameOf(3)) });
    expect(readFileSync(join(device, 'ltsp.img')).equals(readFileSync(String(mirror.images[3])))).toBe(true);
    expect(sameFile(device, 'ltsp.img', nameOf(3))).toBe(true);
    expect(sameFile(device, 'ltsp-backup.img', nameOf(1))).toBe(true);
    expect(stats(device)).toBe(`image ${nameOf(3)}\nphase finished\nprogress 100\n`);
    expect(readdirSync(device)).toContain(nameOf(3).replace('.img', '.default'));
    expect(spawnSync('flock', ['-nx', join(device, '.image_updates_lock'), 'true']).status).toBe(0);
    await update(3);
    expect(stats(device)).toBe(`image ${nameOf(3)}\nphase uptodate\nprogress 100\n`);
  });

  test('tells the phases that it goes through', async () => {
    const { device, update } = await laptop({ booted: 1 });
    const phasesAt: string[] = [];
    await update(3, {
      onEvent: (event) => {
        if (event.type === 'job-started' && event.kind !== 'digest') phasesAt.push(stats(device).split('\n')[1] ?? '');
        if (event.type === 'path-plan') phasesAt.push(stats(device).split('\n')[1] ?? '');
      },
    });
    expect(phasesAt).toEqual(['phase checksums_fetch', 'phase rdiff_fetch', 'phase image_patch']);
  });

  test('tells per cent while a slow file comes', async () => {
    const { device, server, update } = await laptop({ booted: 1 });
    const image = nameOf(3);
    const seen = new Set<number>();
    const look = setInterval(() => {
      // It is there only when the work has begun.
      if (existsSync(join(device, 'image_update.stats')))
        seen.add(Number(/progress (\d+)/.exec(stats(device))?.[1] ?? 0));
    }, 50);
    onTestFinished(() => clearInterval(look));
    for (const name of server.files.keys()) if (name.startsWith('rdiffs/')) server.files.delete(name);
    await update(3, { policy: { limitBytesPerSecond: 40_000 } });
    clearInterval(look);
    expect([...seen].filter((percent) => percent > 0 && percent < 100).length).toBeGreaterThan(0);
    expect(stats(device)).toBe(`image ${image}\nphase finished\nprogress 100\n`);
  });

  test('is not begun while somebody else holds the lock, and nothing is asked for', async () => {
    const { device, server, update } = await laptop({ booted: 1 });
    const holder = spawn('flock', ['-nx', join(device, '.image_updates_lock'), 'sh', '-c', 'echo; exec cat']);
    onTestFinished(() => void holder.stdin.end());
    await once(holder.stdout, 'data');
    await expect(update(3)).rejects.toMatchObject({
      code: 'LOCKED',
      message: expect.stringContaining('.image_updates_lock'),
    });
    expect(server.served).toEqual([]);
    expect(readdirSync(device)).not.toContain('image_update.stats');
  });

  test('is not begun where updates are disabled', async () => {
    const { device, server, update } = await laptop({ booted: 1 });
    writeFileSync(join(device, 'DISABLE_IMAGE_UPDATES'), '');
    const { summary } = await update(3);
    expect(summary).toMatchObject({ changed: false, to: versionIn(nameOf(1)) });
    expect(summary.reason).toContain('DISABLE_IMAGE_UPDATES');
    expect(server.served).toEqual([]);
  });

  test('makes the booted image current before it fetches anything', async () => {
    const { device, server, update } = await laptop({ booted: 1, current: 0 });
    for (const name of server.files.keys()) if (/^rdiffs|img$/.test(name)) server.files.delete(name);
    await expect(update(3)).rejects.toMatchObject({ code: 'NETWORK', data: { isMissing: true } });
    expect(sameFile(device, 'ltsp.img', nameOf(1))).toBe(true);
    expect(stats(device)).toBe(`image ${nameOf(3)}\nphase error\nprogress 0\n`);
  });

  test('leaves what is current and waits to be booted, and calls it nothing new', async () => {
    const { device, place, source, server, update } = await laptop({ booted: 1 });
    await update(3);
    const { summary } = await update(3);
    expect(summary).toMatchObject({ changed: false, fetchedBytes: 0 });
    expect(summary.reason).toContain('waits to be booted');
    expect(sameFile(device, 'ltsp.img', nameOf(3))).toBe(true);
    const check = await checkDevice(
      { source, device: place, policy: policyOf({}), signal: new AbortController().signal, onEvent: () => undefined },
      false,
    );
    expect(check).toMatchObject({ isNew: false, current: versionIn(nameOf(1)), version: versionIn(nameOf(3)) });
    expect(server.served.filter(({ url }) => url.endsWith('.img'))).toEqual([]);
  });

  test('counts barriers from what is booted', async () => {
    const { device, update } = await laptop({ booted: 0, current: 2 });
    const barriers = [parseImageVersion(versionIn(nameOf(1)), 'test')];
    const { summary } = await update(3, { policy: { barriers } });
    expect(summary).toMatchObject({ changed: true, to: versionIn(nameOf(1)) });
    expect(sameFile(device, 'ltsp.img', nameOf(1))).toBe(true);
    expect(sameFile(device, 'ltsp-backup.img', nameOf(0))).toBe(true);
  });

  test('goes on where it cannot tell how far it is', async () => {
    const { device, update } = await laptop({ booted: 1 });
    mkdirSync(join(device, 'image_update.stats'));
    const { events, summary } = await update(3);
    expect(summary.changed).toBe(true);
    expect(sameFile(device, 'ltsp.img', nameOf(3))).toBe(true);
    const notes = events.filter((event) => event.type === 'note' && event.message.includes('image_update.stats'));
    expect(notes.length).toBeGreaterThan(0);
    expect(notes.length).toBeLessThanOrEqual(2);
  });

  test('tells that it was interrupted', async () => {
    const { device, server, update } = await laptop({ booted: 1 });
    server.faultOf = (n) => (n > 1 ? 'stall' : null);
    const abort = new AbortController();
    const interrupted = update(3, {
      signal: abort.signal,
      onEvent: (event) => {
        if (event.type === 'job-started' && event.kind === 'download') abort.abort();
      },
    });
    await expect(interrupted).rejects.toThrow();
    expect(stats(device)).toBe(`image ${nameOf(3)}\nphase interrupted\nprogress 0\n`);
    expect(sameFile(device, 'ltsp.img', nameOf(1))).toBe(true);
  });
});
