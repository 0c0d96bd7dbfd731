import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  type ChannelOptions,
  KeyRing,
  listChannels,
  Passphrase,
  type RepositoryEvent,
  removeChannel,
  type SetChannelOptions,
  setChannel,
} from 'update-repository';
import { describe, expect, it } from 'vitest';
import { auditMirrors } from '../../src/images/audit.js';
import { releaseOfMirror } from '../../src/images/mirror-release.js';
import { verifyUrl } from '../../src/images/verify-url.js';
import { dailyStamps } from '../support/image-name.js';
import { servedTree } from '../support/served-tree.js';
import { problems, writtenIndexes } from './support/events.js';
import { metadataOf, PASSPHRASE, refresh, signedWorkshop } from './support/signed-workshop.js';
import { startWebServer } from './support/web-server.js';
import {
  addImages,
  build,
  dayDeltaPath,
  dayImage,
  makeWorkshop,
  prune,
  SERIES,
  verify,
  type Workshop,
} from './support/workshop.js';

const STABLE = 'channels/stable.json';

/** The version of the image of a day. */
const dayVersion = (day: number) => dailyStamps(day).at(-1)?.replaceAll('-', '') ?? '';

type Mirror = Pick<Workshop, 'mirrorDir'> & { readonly ring?: KeyRing };

function optionsFor({ mirrorDir, ring = undefined }: Mirror, name: string): ChannelOptions {
  return { mirrorDir, name, ring: ring ?? null, breakLock: false, onEvent: () => undefined };
}

async function set(mirror: Mirror, name: string, day: number, changes: Partial<SetChannelOptions> = {}) {
  return await setChannel({ ...optionsFor(mirror, name), version: dayVersion(day), ...changes });
}

async function remove(mirror: Mirror, name: string) {
  return await removeChannel(optionsFor(mirror, name));
}

function textOf({ mirrorDir }: Mirror, path = STABLE): string {
  return readFileSync(join(mirrorDir, path), 'utf8');
}

function spoil({ mirrorDir }: Mirror, path = STABLE): void {
  writeFileSync(join(mirrorDir, path), textOf({ mirrorDir }, path).replace(dayVersion(1), dayVersion(2)));
}

async function builtWorkshop(days = 2): Promise<Workshop> {
  const workshop = await makeWorkshop(days);
  await build(workshop);
  return workshop;
}

/** The paths of channels that the metadata speaks of. */
async function signed({ mirrorDir }: Mirror): Promise<string[]> {
  const { roles } = await metadataOf(mirrorDir);
  const targets = Object.keys(roles.get('mirror')?.signed.targets ?? {});
  return targets.filter((path) => path.startsWith('channels/')).sort();
}

async function served(mirrorDir: string, changes: { readonly fault?: string } = {}) {
  const url = await startWebServer(mirrorDir, (path) => (path === changes.fault ? 'no-cache-rule' : null));
  const events: RepositoryEvent[] = [];
  const options = {
    transfers: 2,
    signal: new AbortController().signal,
    onEvent: (event: RepositoryEvent) => void events.push(event),
  };
  await verifyUrl({ url, ...options });
  const verified = problems({ events: events.splice(0) });
  await auditMirrors({ urls: [url], ...options });
  return { verified, audited: problems({ events }).map((line) => line.replace(`${url}/`, '')) };
}

describe('a channel of a mirror that is not signed', { timeout: 120_000 }, () => {
  it('is a file that names the version, which the mirror remembers', async () => {
    const workshop = await builtWorkshop();
    const before = servedTree(workshop.mirrorDir);
    const summary = await set(workshop, 'stable', 1);
    expect(summary).toMatchObject({ series: SERIES, version: dayVersion(1), before: null, written: [STABLE] });
    expect(JSON.parse(textOf(workshop))).toEqual({ format: 1, series: SERIES, version: dayVersion(1) });
    expect(await set(workshop, 'stable', 1)).toMatchObject({ before: dayVersion(1), written: [] });
    expect(await set(workshop, 'stable', 2)).toMatchObject({ before: dayVersion(1), written: [STABLE] });
    const { channels } = await listChannels(workshop.mirrorDir, () => undefined);
    expect(channels).toEqual([{ name: 'stable', series: SERIES, version: dayVersion(2), file: 'good' }]);
    expect(problems(await verify(workshop))).toEqual([]);
    expect(await remove(workshop, 'stable')).toMatchObject({ version: null, before: dayVersion(2), written: [] });
    expect(servedTree(workshop.mirrorDir)).toEqual(before);
    expect((await listChannels(workshop.mirrorDir, () => undefined)).channels).toEqual([]);
  });

  it('is brought back by a build, as it was set, and other files beside it stay', async () => {
    const workshop = await builtWorkshop();
    mkdirSync(join(workshop.mirrorDir, 'channels'));
    writeFileSync(join(workshop.mirrorDir, 'channels/mine.json'), 'by hand');
    await set(workshop, 'stable', 1);
    const wanted = textOf(workshop);
    expect((await build(workshop)).summary.changed).toBe(false);
    spoil(workshop);
    expect(problems(await verify(workshop))).toEqual([`error inconsistent ${STABLE}`]);
    await expect(releaseOfMirror(workshop.mirrorDir)).rejects.toMatchObject({ code: 'CONFIG' });
    expect(writtenIndexes(await build(workshop))).toEqual([STABLE]);
    expect(textOf(workshop)).toBe(wanted);
    rmSync(join(workshop.mirrorDir, STABLE));
    expect(problems(await verify(workshop))).toEqual([`error missing ${STABLE}`]);
    expect((await build(workshop, { dryRun: true })).summary.changed).toBe(true);
    expect(writtenIndexes(await build(workshop))).toEqual([STABLE]);
    expect(textOf(workshop, 'channels/mine.json')).toBe('by hand');
    await prune(workshop);
    expect((await releaseOfMirror(workshop.mirrorDir)).indexStages.slice(-2)).toMatchObject([
      [{ path: 'index.json' }],
      [{ path: STABLE }],
    ]);
  });

  it('names a version that the series has, and asks for the series where there are several', async () => {
    const workshop = await builtWorkshop();
    await expect(set(workshop, 'stable', 3)).rejects.toMatchObject({
      code: 'CONFIG',
      message: expect.stringMatching(
        new RegExp(
          `meta/${SERIES}\\.json: expected the version ${dayVersion(3)}, found ${dayVersion(1)}, ${dayVersion(2)}$`,
        ),
      ),
    });
    expect(existsSync(join(workshop.mirrorDir, 'channels'))).toBe(false);
    await addImages(workshop, [3], { stem: 'puavo-os-other-bookworm' });
    await build(workshop);
    const other = 'puavo-os-other-bookworm-amd64';
    await expect(set(workshop, 'stable', 3)).rejects.toMatchObject({
      code: 'CONFIG',
      message: expect.stringContaining(`expected one series, found ${SERIES}, ${other}`),
    });
    await expect(set(workshop, 'stable', 3, { series: 'none-amd64' })).rejects.toMatchObject({ code: 'CONFIG' });
    expect(await set(workshop, 'stable', 1, { series: SERIES })).toMatchObject({ series: SERIES });
    expect(await set(workshop, 'stable', 2)).toMatchObject({ series: SERIES, version: dayVersion(2) });
    expect(await set(workshop, 'stable', 3, { series: other })).toMatchObject({ series: other });
  });

  it.each(['', '.hidden', 'a/b', 'a b', '..', 'stable.json', 'x'.repeat(186)])('is not called %j', async (name) => {
    const workshop = await builtWorkshop(1);
    await expect(set(workshop, name, 1)).rejects.toMatchObject({ code: 'NAME' });
    expect(existsSync(join(workshop.mirrorDir, 'channels'))).toBe(false);
  });

  it('is not removed where it was not set, nor set in a mirror that is none or is signed by nobody', async () => {
    const workshop = await builtWorkshop(1);
    await set(workshop, 'beta', 1);
    await expect(remove(workshop, 'stable')).rejects.toMatchObject({
      code: 'CONFIG',
      message: expect.stringMatching(/expected the channel stable, found beta$/),
    });
    await expect(set({ mirrorDir: workshop.folder }, 'stable', 1)).rejects.toMatchObject({ code: 'CONFIG' });
    await expect(listChannels(workshop.folder, () => undefined)).rejects.toMatchObject({ code: 'CONFIG' });
    const { ring } = await signedWorkshop();
    await expect(set({ ...workshop, ring }, 'stable', 1)).rejects.toMatchObject({ code: 'CONFIG' });
  });

  it('is not forgotten where what is remembered is damaged: nothing is built or published then', async () => {
    const workshop = await builtWorkshop(1);
    await set(workshop, 'stable', 1);
    const record = join(workshop.mirrorDir, '.update-repository/channels.json');
    writeFileSync(record, '{"format":1,"channels":{"stable":{"series":"a","version":"1"}}}');
    const refused = { code: 'FORMAT', message: expect.stringContaining(record) };
    await expect(build(workshop)).rejects.toMatchObject(refused);
    await expect(releaseOfMirror(workshop.mirrorDir)).rejects.toMatchObject(refused);
    await expect(set(workshop, 'stable', 1)).rejects.toMatchObject(refused);
  });
});

describe('an image that a channel names', () => {
  it('is not taken away by a build, until the channel names another one or is gone', async () => {
    const workshop = await builtWorkshop(3);
    await set(workshop, 'stable', 1);
    await set(workshop, 'old', 2);
    const before = servedTree(workshop.mirrorDir);
    for (const day of [1, 2]) rmSync(join(workshop.imagesDir, dayImage(day)));
    const refusal = (path: string, version: string) => ({
      code: 'CONFIG',
      message: expect.stringMatching(new RegExp(`^${path}: expected version ${version} .*, found ${dayVersion(3)}$`)),
    });
    await expect(build(workshop)).rejects.toMatchObject(refusal(STABLE, dayVersion(1)));
    await expect(build(workshop, { dryRun: true })).rejects.toMatchObject({ code: 'CONFIG' });
    expect(servedTree(workshop.mirrorDir)).toEqual(before);
    await set(workshop, 'stable', 3);
    await expect(build(workshop)).rejects.toMatchObject(refusal('channels/old.json', dayVersion(2)));
    await remove(workshop, 'old');
    await build(workshop);
    await prune(workshop);
    expect(Object.keys(servedTree(workshop.mirrorDir))).not.toContain(dayImage(1));
    expect(problems(await verify(workshop))).toEqual([]);
  });

  it('stays where it went nevertheless, and verify and publish tell', async () => {
    const workshop = await builtWorkshop(2);
    await set(workshop, 'stable', 1);
    const record = join(workshop.mirrorDir, '.update-repository/channels.json');
    renameSync(record, `${record}.aside`);
    rmSync(join(workshop.imagesDir, dayImage(1)));
    await build(workshop);
    renameSync(`${record}.aside`, record);
    expect(problems(await verify(workshop))[0]).toBe(`error inconsistent ${STABLE}`);
    await expect(releaseOfMirror(workshop.mirrorDir)).rejects.toMatchObject({ code: 'CONFIG' });
    await prune(workshop);
    expect(existsSync(join(workshop.mirrorDir, dayImage(1)))).toBe(true);
    expect(existsSync(join(workshop.mirrorDir, dayDeltaPath(1, 2)))).toBe(false);
  });
});

describe('a channel of a signed mirror', { timeout: 300_000 }, () => {
  it('is signed in the same step, its file and copy before the timestamp, and so is its end', async () => {
    const workshop = await signedWorkshop();
    const { mirrorDir, ring } = workshop;
    const { timestamp, roles } = await metadataOf(mirrorDir);
    const { written } = await set(workshop, 'stable', 1);
    expect(written).toEqual([
      STABLE,
      expect.stringMatching(/^metadata\/channels\/[0-9a-f]{64}\.stable\.json$/),
      'metadata/2.mirror.json',
      'metadata/2.snapshot.json',
      'metadata/timestamp.json',
    ]);
    expect(textOf(workshop, String(written[1]))).toBe(textOf(workshop));
    expect(await signed(workshop)).toEqual([STABLE]);
    const after = await metadataOf(mirrorDir);
    expect(after.timestamp.signed.version).toBe(timestamp.signed.version + 1);
    const others = ['CKSUMS', 'SHA256SUMS', 'index.json'];
    for (const path of others) {
      expect(after.roles.get('mirror')?.signed.targets[path]).toEqual(roles.get('mirror')?.signed.targets[path]);
    }
    expect(after.roles.get(SERIES)).toEqual(roles.get(SERIES));
    expect(await served(mirrorDir)).toEqual({ verified: [], audited: [] });
    expect(problems(await verify(workshop))).toEqual([]);
    const stages = (await releaseOfMirror(mirrorDir)).indexStages.map((stage) => stage.map(({ path }) => path));
    expect(stages.slice(-3)).toEqual([['index.json'], [STABLE], ['metadata/timestamp.json']]);

    expect((await set(workshop, 'stable', 1)).written).toEqual([]);
    expect((await refresh(mirrorDir, ring)).summary.written).toEqual([]);
    expect((await build(workshop, { sign: ring })).summary.changed).toBe(false);
    await prune(workshop);
    expect(await served(mirrorDir)).toEqual({ verified: [], audited: [] });

    await set(workshop, 'beta', 2);
    await remove(workshop, 'stable');
    expect(await signed(workshop)).toEqual(['channels/beta.json']);
    expect(existsSync(join(mirrorDir, STABLE))).toBe(false);
    await addImages(workshop, [3]);
    await build(workshop, { sign: await KeyRing.open(ring.directory, PASSPHRASE) });
    expect(await signed(workshop)).toEqual(['channels/beta.json']);
    await prune(workshop);
    expect(existsSync(join(mirrorDir, String(written[1])))).toBe(false);
    expect(problems(await verify(workshop))).toEqual([]);
  });

  it('is signed as it was set, whatever stands in its file, and brought back by a refresh', async () => {
    const workshop = await signedWorkshop();
    const { mirrorDir, ring } = workshop;
    await set(workshop, 'stable', 1);
    const [wanted, before] = [textOf(workshop), await metadataOf(mirrorDir)];
    spoil(workshop);
    expect(problems(await verify(workshop))).toEqual([`error inconsistent ${STABLE}`]);
    expect((await served(mirrorDir)).verified).toEqual([`error inconsistent ${STABLE}`]);
    await expect(releaseOfMirror(mirrorDir)).rejects.toMatchObject({ code: 'CONFIG' });
    expect((await refresh(mirrorDir, ring)).summary.written).toEqual([STABLE]);
    expect(textOf(workshop)).toBe(wanted);
    spoil(workshop);
    await set(workshop, 'beta', 2);
    expect(textOf(workshop)).toBe(wanted);
    rmSync(join(mirrorDir, STABLE));
    expect(await served(mirrorDir)).toEqual({
      verified: [`error missing ${STABLE}`],
      audited: [`error missing ${STABLE}`],
    });
    expect(problems(await verify(workshop))).toEqual([`error missing ${STABLE}`]);
    await build(workshop, { sign: ring });
    expect(textOf(workshop)).toBe(wanted);
    const after = await metadataOf(mirrorDir);
    expect(after.roles.get('mirror')?.signed.targets[STABLE]).toEqual(
      before.roles.get('mirror')?.signed.targets[STABLE],
    );
    expect((await served(mirrorDir, { fault: STABLE })).audited).toEqual([`warning served ${STABLE}`]);
  });

  it('is not changed without keys, nor with a wrong passphrase, nor in a mirror whose meta file somebody changed', async () => {
    const workshop = await signedWorkshop();
    const { mirrorDir, keys } = workshop;
    const before = servedTree(mirrorDir);
    await expect(set({ mirrorDir }, 'stable', 1)).rejects.toMatchObject({ code: 'CONFIG' });
    const wrong = await KeyRing.open(keys, new Passphrase('another phrase', 'the test'));
    await expect(set({ mirrorDir, ring: wrong }, 'stable', 1)).rejects.toMatchObject({ code: 'CONFIG' });
    expect(servedTree(mirrorDir)).toEqual(before);
    expect((await listChannels(mirrorDir, () => undefined)).channels).toEqual([]);
    const meta = `meta/${SERIES}.json`;
    writeFileSync(join(mirrorDir, meta), `${textOf(workshop, meta)}\n`);
    await expect(set(workshop, 'stable', 1)).rejects.toMatchObject({
      code: 'CONFIG',
      message: expect.stringContaining(`${meta}: expected it as it was signed`),
    });
  });

  it('is completed where it was cut short, and a removal is taken back', async () => {
    const workshop = await signedWorkshop();
    const { mirrorDir, ring } = workshop;
    const record = join(mirrorDir, '.update-repository/channels.json');
    await set(workshop, 'stable', 1);
    const one = readFileSync(record);
    await set(workshop, 'stable', 2);
    writeFileSync(record, one);
    await expect(releaseOfMirror(mirrorDir)).rejects.toMatchObject({ code: 'CONFIG' });
    expect((await refresh(mirrorDir, ring)).summary.written.slice(0, 2)).toEqual([
      STABLE,
      'metadata/channels/'.concat(
        String((await metadataOf(mirrorDir)).roles.get('mirror')?.signed.targets[STABLE]?.hashes.sha256),
        '.stable.json',
      ),
    ]);
    expect(problems(await verify(workshop))).toEqual([]);
    // The metadata does not have it any more, and its file is gone.
    await remove(workshop, 'stable');
    writeFileSync(record, one);
    await expect(releaseOfMirror(mirrorDir)).rejects.toMatchObject({ code: 'CONFIG' });
    expect(problems(await verify(workshop))).toEqual([`error missing ${STABLE}`]);
    await build(workshop, { sign: ring });
    expect(await signed(workshop)).toEqual([STABLE]);
    expect(problems(await verify(workshop))).toEqual([]);
    await remove(workshop, 'stable');
    expect(await signed(workshop)).toEqual([]);
    // What was signed and is forgotten is published no more, and the next signing ends it.
    await set(workshop, 'stable', 1);
    rmSync(record);
    rmSync(join(mirrorDir, STABLE));
    await expect(releaseOfMirror(mirrorDir)).rejects.toMatchObject({
      code: 'CONFIG',
      message: expect.stringMatching(/expected channels\/stable\.json as it was signed, found none$/),
    });
    await refresh(mirrorDir, ring);
    expect(await signed(workshop)).toEqual([]);
  });
});
