import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Limits } from '../../../src/client/download/mirrors.js';
import { policyOf } from '../../../src/client/policy/policy.js';
import type { TrustWish } from '../../../src/client/trust/wish.js';
import { updateDevice } from '../../../src/client/update.js';
import { metaPath } from '../../../src/metadata/mirror-paths.js';
import { hashNamedCopy } from '../../../src/trust/tuf/contents.js';
import { metadataPath, type TargetsDocument, type TimestampDocument } from '../../../src/trust/tuf/documents.js';
import { renderEnvelope } from '../../../src/trust/tuf/parse-document.js';
import { claimOf, delegatedSigners, type Repository, topSigners } from '../../../src/trust/tuf/repository.js';
import { addSignatures, signWith } from '../../../src/trust/tuf/signatures.js';
import { SigningKey } from '../../../src/trust/tuf/signing-key.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';
import { allKeys } from '../../trust/tuf/support/sample-keys.js';
import { type DownloadFault, startFaultyServer } from '../support/faulty-server.js';
import { plainIndexes, replaceKeys, SignedMirror, withEvilImage } from '../support/signed-mirror.js';
import { builtForSuite, currentBytes, deviceWith, filesOf, versionIn } from '../support/updates.js';

const built = builtForSuite(3, 'neighbours');
afterEach(() => {
  vi.useRealTimers();
});

const EVIL = Buffer.alloc(20_000, 'evil');
const REMEMBERED: TrustWish = { kind: 'remembered' };

/** A mirror that a device has seen with one version and with two, and what an attacker may make of it. */
interface World {
  readonly mirror: SignedMirror;
  readonly url: string;
  /** What is served, to be changed. */
  readonly files: Map<string, Buffer>;
  /** What was served when there was one version. */
  readonly earlier: ReadonlyMap<string, Buffer>;
  readonly device: string;
}

const patience = { attempts: 1, firstPauseMs: 10 };

async function makeWorld(): Promise<World> {
  const mirror = await SignedMirror.make(filesOf(built()), 1);
  const server = await startFaultyServer({ files: mirror.files, random: () => 0.5 });
  const dir = await temporaryDirectory();
  const device = await deviceWith(join(dir, 'device'), null);
  const root = join(dir, 'root.json');
  writeFileSync(root, mirror.files.get('metadata/1.root.json') ?? '');
  const earlier = mirror.files;
  await updateDeviceOf({ url: server.url, device }, { kind: 'root', path: root });
  await mirror.show(2);
  serve(server.files, mirror);
  await updateDeviceOf({ url: server.url, device }, REMEMBERED);
  return { mirror, url: server.url, files: server.files, earlier, device };
}

function serve(files: Map<string, Buffer>, mirror: SignedMirror): void {
  for (const [path, bytes] of mirror.files) files.set(path, bytes);
}

async function updateDeviceOf({ url, device }: Pick<World, 'url' | 'device'>, trust: TrustWish, copies: string[] = []) {
  const { summary } = await updateLatest(device, [url, ...copies], trust);
  return summary;
}

async function updateLatest(
  device: string,
  urls: readonly string[],
  trust: TrustWish,
  { limits, signal }: { readonly limits?: Limits; readonly signal?: AbortSignal } = {},
) {
  const events: unknown[] = [];
  const summary = await updateDevice({
    source: { urls, patience: { ...patience, ...(limits === undefined ? {} : { limits }) } },
    device: { dir: device, layout: 'plain' },
    policy: policyOf({}),
    trust,
    signal: signal ?? new AbortController().signal,
    onEvent: (event) => events.push(event),
  });
  return { summary, events };
}

const version = (n: number) => versionIn(String(built().images[n]));
const seriesOf = ({ mirror }: World) => mirror.meta(1).series;

/** Serves another timestamp, signed with a stolen key. */
async function newTimestamp({ mirror, files }: World, change: (signed: TimestampDocument) => TimestampDocument) {
  const { root, timestamp } = await mirror.signing.current();
  const signed = signWith(change(timestamp.signed), topSigners(root.signed, 'timestamp'), allKeys(mirror.signing.keys));
  files.set('metadata/timestamp.json', Buffer.from(renderEnvelope(signed)));
}

/** Serves a snapshot and a timestamp, signed with stolen keys, which name this file for a role. */
async function nameRole(world: World, name: string, text: string, version: number): Promise<void> {
  const { mirror, files } = world;
  const { root, snapshot } = await mirror.signing.current();
  const meta = { ...snapshot.signed.meta, [`${name}.json`]: claimOf(text, version) };
  const changed = { ...snapshot.signed, version: snapshot.signed.version + 1, meta };
  const signed = signWith(changed, topSigners(root.signed, 'snapshot'), allKeys(mirror.signing.keys));
  const snapshotText = renderEnvelope(signed);
  files.set(metadataPath('snapshot', changed.version), Buffer.from(snapshotText));
  const named = { 'snapshot.json': claimOf(snapshotText, changed.version) };
  await newTimestamp(world, (before) => ({ ...before, version: before.version + 1, meta: named }));
}

/** Serves other metadata of the series, signed with stolen keys. */
async function forgeRole(world: World, change: (signed: TargetsDocument) => TargetsDocument): Promise<void> {
  const { mirror, files } = world;
  const { targets, roles } = await mirror.signing.current();
  const series = seriesOf(world);
  const role = targets.signed.delegations!.roles.find(({ name }) => name === series)!;
  const before = roles.get(series)!.signed;
  const signed = { ...change(before), version: before.version + 1 };
  const signers = delegatedSigners(targets.signed, role);
  const text = renderEnvelope(signWith(signed, signers, allKeys(mirror.signing.keys)));
  files.set(metadataPath(series, signed.version), Buffer.from(text));
  await nameRole(world, series, text, signed.version);
}

const newestImage = ({ mirror }: World) => mirror.meta(2).images[1]!.filename;

function serveEvil({ mirror, files }: World): void {
  for (const [path, bytes] of withEvilImage(mirror.meta(2), EVIL).files) files.set(path, bytes);
}

function serveOld({ mirror, files }: World): void {
  for (const [path, bytes] of plainIndexes(mirror.meta(1))) files.set(path, bytes);
}

interface Attack {
  readonly name: string;
  readonly reason: string;
  readonly role?: string;
  /** What the error names, where several checks would have the same reason. */
  readonly file?: RegExp;
  /** Whether all metadata is good, and the meta file is refused for what it says. */
  readonly isSigned?: boolean;
  /** What a device gets that verifies nothing. */
  readonly goal: 'evil image' | 'old image';
  readonly make: (world: World) => Promise<void> | void;
}

const ATTACKS: readonly Attack[] = [
  {
    name: 'arbitrary software',
    reason: 'arbitrary-software',
    file: /\/metadata\/meta\/[0-9a-f]{64}\./,
    goal: 'evil image',
    make({ mirror, files }) {
      const meta = mirror.contentsOf(2).series[0]!.meta;
      const evil = plainIndexes(withEvilImage(mirror.meta(2), EVIL).meta);
      const path = metaPath(mirror.meta(2).series);
      files.set(hashNamedCopy(path, meta.entry.hashes.sha256), evil.get(path)!);
    },
  },
  {
    name: 'endless data',
    reason: 'endless-data',
    role: 'timestamp',
    goal: 'evil image',
    make: ({ files }) => void files.set('metadata/timestamp.json', Buffer.alloc(1_000_000, ' ')),
  },
  {
    name: 'extraneous dependencies: a file that no role speaks of',
    reason: 'extraneous-dependencies',
    isSigned: true,
    goal: 'evil image',
    make: (world) =>
      forgeRole(world, ({ targets, ...signed }) => ({
        ...signed,
        targets: Object.fromEntries(Object.entries(targets).filter(([path]) => path !== newestImage(world))),
      })),
  },
  {
    name: 'arbitrary software: a meta file that says otherwise than the role',
    reason: 'arbitrary-software',
    isSigned: true,
    goal: 'evil image',
    make: (world) =>
      forgeRole(world, ({ targets, ...signed }) => {
        const image = newestImage(world);
        return { ...signed, targets: { ...targets, [image]: { ...targets[image]!, length: 7 } } };
      }),
  },
  {
    name: 'fast-forward',
    reason: 'fast-forward',
    role: 'timestamp',
    goal: 'old image',
    make: (world) => newTimestamp(world, (signed) => ({ ...signed, version: 2 ** 31 })),
  },
  {
    name: 'freeze',
    reason: 'freeze',
    role: 'timestamp',
    goal: 'old image',
    make: () => void vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 8 * 86_400_000 }),
  },
  {
    name: 'a mirror without metadata',
    reason: 'missing-metadata',
    role: 'timestamp',
    goal: 'evil image',
    make({ files }) {
      for (const path of [...files.keys()]) if (path.startsWith('metadata/')) files.delete(path);
    },
  },
  {
    name: 'mix-and-match: an older role under the name of the newer one',
    reason: 'mix-and-match',
    goal: 'old image',
    async make(world) {
      const { files, earlier } = world;
      await world.mirror.show(3);
      serve(files, world.mirror);
      const name = (n: number) => metadataPath(seriesOf(world), n);
      files.set(name(3), earlier.get(name(1))!);
    },
  },
  {
    name: 'mix-and-match: an older snapshot under the name of the newer one',
    reason: 'mix-and-match',
    role: 'snapshot',
    goal: 'old image',
    async make({ mirror, files, earlier }) {
      await mirror.show(3);
      serve(files, mirror);
      files.set('metadata/3.snapshot.json', earlier.get('metadata/1.snapshot.json')!);
    },
  },
  {
    name: 'rollback of the timestamp',
    reason: 'rollback',
    role: 'timestamp',
    goal: 'old image',
    make: ({ files, earlier }) => void files.set('metadata/timestamp.json', earlier.get('metadata/timestamp.json')!),
  },
  {
    name: 'rollback of the snapshot, with a stolen key of timestamp',
    reason: 'rollback',
    role: 'snapshot',
    goal: 'old image',
    async make(world) {
      const old = world.earlier.get('metadata/1.snapshot.json')!.toString();
      const meta = { 'snapshot.json': claimOf(old, 1) };
      await newTimestamp(world, (signed) => ({ ...signed, version: signed.version + 1, meta }));
    },
  },
  {
    name: 'rollback of a role, with stolen keys of timestamp and snapshot',
    reason: 'rollback',
    role: 'puavo-os-test-bookworm-amd64',
    goal: 'old image',
    make(world) {
      const series = seriesOf(world);
      return nameRole(world, series, world.earlier.get(metadataPath(series, 1))!.toString(), 1);
    },
  },
  {
    name: 'rollback of targets, with stolen keys of timestamp and snapshot',
    reason: 'rollback',
    role: 'targets',
    goal: 'old image',
    async make(world) {
      const { mirror, files, earlier } = world;
      // The key of a series is revoked: that is what would be taken back.
      await replaceKeys(mirror, [mirror.signing.keys.online]);
      serve(files, mirror);
      await updateDeviceOf(world, REMEMBERED);
      await nameRole(world, 'targets', earlier.get('metadata/1.targets.json')!.toString(), 1);
    },
  },
  {
    name: 'rollback of root',
    reason: 'rollback',
    role: 'root',
    goal: 'old image',
    make: ({ files, earlier }) => void files.set('metadata/2.root.json', earlier.get('metadata/1.root.json')!),
  },
  {
    name: 'a root that too few keys signed',
    reason: 'threshold',
    role: 'root',
    goal: 'evil image',
    async make({ mirror, files }) {
      const { root } = await mirror.signing.current();
      const [stolen] = mirror.signing.keys.root;
      const next = { signatures: [], signed: { ...root.signed, version: 2 } };
      const signed = addSignatures(next, [stolen], [stolen.id]);
      files.set('metadata/2.root.json', Buffer.from(renderEnvelope(signed)));
    },
  },
  {
    name: 'a wrong key',
    reason: 'wrong-key',
    role: 'timestamp',
    goal: 'evil image',
    async make({ mirror, files }) {
      const { timestamp } = await mirror.signing.current();
      const own = SigningKey.generate('ed25519');
      const next = { signatures: [], signed: { ...timestamp.signed, version: timestamp.signed.version + 1 } };
      files.set('metadata/timestamp.json', Buffer.from(renderEnvelope(addSignatures(next, [own], [own.id]))));
    },
  },
];

describe('a device that trusts a root', () => {
  it.each(ATTACKS)('refuses $name, which gets through to one that trusts none', async (attack) => {
    const world = await makeWorld();
    await attack.make(world);
    if (attack.goal === 'evil image') serveEvil(world);
    else serveOld(world);

    const careless = await deviceWith(join(await temporaryDirectory(), 'careless'), null);
    const { summary } = await updateLatest(careless, [world.url], REMEMBERED);
    expect(summary.authenticated).toBe(false);
    if (attack.goal === 'evil image') expect(currentBytes(careless)).toEqual(EVIL);
    else expect(summary.to).toBe(version(0));

    // Without the image it had it would have to fetch one.
    const before = trustOf(world.device);
    const other = await deviceWith(join(await temporaryDirectory(), 'device'), null);
    const fresh = { ...world, device: withTrust(other, before) };
    await expect(updateDeviceOf(fresh, REMEMBERED)).rejects.toMatchObject({
      code: 'VERIFICATION',
      data: {
        reason: attack.reason,
        file: expect.stringMatching(attack.file ?? /^http:/),
        ...(attack.role === undefined ? {} : { role: attack.role }),
      },
    });
    expect(existsSync(join(fresh.device, 'current'))).toBe(false);
    // What was remembered stays, unless all metadata was good and what it does not speak of was found later.
    if (attack.isSigned !== true) expect(trustOf(fresh.device)).toBe(before);
  });

  it('goes on with a mirror that is as it should be where another one is not', async () => {
    const world = await makeWorld();
    const good = await startFaultyServer({ files: world.mirror.files, random: () => 0.5 });
    world.files.set('metadata/timestamp.json', world.earlier.get('metadata/timestamp.json')!);
    serveOld(world);
    await world.mirror.show(3);
    serve(good.files, world.mirror);
    expect(await updateDeviceOf(world, REMEMBERED, [good.url])).toMatchObject({ to: version(2), authenticated: true });
  });

  it('recovers from a fast-forward when the keys were replaced', async () => {
    const world = await makeWorld();
    await newTimestamp(world, (signed) => ({ ...signed, version: 2 ** 31 - 2 }));
    await updateDeviceOf(world, REMEMBERED);
    world.files.set('metadata/timestamp.json', world.mirror.files.get('metadata/timestamp.json')!);
    await expect(updateDeviceOf(world, REMEMBERED)).rejects.toMatchObject({ data: { reason: 'rollback' } });
    await replaceKeys(world.mirror, [world.mirror.signing.keys.timestamp]);
    serve(world.files, world.mirror);
    expect(await updateDeviceOf(world, REMEMBERED)).toMatchObject({ to: version(1), authenticated: true });
  });

  it('follows three rotations of every key that it slept through', async () => {
    const world = await makeWorld();
    let keys = allKeys(world.mirror.signing.keys);
    for (let round = 0; round < 3; round++) keys = await replaceKeys(world.mirror, keys);
    await world.mirror.show(3, undefined, keys);
    serve(world.files, world.mirror);
    expect(await updateDeviceOf(world, REMEMBERED)).toMatchObject({ to: version(2), authenticated: true });
  });
});

describe('a key that was stolen, and revoked', () => {
  it('of timestamp is good for nothing, and a device that is given a root from before follows to the one after', async () => {
    const world = await makeWorld();
    const { mirror, files, url, device } = world;
    const given: TrustWish = { kind: 'root', path: await firstRootOf(world) };
    await newTimestamp(world, (signed) => ({ ...signed, version: signed.version + 100 }));
    const stolen = files.get('metadata/timestamp.json')!;
    const sleeping = await copyOf(device);
    expect(await updateDeviceOf({ url, device: sleeping }, REMEMBERED)).toMatchObject({ authenticated: true });

    await replaceKeys(mirror, [mirror.signing.keys.timestamp]);
    serve(files, mirror);
    const root = mirror.files.get('metadata/2.root.json')!.toString();
    const fresh = await newDevice();
    for (const [one, trust] of [
      [device, REMEMBERED],
      [fresh, given],
      [sleeping, given],
    ] as const) {
      expect(await updateDeviceOf({ url, device: one }, trust)).toMatchObject({ authenticated: true });
      expect(JSON.parse(trustOf(one)).root).toBe(root);
    }

    files.set('metadata/timestamp.json', stolen);
    const refused = { code: 'VERIFICATION', data: { reason: 'wrong-key', role: 'timestamp' } };
    for (const [one, trust] of [
      [device, REMEMBERED],
      [fresh, given],
      [await newDevice(), given],
    ] as const) {
      await expect(updateDeviceOf({ url, device: one }, trust)).rejects.toMatchObject(refused);
    }
  });

  it('of root signs no root any more for who has seen that, by a mirror that has the roots of the thief', async () => {
    const world = await makeWorld();
    const { mirror, files, url, device } = world;
    const given: TrustWish = { kind: 'root', path: await firstRootOf(world) };
    const stolen = mirror.signing.keys.root.slice(0, 2);
    const own = SigningKey.generate('ed25519');
    /** The root that comes after one, in which the thief's key takes the place of all of root. */
    const rootOfThief = ({ root: { signed } }: Repository) => {
      const roles = { ...signed.roles, root: { keyids: [own.id], threshold: 1 } };
      const keys = { ...signed.keys, [own.id]: own.publicKey };
      const next = { signatures: [], signed: { ...signed, version: signed.version + 1, keys, roles } };
      const signers = [...stolen, own];
      const ids = signers.map(({ id }) => id);
      return Buffer.from(renderEnvelope(addSignatures(next, signers, ids)));
    };
    const early = rootOfThief(await mirror.signing.current());
    files.set('metadata/2.root.json', early);
    const sleeping = await copyOf(device);
    expect(await updateDeviceOf({ url, device: sleeping }, REMEMBERED)).toMatchObject({ authenticated: true });
    expect(JSON.parse(trustOf(sleeping)).root).toBe(early.toString());

    for (const key of stolen) await replaceKeys(mirror, [key]);
    serve(files, mirror);
    expect(await updateDeviceOf(world, REMEMBERED)).toMatchObject({ authenticated: true });
    expect(JSON.parse(trustOf(device)).root).toBe(mirror.files.get('metadata/3.root.json')!.toString());

    files.set('metadata/4.root.json', rootOfThief(await mirror.signing.current()));
    const refused = { code: 'VERIFICATION', data: { reason: 'wrong-key', role: 'root' } };
    const before = trustOf(device);
    await expect(updateDeviceOf(world, REMEMBERED)).rejects.toMatchObject(refused);
    await expect(updateDeviceOf({ url, device: await newDevice() }, given)).rejects.toMatchObject(refused);
    expect(trustOf(device)).toBe(before);
  });

  async function newDevice(): Promise<string> {
    return await deviceWith(join(await temporaryDirectory(), 'device'), null);
  }

  /** A device that remembers what another one does. */
  async function copyOf(device: string): Promise<string> {
    return withTrust(await newDevice(), trustOf(device));
  }

  async function firstRootOf({ earlier }: World): Promise<string> {
    const path = join(await temporaryDirectory(), 'first.json');
    writeFileSync(path, earlier.get('metadata/1.root.json')!);
    return path;
  }
});

/** As long as there are timers. */
const FOR_EVER = 2 ** 31 - 1;
const UNLIMITED: Limits = {
  answerTimeoutMs: FOR_EVER,
  textTimeoutMs: FOR_EVER,
  pace: { bytesPerSecond: 1024, windowMs: FOR_EVER },
};

const SLOW: readonly { readonly how: string; readonly fault: DownloadFault; readonly limits: Limits }[] = [
  {
    how: 'sends too little',
    fault: 'trickle',
    limits: { ...UNLIMITED, pace: { ...UNLIMITED.pace, windowMs: 300 } },
  },
  { how: 'does not begin to answer', fault: 'no-answer', limits: { ...UNLIMITED, answerTimeoutMs: 300 } },
  { how: 'takes too long in all', fault: 'trickle', limits: { ...UNLIMITED, textTimeoutMs: 300 } },
];

describe('a device whose mirror is slow', () => {
  it.each(SLOW)('is held up for ever by one that $how, unless it has limits', async ({ fault, limits }) => {
    const mirror = await SignedMirror.make(filesOf(built()), 1);
    // Enough to trickle: blanks at the end say nothing.
    const padded = Buffer.concat([mirror.files.get('metadata/timestamp.json')!, Buffer.alloc(15_000, ' ')]);
    const files = new Map([...mirror.files, ['metadata/timestamp.json', padded]]);
    const servers = [];
    for (let count = 0; count < 2; count++) servers.push(await startFaultyServer({ files, random: () => 0.5 }));
    for (const server of servers) server.faultOf = () => fault;
    const slow = servers.map(({ url }) => url);
    const dir = await temporaryDirectory();
    const device = await deviceWith(join(dir, 'device'), null);
    const root = join(dir, 'root.json');
    writeFileSync(root, mirror.files.get('metadata/1.root.json') ?? '');
    const trust: TrustWish = { kind: 'root', path: root };

    const stop = new AbortController();
    const held = updateLatest(device, slow, trust, { limits: UNLIMITED, signal: stop.signal });
    const ended = held.catch((error: unknown) => error);
    expect(await Promise.race([ended, sleep(2_000, 'held')])).toBe('held');
    expect(servers[0]!.served.at(-1)).toMatchObject({ url: '/metadata/timestamp.json', fault });
    stop.abort();
    expect(await ended).toMatchObject({ code: 'INTERRUPTED' });

    for (const urls of [slow.slice(0, 1), slow]) {
      const refused = updateLatest(device, urls, trust, { limits, signal: AbortSignal.timeout(30_000) });
      await expect(refused).rejects.toMatchObject({ code: 'NETWORK', data: { reason: 'slow-retrieval' } });
    }
    expect(existsSync(join(device, '.update-repository', 'trust.json'))).toBe(false);
  });

  it('goes on with another mirror', async () => {
    const world = await makeWorld();
    const slow = await startFaultyServer({ files: world.mirror.files, random: () => 0.5 });
    slow.faultOf = () => 'trickle';
    const limits = { ...UNLIMITED, pace: { ...UNLIMITED.pace, windowMs: 2000 } };
    const { summary } = await updateLatest(world.device, [slow.url, world.url], REMEMBERED, { limits });
    expect(summary).toMatchObject({ to: version(1), authenticated: true });
    expect(slow.served.some(({ fault }) => fault === 'trickle')).toBe(true);
  });
});

function trustOf(device: string): string {
  return readFileSync(join(device, '.update-repository', 'trust.json'), 'utf8');
}

function withTrust(device: string, trust: string): string {
  mkdirSync(join(device, '.update-repository'), { recursive: true });
  writeFileSync(join(device, '.update-repository', 'trust.json'), trust);
  return device;
}
