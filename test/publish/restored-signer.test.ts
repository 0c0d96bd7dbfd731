import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cp } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { KeyRing } from 'update-repository';
import { describe, expect, it, vi } from 'vitest';
import { rotateKey } from '../../src/images/mirror-keys.js';
import { releaseOfMirror } from '../../src/images/mirror-release.js';
import { bytesObject } from '../../src/publish/release.js';
import { rollBack } from '../../src/publish/rollback.js';
import type { ChosenLifetimes } from '../../src/trust/tuf/lifetimes.js';
import { metadataOf, PASSPHRASE, refresh, signedWorkshop } from '../images/support/signed-workshop.js';
import { addImages, build, dayImage, type Workshop } from '../images/support/workshop.js';
import { Stranger, serveFiles } from '../trust/tuf/support/stranger.js';
import { MemoryStorage } from './support/memory-storage.js';
import { defaults, publishTo } from './support/releases.js';

const DAY_MS = 86_400_000;
const TIMESTAMP = 'metadata/timestamp.json';

/** A signed mirror, a copy of it, and a storage that got one image more since then, and how a device sees that. */
async function publishedSinceBackup() {
  const workshop = await signedWorkshop();
  const backup = join(workshop.folder, 'backup');
  await cp(workshop.mirrorDir, backup, { recursive: true, preserveTimestamps: true });
  const storage = new MemoryStorage();
  await publishMirror(workshop, storage);
  await addImages(workshop, [3]);
  await build(workshop, { sign: workshop.ring });
  await publishMirror(workshop, storage);
  const restore = async () => {
    rmSync(workshop.mirrorDir, { recursive: true });
    await cp(backup, workshop.mirrorDir, { recursive: true, preserveTimestamps: true });
  };
  const url = await serveFiles(bytesIn(storage));
  const device = new Stranger(join(workshop.folder, 'device'), url, firstRoot(workshop));
  await device.refresh();
  return { ...workshop, storage, restore, device };
}

async function publishMirror({ mirrorDir }: Pick<Workshop, 'mirrorDir'>, storage: MemoryStorage) {
  return await publishTo(storage, await releaseOfMirror(mirrorDir));
}

function firstRoot({ keys }: { readonly keys: string }): string {
  return readFileSync(join(keys, '1.root.json'), 'utf8');
}

/** What a server has of a storage, whenever it is asked. */
function bytesIn({ objects }: MemoryStorage): ReadonlyMap<string, Buffer> {
  const get = (path: string) => objects.get(path)?.bytes;
  return Object.assign(new Map<string, Buffer>(), { get });
}

/** As rsync would. */
function copyMetadata({ objects }: MemoryStorage, mirrorDir: string): void {
  for (const [path, { bytes }] of objects) {
    if (!path.startsWith('metadata/')) continue;
    mkdirSync(dirname(join(mirrorDir, path)), { recursive: true });
    writeFileSync(join(mirrorDir, path), bytes);
  }
}

describe('the mirror of a signer that came back from a backup', () => {
  it('is not published over the newer one; with the metadata from there a build makes one that clients take', async () => {
    const { storage, restore, device, ...workshop } = await publishedSinceBackup();
    await restore();
    const before = new Map(storage.objects);
    await expect(publishMirror(workshop, storage)).rejects.toMatchObject({
      code: 'CONFIG',
      message: `memory:///${TIMESTAMP}: expected a version below the mirror's 1, found version 2`,
      hint: expect.stringContaining('copy metadata/ from there over its own, and build it'),
    });
    expect(storage.objects).toEqual(before);

    rmSync(join(workshop.imagesDir, dayImage(3)));
    await addImages(workshop, [4]);
    copyMetadata(storage, workshop.mirrorDir);
    await build(workshop, { sign: workshop.ring });
    await publishMirror(workshop, storage);
    expect(readFileSync(await device.fetchFile(dayImage(4)))).toEqual(
      readFileSync(join(workshop.imagesDir, dayImage(4))),
    );
    expect(await device.find(dayImage(3))).toBeUndefined();
  });

  it('is refused by a dry run, too, and where it has signed another file of the same version since', async () => {
    const { storage, restore, ...workshop } = await publishedSinceBackup();
    await restore();
    const release = await releaseOfMirror(workshop.mirrorDir);
    await expect(publishTo(storage, release, { dryRun: true })).rejects.toMatchObject({ code: 'CONFIG' });
    rmSync(join(workshop.imagesDir, dayImage(3)));
    await addImages(workshop, [4]);
    await build(workshop, { sign: workshop.ring });
    await expect(publishMirror(workshop, storage)).rejects.toMatchObject({
      code: 'CONFIG',
      message: `memory:///${TIMESTAMP}: expected a version below the mirror's 2, found another file of version 2`,
    });
  });

  it('is refused for an older snapshot, or role, where its timestamp alone has gone on', async () => {
    const { storage, restore, ...workshop } = await publishedSinceBackup();
    await restore();
    const { ring, mirrorDir } = workshop;
    for (const day of [4, 8]) await refreshOn(day, mirrorDir, ring);
    expect((await metadataOf(mirrorDir)).timestamp.signed.version).toBe(3);
    await expect(publishMirror(workshop, storage)).rejects.toMatchObject({
      message: `memory:///metadata/2.snapshot.json: expected a version below the mirror's 1, found version 2`,
    });
    const lifetimes = { series: 2 * DAY_MS, mirror: 2 * DAY_MS };
    await refreshOn(16, mirrorDir, ring, lifetimes);
    await refreshOn(17, mirrorDir, ring, { ...lifetimes, snapshot: 100 * DAY_MS });
    expect((await metadataOf(mirrorDir)).snapshot.signed.version).toBe(3);
    await expect(publishMirror(workshop, storage)).rejects.toMatchObject({
      message: expect.stringMatching(/^memory:\/\/\/metadata\/2\.[^/]*: expected a version below the mirror's 1/),
    });
  });

  it('is refused where a root was published since', async () => {
    const { storage, restore, ...workshop } = await publishedSinceBackup();
    const keys = { mirrorDir: workshop.mirrorDir, ring: workshop.ring, onEvent: () => undefined };
    await rotateKey(keys, { role: 'timestamp', keyid: null }, null);
    await publishMirror(workshop, storage);
    await restore();
    await expect(publishMirror(workshop, storage)).rejects.toMatchObject({
      code: 'CONFIG',
      message: `memory:///metadata/2.root.json: expected no root above the mirror's 1, found it`,
    });
  });
});

describe('a mirror', () => {
  it('goes back by a rollback, and on from there', async () => {
    const { storage, device, ...workshop } = await publishedSinceBackup();
    await rollBack(defaults(storage));
    expect(JSON.parse(String(storage.objects.get(TIMESTAMP)?.bytes))).toMatchObject({ signed: { version: 1 } });
    await publishMirror(workshop, storage);
    await device.refresh();
  });

  it('is published over what a thief put forward whose key was replaced, and over what is no metadata', async () => {
    const { storage, device, ...workshop } = await publishedSinceBackup();
    const put = async (bytes: Buffer) => {
      const { signal } = new AbortController();
      await storage.put({ ...bytesObject(TIMESTAMP, bytes, 'application/json'), cacheControl: '' }, { signal });
    };
    const keys = { mirrorDir: workshop.mirrorDir, ring: workshop.ring, onEvent: () => undefined };
    const refreshed = { ...workshop, mirrorDir: join(workshop.folder, 'stolen') };
    await cp(workshop.mirrorDir, refreshed.mirrorDir, { recursive: true });
    await refreshOn(4, refreshed.mirrorDir, workshop.ring);
    await put(readFileSync(join(refreshed.mirrorDir, TIMESTAMP)));
    await expect(publishMirror(workshop, storage)).rejects.toMatchObject({ code: 'CONFIG' });

    await rotateKey(keys, { role: 'timestamp', keyid: null }, null);
    await publishMirror(workshop, storage);
    await device.refresh();
    for (const bytes of [Buffer.from('{}'), Buffer.alloc(20_000)]) {
      await put(bytes);
      await publishMirror(workshop, storage);
      await device.refresh();
    }
    await build(workshop, { sign: await KeyRing.open(workshop.keys, PASSPHRASE) });
  });

  it('of which nothing changed is published without reading its timestamp', async () => {
    const { storage, ...workshop } = await publishedSinceBackup();
    const read: string[] = [];
    const watched = Object.assign(Object.create(storage) as MemoryStorage, {
      read: async (path: string) => {
        read.push(path);
        return await storage.read(path);
      },
    });
    expect((await publishMirror(workshop, watched)).summary.changed).toBe(false);
    expect(read).toEqual(['.update-repository/published.json']);
  });
});

/** Refreshes a mirror as many days from now. */
async function refreshOn(day: number, mirrorDir: string, ring: KeyRing, lifetimes: ChosenLifetimes = {}) {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + day * DAY_MS });
  try {
    await refresh(mirrorDir, ring, { lifetimes });
  } finally {
    vi.useRealTimers();
  }
}
