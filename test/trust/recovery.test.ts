import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { policyOf } from '../../src/client/policy/policy.js';
import type { TrustWish } from '../../src/client/trust/wish.js';
import { updateDevice } from '../../src/client/update.js';
import { parseSeriesName } from '../../src/metadata/brands.js';
import { parseSeriesMeta, renderSeriesMeta } from '../../src/metadata/meta.js';
import { metaPath } from '../../src/metadata/mirror-paths.js';
import { hashNamedCopy, repositoryContents } from '../../src/trust/tuf/contents.js';
import { metadataPath, type SnapshotDocument, type TargetsDocument } from '../../src/trust/tuf/documents.js';
import { readKeyDirectory } from '../../src/trust/tuf/key-directory.js';
import { openKeyFile } from '../../src/trust/tuf/key-file.js';
import { renderEnvelope } from '../../src/trust/tuf/parse-document.js';
import { claimOf, delegatedSigners, topSigners } from '../../src/trust/tuf/repository.js';
import type { KeyRole } from '../../src/trust/tuf/role-names.js';
import { signWith } from '../../src/trust/tuf/signatures.js';
import { SigningKey } from '../../src/trust/tuf/signing-key.js';
import { startFaultyServer } from '../client/support/faulty-server.js';
import { withEvilImage } from '../client/support/signed-mirror.js';
import { currentBytes, filesOf } from '../client/support/updates.js';
import { metadataOf } from '../images/support/signed-workshop.js';
import { addImages, dayImage, SERIES as SERIES_NAME } from '../images/support/workshop.js';
import { temporaryDirectoryOfSuite } from '../support/temporary-directory.js';
import { requireTools } from '../support/tools.js';
import { isGoodForGpgv } from './openpgp/gnupg.js';
import { commandsOfPage, runDocumented } from './support/documented-commands.js';
import { makeQuick } from './support/quick-keys.js';

const PASSPHRASE = 'correct horse battery staple';
const TIMEOUT_MS = 300_000;
const SERIES = parseSeriesName(SERIES_NAME, 'the test');
const EVIL = Buffer.alloc(20_000, 'evil');
const page = commandsOfPage();
const folder = temporaryDirectoryOfSuite();
const world = join(folder, 'world');
const [www, online, safe] = [join(world, 'srv/www'), join(world, 'srv/online'), join(world, 'safe/keys')];
const root = join(world, 'mnt/stick/root.json');

/** Runs the commands of a section of the page as they stand; of one machine, where that is named. */
async function follow(section: string, env: Readonly<Record<string, string>> = {}): Promise<void> {
  const blocks = (page.get(section) ?? []).filter(({ machine }) => machine !== 'device');
  expect(blocks.length, section).toBeGreaterThan(0);
  for (const { commands } of blocks) {
    await runDocumented(commands, world, { UPDATE_REPOSITORY_PASSPHRASE: PASSPHRASE, ...env });
  }
}

// The world of the page after both ceremonies: all else begins there.
beforeAll(async () => {
  for (const dir of ['srv/images', 'safe', 'mnt/stick', 'mnt/root1', 'mnt/root2', 'mnt/root3', 'mnt/root4']) {
    mkdirSync(join(world, dir), { recursive: true });
  }
  await addImages({ imagesDir: join(world, 'srv/images'), folder }, [1, 2]);
  await follow('From the first key to a mirror');
  await follow('Two of three for root');
  for (const stick of [1, 2, 3]) await makeQuick(join(world, `mnt/root${stick}/keys`), PASSPHRASE);
  for (const keys of [online, safe]) await makeQuick(keys, PASSPHRASE);
  execFileSync('cp', ['-a', world, join(folder, 'start')]);
}, TIMEOUT_MS);
beforeEach(() => {
  rmSync(world, { recursive: true, force: true });
  execFileSync('cp', ['-a', join(folder, 'start'), world]);
});

const GIVEN: TrustWish = { kind: 'root', path: root };
const REMEMBERED: TrustWish = { kind: 'remembered' };

/** What is served, as the mirror is now; a thief may change it. */
async function serve() {
  const server = await startFaultyServer({ files: served(), random: () => 0.5 });
  return { url: server.url, files: server.files };
}

type Served = Awaited<ReturnType<typeof serve>>;

function served(): ReadonlyMap<string, Buffer> {
  return filesOf({ root: www, images: [] });
}

/** The publisher's mirror takes the place of what a thief made of it. */
function publish({ files }: Served): void {
  files.clear();
  for (const [path, bytes] of served()) files.set(path, bytes);
}

async function update({ url }: Served, name: string, trust: TrustWish = REMEMBERED) {
  const dir = join(world, 'devices', name);
  mkdirSync(dir, { recursive: true });
  const warnings: string[] = [];
  const summary = await updateDevice({
    source: { urls: [url], series: SERIES, patience: { attempts: 1, firstPauseMs: 10 } },
    device: { dir, layout: 'plain' },
    policy: policyOf({}),
    trust,
    signal: new AbortController().signal,
    onEvent: (event) => void (event.type === 'note' && event.level === 'warning' && warnings.push(event.message)),
  });
  return { summary, warnings, dir };
}

const goesOn = { summary: { authenticated: true } };

function refusedFor(reason: string, role?: string) {
  return { code: 'VERIFICATION', data: role === undefined ? { reason } : { reason, role } };
}

/** The keys of these roles out of a directory, opened by whoever has the passphrase as well. */
async function stolen(directory: string, ...roles: KeyRole[]): Promise<SigningKey[]> {
  const files = (await readKeyDirectory(directory)).filter((file) => file.sealed !== null);
  const keys = files.filter((file) => file.roles.some((role) => roles.includes(role)));
  return await Promise.all(keys.map((file) => openKeyFile(file, PASSPHRASE)));
}

interface Forgery {
  readonly roles?: ReadonlyMap<string, { readonly text: string; readonly version: number }>;
  readonly snapshot?: (signed: SnapshotDocument) => SnapshotDocument;
}

/** Serves a snapshot and a timestamp by stolen keys, which name these files. */
async function forge({ files }: Served, keys: readonly SigningKey[], { roles, snapshot: change }: Forgery) {
  const { root: rootNow, snapshot, timestamp } = await metadataOf(www);
  const meta = { ...snapshot.signed.meta };
  for (const [name, { text, version }] of roles ?? []) {
    files.set(metadataPath(name, version), Buffer.from(text));
    meta[`${name}.json`] = claimOf(text, version);
  }
  const next = { ...snapshot.signed, version: snapshot.signed.version + 1, meta };
  const signed = signWith(change?.(next) ?? next, topSigners(rootNow.signed, 'snapshot'), keys);
  const text = renderEnvelope(signed);
  files.set(metadataPath('snapshot', signed.signed.version), Buffer.from(text));
  const claim = { 'snapshot.json': claimOf(text, signed.signed.version) };
  const stamp = { ...timestamp.signed, version: timestamp.signed.version + 1, meta: claim };
  const stamped = signWith(stamp, topSigners(rootNow.signed, 'timestamp'), keys);
  files.set(metadataPath('timestamp', 0), Buffer.from(renderEnvelope(stamped)));
}

/** What the role of the series says of a malicious image, by the key that `targets` names; its files are served. */
async function evilSeries({ files }: Served, keys: readonly SigningKey[], targets: TargetsDocument) {
  const { roles } = await metadataOf(www);
  const path = metaPath(SERIES);
  const { meta, files: evil } = withEvilImage(parseSeriesMeta(readFileSync(join(www, path), 'utf8'), path), EVIL);
  const text = renderSeriesMeta(meta);
  const [series] = repositoryContents([meta], new Map([[path, text]])).series;
  const before = roles.get(SERIES);
  const role = targets.delegations?.roles.find(({ name }) => name === SERIES);
  if (series === undefined || before === undefined || role === undefined) throw new Error(SERIES);
  for (const [name, bytes] of evil) files.set(name, bytes);
  files.set(hashNamedCopy(path, series.meta.entry.hashes.sha256), Buffer.from(text));
  const named = { [path]: series.meta.entry, ...Object.fromEntries(series.files) };
  const version = before.signed.version + 1;
  const signed = { ...before.signed, version, targets: named };
  return { text: renderEnvelope(signWith(signed, delegatedSigners(targets, role), keys)), version };
}

describe('the ceremonies', () => {
  it(
    'lead to a mirror that devices follow, and to keys of root and targets that only the safe has seen',
    async () => {
      const mirror = await serve();
      expect(await update(mirror, 'one', GIVEN)).toMatchObject(goesOn);
      const offline = await stolen(online, 'root', 'targets');
      expect(offline).toEqual([]);
      for (const stick of ['root1', 'root2', 'root3']) {
        const files = await readKeyDirectory(join(world, 'mnt', stick, 'keys'));
        expect(files.flatMap(({ sealed, roles }) => (sealed === null ? [] : roles))).toEqual(['root']);
      }
      expect((await readKeyDirectory(safe)).flatMap(({ roles }) => roles)).not.toContain('root');
    },
    TIMEOUT_MS,
  );

  it('carry nothing from one machine to the other but by the stick', () => {
    const blocks = [...page.values()].flat();
    expect(new Set(blocks.map(({ machine }) => machine))).toEqual(new Set(['mirror', 'safe', 'device']));
    for (const { machine, commands } of blocks) {
      expect(commands).not.toMatch(machine === 'safe' ? /\/srv\// : /\/safe\//);
    }
  });

  it(
    'of a new series need the key of targets for one build, and no more',
    async () => {
      const mirror = await serve();
      await update(mirror, 'one', GIVEN);
      await addImages({ imagesDir: join(world, 'srv/images'), folder }, [1], { stem: 'puavo-os-other-trixie' });
      await follow('A new series');
      publish(mirror);
      const roles = (await metadataOf(www)).targets.signed.delegations?.roles ?? [];
      expect(roles.map(({ name }) => name)).toContain('puavo-os-other-trixie-amd64');
      expect(new Set(roles.flatMap(({ keyids }) => keyids)).size).toBe(1);
      expect(await update(mirror, 'one')).toMatchObject(goesOn);
      expect(await stolen(online, 'targets')).toEqual([]);
      await addImages({ imagesDir: join(world, 'srv/images'), folder }, [3]);
      const env = { UPDATE_REPOSITORY_PASSPHRASE: PASSPHRASE };
      const again = await runDocumented('update-repository build /srv/images /srv/www', world, env);
      expect(again).toContain(`signed with the keys in ${online}: as before`);
    },
    TIMEOUT_MS,
  );

  it(
    'of each year make root and targets good for longer',
    async () => {
      const mirror = await serve();
      await update(mirror, 'one', GIVEN);
      const before = await metadataOf(www);
      await follow('Each year');
      publish(mirror);
      const after = await metadataOf(www);
      for (const role of ['root', 'targets'] as const) {
        expect(after[role].signed.version).toBe(2);
        expect(Date.parse(after[role].signed.expires)).toBeGreaterThan(Date.parse(before[role].signed.expires));
      }
      expect(await update(mirror, 'one')).toMatchObject(goesOn);
    },
    TIMEOUT_MS,
  );
});

describe('a key that is lost or stolen', () => {
  it(
    'one of root: it is replaced, and signs no root any more, with another one of before',
    async () => {
      const mirror = await serve();
      await update(mirror, 'one', GIVEN);
      const [thief] = await stolen(join(world, 'mnt/root2/keys'), 'root');
      rmSync(join(world, 'mnt/root2/keys'), { recursive: true });
      await follow('One of several root keys', { LOST: thief!.id });
      publish(mirror);
      expect(await update(mirror, 'one')).toMatchObject(goesOn);
      const { signed } = (await metadataOf(www)).root;
      expect(signed.roles.root.threshold).toBe(2);
      expect(signed.roles.root.keyids).toHaveLength(3);
      expect(signed.roles.root.keyids).not.toContain(thief!.id);

      const [other] = await stolen(join(world, 'mnt/root1/keys'), 'root');
      const own = SigningKey.generate('ed25519');
      const roles = { ...signed.roles, root: { keyids: [own.id, thief!.id, other!.id], threshold: 2 } };
      const keys = { ...signed.keys, [own.id]: own.publicKey, [thief!.id]: thief!.publicKey };
      const next = { ...signed, version: signed.version + 1, keys, roles };
      const forged = signWith(next, topSigners(next, 'root'), [own, thief!, other!]);
      mirror.files.set(metadataPath('root', next.version), Buffer.from(renderEnvelope(forged)));
      await expect(update(mirror, 'one')).rejects.toMatchObject(refusedFor('threshold', 'root'));
    },
    TIMEOUT_MS,
  );

  it(
    'root itself: devices refuse the new repository until they are given its root',
    async () => {
      const mirror = await serve();
      const { dir } = await update(mirror, 'one', GIVEN);
      const image = currentBytes(dir);
      for (const stick of ['root1', 'root2']) rmSync(join(world, 'mnt', stick, 'keys'), { recursive: true });
      await follow('The root keys, or the only one');
      publish(mirror);
      await expect(update(mirror, 'one')).rejects.toMatchObject(refusedFor('wrong-key'));
      expect(currentBytes(dir)).toEqual(image);
      const last = page.get('The root keys, or the only one')?.find(({ machine }) => machine === 'device');
      const commands = last?.commands.replace('/srv/device', dir) ?? '';
      expect(await runDocumented(commands, world, { URL: mirror.url })).toMatch(
        /another root than the one that is remembered: trust begins anew/,
      );
      expect(await update(mirror, 'one')).toMatchObject({ ...goesOn, warnings: [] });
    },
    TIMEOUT_MS,
  );

  it(
    'targets: what the stolen key delegated counts no more',
    async () => {
      const mirror = await serve();
      await update(mirror, 'one', GIVEN);
      const thief = [...(await stolen(safe, 'targets')), ...(await stolen(online, 'snapshot', 'timestamp'))];
      const own = SigningKey.generate('ed25519');
      const { root: rootNow, targets } = await metadataOf(www);
      const before = targets.signed.delegations!;
      const roles = before.roles.map((role) => (role.name === SERIES ? { ...role, keyids: [own.id] } : role));
      const delegations = { keys: { ...before.keys, [own.id]: own.publicKey }, roles };
      const version = targets.signed.version + 1;
      const signed = { ...targets.signed, version, delegations };
      const forgeAll = async () =>
        forge(mirror, thief, {
          roles: new Map([
            [
              'targets',
              { text: renderEnvelope(signWith(signed, topSigners(rootNow.signed, 'targets'), thief)), version },
            ],
            [SERIES, await evilSeries(mirror, [own], signed)],
          ]),
        });
      await forgeAll();
      const { dir } = await update(mirror, 'deceived', GIVEN);
      expect(currentBytes(dir)).toEqual(EVIL);

      await follow('targets');
      publish(mirror);
      expect(await update(mirror, 'one')).toMatchObject(goesOn);
      // The thief still has timestamp and snapshot.
      await forgeAll();
      await expect(update(mirror, 'new', GIVEN)).rejects.toMatchObject(refusedFor('wrong-key', 'targets'));
    },
    TIMEOUT_MS,
  );

  it(
    'a stolen key of a series alone is good for nothing',
    async () => {
      const mirror = await serve();
      const { targets, roles } = await metadataOf(www);
      const { text } = await evilSeries(mirror, await stolen(online, 'series'), targets.signed);
      const version = roles.get(SERIES)?.signed.version ?? 0;
      mirror.files.set(metadataPath(SERIES, version), Buffer.from(text));
      await expect(update(mirror, 'one', GIVEN)).rejects.toMatchObject(refusedFor('mix-and-match', SERIES));
    },
    TIMEOUT_MS,
  );

  it(
    'online keys that were stolen sign an image, until they are replaced',
    async () => {
      const mirror = await serve();
      await update(mirror, 'one', GIVEN);
      const thief = await stolen(online, 'series', 'snapshot', 'timestamp');
      const { targets } = await metadataOf(www);
      const other = { version: 2 ** 31 - 2, length: 1, hashes: claimOf('', 1).hashes };
      const forward = (signed: SnapshotDocument) => {
        return { ...signed, version: 2 ** 31 - 2, meta: { ...signed.meta, 'other.json': other } };
      };
      await forge(mirror, thief, { snapshot: forward });
      expect(await update(mirror, 'put-forward', GIVEN)).toMatchObject(goesOn);
      const evil = new Map([[SERIES, await evilSeries(mirror, thief, targets.signed)]]);
      await forge(mirror, thief, { roles: evil, snapshot: forward });
      const { dir } = await update(mirror, 'deceived', GIVEN);
      expect(currentBytes(dir)).toEqual(EVIL);

      await follow('All online keys, or their passphrase', { UPDATE_REPOSITORY_PASSPHRASE: 'is lost' });
      const rounds = [
        ['timestamp', 'rollback'],
        ['snapshot', null],
        ['series', null],
      ] as const;
      for (const [role, refused] of rounds) {
        await followRound(role);
        publish(mirror);
        if (refused !== null) await expect(update(mirror, 'put-forward')).rejects.toMatchObject(refusedFor(refused));
        else expect(await update(mirror, 'put-forward')).toMatchObject(goesOn);
        expect(await update(mirror, 'one')).toMatchObject(goesOn);
      }
      // Who has the thief's image under the name of a good one gets that.
      const cured = await update(mirror, 'deceived');
      expect(cured.summary).toMatchObject({ changed: true });
      expect(currentBytes(dir)).not.toEqual(EVIL);
      expect(currentBytes(dir)).toEqual(readFileSync(join(www, basename(readlinkSync(join(dir, 'current'))))));
      await addImages({ imagesDir: join(world, 'srv/images'), folder }, [3]);
      const passphrase = { UPDATE_REPOSITORY_PASSPHRASE: 'another passphrase' };
      await runDocumented('update-repository build --quiet /srv/images /srv/www', world, passphrase);
      publish(mirror);
      expect(await update(mirror, 'deceived')).toMatchObject(goesOn);
      expect(currentBytes(dir)).toEqual(readFileSync(join(www, dayImage(3))));
      expect((await readKeyDirectory(online)).filter(({ sealed }) => sealed !== null)).toHaveLength(3);
      expect(readdirSync(join(online, 'retired'))).toHaveLength(3);

      // Whatever of the publisher's new metadata the thief lets through, his own is refused.
      const { root: rootNow } = await metadataOf(www);
      expect(rootNow.signed.version).toBe(3);
      mirror.files.set(metadataPath('timestamp', 0), stampOfThief(thief, await metadataOf(www)));
      await expect(update(mirror, 'one')).rejects.toMatchObject(refusedFor('wrong-key', 'timestamp'));
      publish(mirror);
      const name = metadataPath(SERIES, (await metadataOf(www)).roles.get(SERIES)?.signed.version ?? 0);
      mirror.files.set(name, Buffer.from(evil.get(SERIES)?.text ?? ''));
      await expect(update(mirror, 'new', GIVEN)).rejects.toMatchObject(refusedFor('mix-and-match', SERIES));
    },
    2 * TIMEOUT_MS,
  );

  it(
    'OpenPGP: by the new keyring the stolen key signs nothing',
    async (context) => {
      requireTools(context, 'gpgv');
      const env = { UPDATE_REPOSITORY_PASSPHRASE: PASSPHRASE };
      const { commands } = page.get('OpenPGP')![0]!;
      // The first key is made by the same commands, under another name.
      const first = commands.replaceAll('/srv/new.asc', '/srv/old.asc');
      await runDocumented(first, world, env);
      const read = (path: string) => readFileSync(join(www, path));
      const old = { data: read('SHA256SUMS'), signature: read('SHA256SUMS.gpg'), keyring: read('KEY.gpg') };
      const dir = join(world, 'gpgv');
      mkdirSync(dir);
      expect(isGoodForGpgv(dir, old)).toBe(true);
      await runDocumented(commands, world, env);
      const keyring = read('KEY.gpg');
      const anew = { data: read('SHA256SUMS'), signature: read('SHA256SUMS.gpg'), keyring };
      expect(isGoodForGpgv(dir, anew)).toBe(true);
      expect(isGoodForGpgv(dir, { ...old, keyring })).toBe(false);
      expect(isGoodForGpgv(dir, { ...anew, keyring: old.keyring })).toBe(false);
      expect(existsSync(join(world, 'srv/old.asc'))).toBe(true);
    },
    TIMEOUT_MS,
  );
});

/** The commands for one role, by the passphrases of two machines. */
async function followRound(role: KeyRole): Promise<void> {
  for (const { machine, commands } of page.get('timestamp, snapshot, a series, mirror') ?? []) {
    const passphrase = machine === 'safe' ? PASSPHRASE : 'another passphrase';
    await runDocumented(commands, world, { ROLE: role, UPDATE_REPOSITORY_PASSPHRASE: passphrase });
  }
}

function stampOfThief(keys: readonly SigningKey[], { root: now, timestamp }: Awaited<ReturnType<typeof metadataOf>>) {
  const id = keys.map((key) => key.id);
  const roles = { ...now.signed.roles, timestamp: { keyids: id as never, threshold: 1 } };
  const next = { ...timestamp.signed, version: timestamp.signed.version + 1 };
  return Buffer.from(renderEnvelope(signWith(next, topSigners({ ...now.signed, roles }, 'timestamp'), keys)));
}
