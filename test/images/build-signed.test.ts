import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { KeyRing, Passphrase, type RepositoryEvent } from 'update-repository';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { rotateKey } from '../../src/images/mirror-keys.js';
import { releaseOfMirror } from '../../src/images/mirror-release.js';
import type { Repository } from '../../src/trust/tuf/repository.js';
import { servedTree } from '../support/served-tree.js';
import { Stranger, serveFiles } from '../trust/tuf/support/stranger.js';
import { notes, problems, writtenIndexes } from './support/events.js';
import { fileStates } from './support/file-states.js';
import { metadataOf, PASSPHRASE, refresh, signedWorkshop } from './support/signed-workshop.js';
import { addImages, build, dayDeltaPath, dayImage, makeWorkshop, prune, SERIES, verify } from './support/workshop.js';

const DAY_MS = 86_400_000;

function versionsOf({ root, targets, roles, snapshot, timestamp }: Repository) {
  const all = [...Object.entries({ root, targets, snapshot, timestamp }), ...roles];
  return Object.fromEntries(all.map(([role, { signed }]) => [role, signed.version]));
}

afterEach(() => {
  vi.useRealTimers();
});

describe('a build with keys', () => {
  it('has tuf-js, which knows the first root alone, find and verify images, deltas and indexes', async () => {
    const { folder, mirrorDir, keys, first } = await signedWorkshop();
    expect(first.events.filter(({ type }) => type === 'index-written').at(-1)).toMatchObject({
      path: 'metadata/timestamp.json',
    });
    const paths = [...Object.keys(servedTree(mirrorDir))];
    const url = await serveFiles(new Map(paths.map((path) => [path, readFileSync(join(mirrorDir, path))])));
    const stranger = new Stranger(join(folder, 'device'), url, readFileSync(join(keys, '1.root.json'), 'utf8'));
    for (const path of [dayImage(2), dayDeltaPath(1, 2)]) {
      expect(readFileSync(await stranger.fetchFile(path)).equals(readFileSync(join(mirrorDir, path)))).toBe(true);
    }
    const meta = `meta/${SERIES}.json`;
    expect(readFileSync(await stranger.fetchIndex(meta), 'utf8')).toBe(readFileSync(join(mirrorDir, meta), 'utf8'));
  });

  it('signs what is new, and nothing else', async () => {
    const workshop = await signedWorkshop();
    const before = versionsOf(await metadataOf(workshop.mirrorDir));
    await addImages(workshop, [3]);
    await build(workshop, { sign: workshop.ring });
    const repository = await metadataOf(workshop.mirrorDir);
    expect(versionsOf(repository)).toEqual({
      ...before,
      [SERIES]: 2,
      mirror: 2,
      snapshot: 2,
      timestamp: 2,
    });
    expect(Object.keys(repository.roles.get(SERIES)?.signed.targets ?? {})).toContain(dayImage(3));
    expect((await verify(workshop)).summary).toMatchObject({ errors: 0 });
  });

  it('of which nothing changed writes nothing, opens no key, and says so', async () => {
    const workshop = await signedWorkshop();
    const before = fileStates(workshop.folder);
    const ring = await KeyRing.open(workshop.keys, new Passphrase('another phrase', 'the test'));
    const run = await build(workshop, { sign: ring });
    expect(run.summary.changed).toBe(false);
    expect(notes(run, 'info')).toEqual(['metadata: up to date, nothing signed']);
    expect(fileStates(workshop.folder)).toEqual(before);
  });

  it('is refused before anything is done where the passphrase is another one', async () => {
    const workshop = await signedWorkshop();
    await addImages(workshop, [3]);
    const before = fileStates(workshop.folder);
    const ring = await KeyRing.open(workshop.keys, new Passphrase('another phrase', 'the test'));
    await expect(build(workshop, { sign: ring })).rejects.toMatchObject({ code: 'CONFIG' });
    expect(fileStates(workshop.folder)).toEqual(before);
  });

  it('says that it changed the mirror where it only wrote the rest of a new root that was cut short', async () => {
    const workshop = await signedWorkshop();
    const { mirrorDir, ring, keys } = workshop;
    const at = (path: string) => join(mirrorDir, path);
    const before = readFileSync(at('metadata/timestamp.json'));
    const site = { mirrorDir, ring, onEvent: () => undefined };
    const { published } = await rotateKey(site, { role: 'timestamp', keyid: null }, null);
    const files = published.map((path) => ({ path, text: readFileSync(at(path), 'utf8') }));
    writeFileSync(at('.update-repository/unfinished-metadata.json'), JSON.stringify({ files }));
    rmSync(at('metadata/2.root.json'));
    writeFileSync(at('metadata/timestamp.json'), before);

    const run = await build(workshop, { sign: await KeyRing.open(keys, PASSPHRASE) });
    expect(run.summary).toMatchObject({ changed: true, examined: 0, deltasMade: 0 });
    expect(writtenIndexes(run)).toEqual(['metadata/timestamp.json', 'metadata/2.root.json']);
    const again = await build(workshop, { sign: await KeyRing.open(keys, PASSPHRASE) });
    expect(again.summary.changed).toBe(false);
  });

  it('signs what a build was killed over before it could', async () => {
    const workshop = await signedWorkshop();
    const metadata = join(workshop.mirrorDir, 'metadata');
    await cp(metadata, join(workshop.folder, 'old'), { recursive: true });
    await addImages(workshop, [3]);
    await build(workshop, { sign: workshop.ring });
    rmSync(metadata, { recursive: true });
    await cp(join(workshop.folder, 'old'), metadata, { recursive: true });
    expect((await verify(workshop)).summary.errors).toBeGreaterThan(0);
    await expect(releaseOfMirror(workshop.mirrorDir)).rejects.toMatchObject({ code: 'CONFIG' });

    const run = await build(workshop, { sign: workshop.ring });
    expect(run.summary).toMatchObject({ changed: true, examined: 0, deltasMade: 0 });
    expect((await verify(workshop)).summary).toMatchObject({ errors: 0 });
  });

  it('signs what it knows, not what somebody wrote into the indexes', async () => {
    const workshop = await signedWorkshop();
    const list = join(workshop.mirrorDir, 'SHA256SUMS');
    const honest = readFileSync(list, 'utf8');
    writeFileSync(
      list,
      honest.replace(/^./, (digit) => (digit === '0' ? '1' : '0')),
    );
    await build(workshop, { sign: workshop.ring });
    expect(readFileSync(list, 'utf8')).toBe(honest);
    expect(versionsOf(await metadataOf(workshop.mirrorDir))).toMatchObject({ mirror: 1 });
  });

  it('refuses a repository that another one put there', async () => {
    const workshop = await signedWorkshop();
    const other = await signedWorkshop();
    const metadata = join(workshop.mirrorDir, 'metadata');
    rmSync(metadata, { recursive: true });
    await cp(join(other.mirrorDir, 'metadata'), metadata, { recursive: true });
    await expect(build(workshop, { sign: workshop.ring })).rejects.toMatchObject({ code: 'VERIFICATION' });
    rmSync(join(workshop.mirrorDir, '.update-repository', 'root.json'));
    await expect(build(workshop, { sign: workshop.ring })).rejects.toMatchObject({ code: 'VERIFICATION' });
  });

  it('shows with --dry-run that it would sign, and does not', async () => {
    const workshop = await signedWorkshop();
    await addImages(workshop, [3]);
    const before = fileStates(workshop.folder);
    const ring = await KeyRing.open(workshop.keys, null);
    const { events, summary } = await build(workshop, { sign: ring, dryRun: true });
    const plan = events.find((event) => event.type === 'plan');
    expect(plan?.actions.map(({ action }) => action)).toContain('sign');
    expect(summary.changed).toBe(true);
    expect(fileStates(workshop.folder)).toEqual(before);
  });
});

describe('a build without keys of a signed mirror', () => {
  it('is refused before anything is done where something changes, and names the option', async () => {
    const workshop = await signedWorkshop();
    await addImages(workshop, [3]);
    const before = fileStates(workshop.folder);
    await expect(build(workshop)).rejects.toMatchObject({
      code: 'CONFIG',
      hint: expect.stringContaining('--sign'),
    });
    expect(fileStates(workshop.folder)).toEqual(before);
  });

  it('where nothing changes warns of what expires', async () => {
    const workshop = await signedWorkshop();
    expect(notes(await build(workshop))).toEqual([]);
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 4 * DAY_MS });
    expect(notes(await build(workshop))).toEqual([
      expect.stringMatching(/^metadata\/timestamp\.json: expires at .*keys of timestamp$/),
    ]);
  });
});

describe('refresh', () => {
  it('signs nothing while nothing is due', async () => {
    const { folder, mirrorDir, ring } = await signedWorkshop();
    const before = fileStates(folder);
    expect((await refresh(mirrorDir, ring)).summary.written).toEqual([]);
    expect(fileStates(folder)).toEqual(before);
  });

  it('signs anew what is due, and warns of what it has no key for', async () => {
    const { mirrorDir, ring, folder, keys } = await signedWorkshop();
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 4 * DAY_MS });
    expect((await refresh(mirrorDir, ring)).summary.written).toEqual(['metadata/timestamp.json']);
    vi.setSystemTime(Date.now() + 310 * DAY_MS);
    const online = join(folder, 'online');
    await cp(keys, online, { recursive: true });
    for (const { id, roles } of ring.files) {
      if (roles.includes('root') || roles.includes('targets')) rmSync(join(online, `${id}.json`));
    }
    const run = await refresh(mirrorDir, await KeyRing.open(online, new Passphrase('a phrase', 'the test')));
    expect(run.events.flatMap((event) => (event.type === 'note' ? [event.subject] : [])).sort()).toEqual([
      'metadata/1.root.json',
      'metadata/1.targets.json',
    ]);
    expect(versionsOf(await metadataOf(mirrorDir))).toEqual({
      ...{ root: 1, targets: 1, [SERIES]: 2, mirror: 2, snapshot: 2, timestamp: 3 },
    });

    const verified = await verify({ mirrorDir });
    expect(verified.summary).toMatchObject({ errors: 0, warnings: 2 });
    expect(problems(verified)).toEqual(['warning stale metadata/1.root.json', 'warning stale metadata/1.targets.json']);
    const said: RepositoryEvent[] = [];
    await releaseOfMirror(mirrorDir, (event) => said.push(event));
    expect(notes({ events: said })).toEqual([
      expect.stringMatching(/^metadata\/1\.root\.json: expires at .* keys of root$/),
      expect.stringMatching(/^metadata\/1\.targets\.json: expires at .* keys of targets$/),
    ]);
    vi.setSystemTime(Date.now() + 60 * DAY_MS);
    expect(problems(await verify({ mirrorDir }))).toContain('error stale metadata/1.root.json');
  });

  it('remembers lifetimes, by which metadata is signed and due from then on', async () => {
    const { mirrorDir, ring } = await signedWorkshop();
    const lifetimes = { timestamp: 14 * DAY_MS };
    const daysLeft = async () => {
      const { expires } = (await metadataOf(mirrorDir)).timestamp.signed;
      return Math.round((Date.parse(expires) - Date.now()) / DAY_MS);
    };
    // 7 days are left, of 14 it is due with 8.
    expect((await refresh(mirrorDir, ring, { lifetimes })).summary.written).toEqual(['metadata/timestamp.json']);
    expect(await daysLeft()).toBe(14);
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 5 * DAY_MS });
    expect((await refresh(mirrorDir, ring)).summary.written).toEqual([]);
    vi.setSystemTime(Date.now() + 2 * DAY_MS);
    expect((await refresh(mirrorDir, ring)).summary.written).toEqual(['metadata/timestamp.json']);
    expect(await daysLeft()).toBe(14);
  });

  it('refuses a mirror that is not signed', async () => {
    const { ring } = await signedWorkshop();
    const other = await makeWorkshop(1);
    await build(other);
    await expect(refresh(other.mirrorDir, ring)).rejects.toMatchObject({ code: 'CONFIG' });
  });
});

describe('the release of a signed mirror', () => {
  it('has all that clients need, roots right before the timestamp, which is last', async () => {
    const { mirrorDir, ring, folder } = await signedWorkshop();
    await addImages({ folder, imagesDir: join(folder, 'images') }, [3]);
    await build({ folder, imagesDir: join(folder, 'images'), mirrorDir }, { sign: ring });
    const { immutables, lateImmutables, indexStages } = await releaseOfMirror(mirrorDir);
    const paths = immutables.map(({ path }) => path).filter((path) => path.startsWith('metadata/'));
    const named = ['1.targets', '2.snapshot', '2.mirror', `2.${SERIES}`].map((name) => `metadata/${name}.json`);
    expect(paths).toEqual(expect.arrayContaining(named));
    // Of index.json, CKSUMS, SHA256SUMS and the meta file.
    expect(paths).toHaveLength(named.length + 4);
    expect(lateImmutables?.map(({ path }) => path)).toEqual(['metadata/1.root.json']);
    expect(indexStages.at(-1)?.map(({ path }) => path)).toEqual(['metadata/timestamp.json']);
  });
});

describe('prune of a signed mirror', () => {
  it('keeps what only the metadata names', async () => {
    const workshop = await signedWorkshop();
    const metadata = join(workshop.mirrorDir, 'metadata');
    await cp(metadata, join(workshop.folder, 'old'), { recursive: true });
    rmSync(join(workshop.imagesDir, dayImage(1)));
    await build(workshop, { sign: workshop.ring });
    const signed = join(workshop.folder, 'new');
    await cp(metadata, signed, { recursive: true });
    rmSync(metadata, { recursive: true });
    await cp(join(workshop.folder, 'old'), metadata, { recursive: true });
    expect((await prune(workshop)).summary.removed).toBe(0);
    await cp(signed, metadata, { recursive: true });
    expect((await prune(workshop)).summary.removed).toBeGreaterThan(0);
  });
});
