import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { filePieces } from '../../../src/client/bundle/file-pieces.js';
import { type BundledPath, makeBundle } from '../../../src/client/bundle/make-bundle.js';
import { type BundledFile, type BundleManifest, makeManifest } from '../../../src/client/bundle/manifest.js';
import { openBundle } from '../../../src/client/bundle/read-bundle.js';
import { updateFromBundle } from '../../../src/client/bundle/update-from-bundle.js';
import { writeBundle } from '../../../src/client/bundle/write-bundle.js';
import { fileNameOf } from '../../../src/client/hop.js';
import { policyOf } from '../../../src/client/policy/policy.js';
import type { TrustWish } from '../../../src/client/trust/wish.js';
import type { ImageVersion, Sha256Hex } from '../../../src/metadata/brands.js';
import { metaPath } from '../../../src/metadata/mirror-paths.js';
import { hashNamedCopy } from '../../../src/trust/tuf/contents.js';
import { runCli } from '../../cli/run.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';
import { allKeys } from '../../trust/tuf/support/sample-keys.js';
import { type FaultyServer, startFaultyServer } from '../support/faulty-server.js';
import { replaceKeys, SignedMirror, withEvilImage } from '../support/signed-mirror.js';
import { builtForSuite, currentBytes, deviceWith, filesOf, versionIn } from '../support/updates.js';

const built = builtForSuite(3, 'neighbours');
afterEach(() => {
  vi.useRealTimers();
});

const EVIL = Buffer.alloc(20_000, 'evil');
const REMEMBERED: TrustWish = { kind: 'remembered' };
const INSECURE: TrustWish = { kind: 'insecure' };
const { signal } = new AbortController();
const version = (n: number) => versionIn(String(built().images[n])) as ImageVersion;
const image = (n: number) => readFileSync(String(built().images[n]));

interface World {
  readonly dir: string;
  readonly mirror: SignedMirror;
  readonly server: FaultyServer;
  /** The first root of the mirror. */
  readonly root: string;
}

async function makeWorld(versions = 2, files = filesOf(built())): Promise<World> {
  const mirror = await SignedMirror.make(files, versions);
  const server = await startFaultyServer({ files: mirror.files, random: () => 0.5 });
  const dir = await temporaryDirectory();
  const root = join(dir, 'root.json');
  writeFileSync(root, mirror.files.get('metadata/1.root.json') ?? '');
  return { dir, mirror, server, root };
}

function serve({ server, mirror }: World): void {
  for (const [path, bytes] of mirror.files) server.files.set(path, bytes);
}

/** Makes a bundle that leads to the newest of so many versions. */
async function bundle(
  world: World,
  to: number,
  { from = null, rootPath = world.root }: Partial<BundledPath & { rootPath: string | null }> = {},
) {
  const path = join(world.dir, `${from ?? 'none'}-${to}-${Math.random()}.tar`);
  const summary = await makeBundle(
    { from, to: version(to - 1) },
    {
      source: { urls: [world.server.url], patience: { attempts: 1, firstPauseMs: 1 } },
      ...(rootPath === null ? {} : { rootPath }),
      limitBytesPerSecond: null,
      output: { path, force: false },
      signal,
      onEvent: () => undefined,
    },
  );
  return { path, summary };
}

async function update(path: string, device: string, trust: TrustWish = REMEMBERED) {
  const warnings: string[] = [];
  const summary = await updateFromBundle({
    source: { path },
    device: { dir: device, layout: 'plain' },
    policy: policyOf({}),
    trust,
    signal,
    onEvent: (event) => {
      if (event.type === 'note' && event.level === 'warning') warnings.push(event.message);
    },
  });
  return { summary, warnings };
}

async function newDevice(index: number | null = null): Promise<string> {
  return await deviceWith(
    join(await temporaryDirectory(), 'device'),
    index === null ? null : String(built().images[index]),
  );
}

function remembered(device: string): Record<string, unknown> {
  return JSON.parse(readFileSync(join(device, '.update-repository', 'trust.json'), 'utf8'));
}

/** What is in a bundle. */
async function contentsOf(path: string) {
  const { manifest, metadata, files } = await openBundle(filePieces(path), path);
  const bytes = new Map<string, Buffer>();
  for await (const { hop, bytes: pieces } of files) {
    const all: Uint8Array[] = [];
    for await (const piece of pieces) all.push(piece);
    bytes.set(fileNameOf(hop), Buffer.concat(all));
  }
  return { manifest, metadata: new Map(metadata), bytes };
}

/** Writes what somebody made of a bundle, with the digests that it needs to be read. */
async function forged(
  dir: string,
  { manifest, metadata, bytes }: Awaited<ReturnType<typeof contentsOf>>,
): Promise<string> {
  const path = join(dir, `forged-${Math.random()}.tar`);
  const files = [...metadata].map(([filename, text]): BundledFile => {
    return { filename, size: Buffer.byteLength(text), sha256: sha256(text) };
  });
  const whole: BundleManifest = { ...manifest, metadata: files };
  async function* openFile({ filename }: BundledFile): AsyncIterable<Uint8Array> {
    yield bytes.get(filename) ?? Buffer.from(metadata.get(filename) ?? '');
  }
  await writeBundle({ manifest: whole, openFile, path, force: false, signal });
  return path;
}

function sha256(bytes: string | Buffer): Sha256Hex {
  return createHash('sha256').update(bytes).digest('hex') as Sha256Hex;
}

describe('a bundle that was made with a root', () => {
  it('carries what vouches for it, and is verified and remembered where there is no network', async () => {
    const world = await makeWorld();
    const { path, summary } = await bundle(world, 2, { from: version(0) });
    world.server.stop();
    const { manifest, metadata } = await contentsOf(path);
    const names = manifest.metadata.map(({ filename }) => filename);
    const copies = names.filter((name) => /[0-9a-f]{64}/.test(name));
    expect(names.filter((name) => !copies.includes(name))).toEqual([
      'metadata/1.root.json',
      'metadata/timestamp.json',
      'metadata/1.snapshot.json',
      'metadata/1.targets.json',
      'metadata/1.mirror.json',
      `metadata/1.${manifest.series}.json`,
    ]);
    expect(copies.map((name) => name.replace(/[0-9a-f]{64}/, '#'))).toEqual([
      'metadata/#.index.json',
      `metadata/meta/#.${manifest.series}.json`,
    ]);
    const { timestamp } = await world.mirror.signing.current();
    expect(summary.goodUntil).toBe(timestamp.signed.expires);

    const device = await newDevice(0);
    const given = await update(path, device, { kind: 'root', path: world.root });
    expect(given).toMatchObject({ summary: { to: version(1), authenticated: true }, warnings: [] });
    expect(currentBytes(device)).toEqual(image(1));
    expect(remembered(device).timestamp).toBe(metadata.get('metadata/timestamp.json'));
    const again = await newDevice(0);
    await update(path, again, { kind: 'first-use' }).then(({ warnings }) => {
      expect(warnings.join()).toContain(`the root with sha256 ${sha256(readFileSync(world.root))}`);
    });
    expect(currentBytes(again)).toEqual(image(1));
    expect(await update(path, again)).toMatchObject({ summary: { changed: false, authenticated: true } });
  });

  it('is one that nobody vouches for to a device without a root', async () => {
    const { path } = await bundle(await makeWorld(), 2);
    const device = await newDevice();
    expect(await update(path, device)).toMatchObject({ summary: { to: version(1), authenticated: false } });
    expect(existsSync(join(device, '.update-repository', 'trust.json'))).toBe(false);
  });

  it('is followed from the first root on, whichever the bundle was made with', async () => {
    const world = await makeWorld();
    const sleepy = await newDevice();
    await update((await bundle(world, 2)).path, sleepy, { kind: 'root', path: world.root });
    const keys = await replaceKeys(world.mirror, allKeys(world.mirror.signing.keys));
    await world.mirror.show(3, undefined, keys);
    serve(world);
    const roots = [...world.mirror.files.keys()].filter((name) => name.endsWith('.root.json'));
    expect(roots.length).toBeGreaterThan(3);
    const newest = join(world.dir, 'newest.json');
    writeFileSync(newest, world.mirror.files.get(`metadata/${roots.length}.root.json`) ?? '');
    const { path } = await bundle(world, 3, { rootPath: newest });
    expect(await update(path, sleepy)).toMatchObject({ summary: { to: version(2), authenticated: true } });
    expect(remembered(sleepy).root).toBe(readFileSync(newest, 'utf8'));
    const fresh = await newDevice();
    expect(await update(path, fresh, { kind: 'first-use' })).toMatchObject({ summary: { authenticated: true } });
  });

  it('is not made of what the root does not vouch for, nor with a root that the first one does not lead to', async () => {
    const world = await makeWorld();
    const other = await makeWorld();
    const refused = bundle(world, 2, { rootPath: other.root });
    await expect(refused).rejects.toMatchObject({ code: 'VERIFICATION', data: { reason: 'wrong-key' } });
    await replaceKeys(other.mirror, [other.mirror.signing.keys.timestamp]);
    const second = join(world.dir, 'second.json');
    writeFileSync(second, other.mirror.files.get('metadata/2.root.json') ?? '');
    await expect(bundle(world, 2, { rootPath: second })).rejects.toMatchObject({
      code: 'VERIFICATION',
      data: { reason: 'wrong-key', file: second },
    });
    const evil = withEvilImage(world.mirror.meta(2), EVIL);
    for (const [path, bytes] of evil.files) world.server.files.set(path, bytes);
    const careless = await bundle(world, 2, { rootPath: null });
    expect((await contentsOf(careless.path)).bytes.get(evil.meta.images[1]!.filename)).toEqual(EVIL);
    const signed = world.mirror.contentsOf(2).series[0]!.meta.entry.hashes.sha256;
    const path = metaPath(evil.meta.series);
    world.server.files.set(hashNamedCopy(path, signed), evil.files.get(path)!);
    await expect(bundle(world, 2)).rejects.toMatchObject({
      code: 'VERIFICATION',
      data: { reason: 'arbitrary-software' },
    });
  });

  it('keeps to the barriers of the signed meta file, whatever it says itself', async () => {
    const files = new Map(filesOf(built()));
    const [name, text] = [...files].find(([path]) => path.startsWith('meta/'))!;
    const meta = JSON.parse(text.toString()) as Record<string, { images: { version: string; barrier?: boolean }[] }>;
    for (const one of Object.values(meta)[0]!.images) if (one.version === version(1)) one.barrier = true;
    const world = await makeWorld(3, files.set(name, Buffer.from(JSON.stringify(meta))));
    const contents = await contentsOf((await bundle(world, 3)).path);
    const careless = await newDevice(0);
    const path = await forged(world.dir, contents);
    expect(await update(path, careless)).toMatchObject({ summary: { to: version(2) } });
    const device = await newDevice(0);
    const refused = update(path, device, { kind: 'root', path: world.root });
    await expect(refused).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect(currentBytes(device)).toEqual(image(0));
  });

  it('is made, planned and applied on the command line', async () => {
    const world = await makeWorld();
    const path = join(world.dir, 'cli.tar');
    const from = ['-o', path, world.server.url, 'none', version(1)];
    const made = await runCli(['bundle', '--trust', world.root, ...from]);
    expect(made).toMatchObject({ code: 0, stdout: expect.stringMatching(/ 1 file, signed until \d{4}-\d\d-\d\dT/) });
    const device = await newDevice();
    const planned = await runCli(['update', '--plan', '--trust', world.root, path, device]);
    expect(planned, planned.stderr).toMatchObject({ code: 10 });
    expect(remembered(device).root).toBe(await readFile(world.root, 'utf8'));
    const updated = await runCli(['--json', 'update', path, device]);
    expect(updated).toMatchObject({ code: 0, stdout: expect.stringContaining('"authenticated":true') });
    const careless = await runCli(['bundle', '--force', ...from]);
    expect(careless).toMatchObject({ code: 0, stdout: expect.stringContaining(' unauthenticated') });
    const refused = await runCli(['--json', 'update', path, device]);
    expect(refused).toMatchObject({ code: 3, stdout: expect.stringContaining('"reason":"missing-metadata"') });
  });
});

type Contents = Awaited<ReturnType<typeof contentsOf>>;

interface Attack {
  readonly name: string;
  readonly reason: string;
  /** What the good bundle that leads to the second version is exchanged for. */
  readonly make: (good: Contents, world: World) => Promise<Contents> | Contents;
}

/** The same bundle with another image, and what is said of that. */
function evilOf({ metadata }: Contents, { mirror }: World): Contents {
  const { series, images } = withEvilImage(mirror.meta(2), EVIL).meta;
  const evil = images[1]!;
  return {
    manifest: makeManifest(series, [{ kind: 'image', image: evil }], undefined),
    metadata,
    bytes: new Map([[evil.filename, EVIL]]),
  };
}

const ATTACKS: readonly Attack[] = [
  { name: 'arbitrary software', reason: 'arbitrary-software', make: evilOf },
  {
    name: 'a bundle without metadata',
    reason: 'missing-metadata',
    make: (good, world) => ({ ...evilOf(good, world), metadata: new Map() }),
  },
  {
    name: 'a bundle without a part of its metadata',
    reason: 'missing-metadata',
    make(good, world) {
      good.metadata.delete('metadata/2.snapshot.json');
      return evilOf(good, world);
    },
  },
  {
    name: 'an image that no role speaks of',
    reason: 'extraneous-dependencies',
    make(good, world) {
      const { manifest, metadata } = evilOf(good, world);
      const { series, hops } = manifest;
      const before = hops[0]!.image;
      const id = before.id.replace('-test-', '-other-');
      const name = `${id}.img`;
      const image = { ...before, id, filename: name };
      return {
        manifest: makeManifest(series, [{ kind: 'image', image }], undefined),
        metadata,
        bytes: new Map([[name, EVIL]]),
      };
    },
  },
  {
    name: 'metadata of somebody else',
    reason: 'wrong-key',
    async make(good, world) {
      const other = await SignedMirror.make(filesOf(built()), 2);
      const [path, timestamp] = ['metadata/timestamp.json', other.files.get('metadata/timestamp.json')!];
      good.metadata.set(path, timestamp.toString());
      return evilOf(good, world);
    },
  },
  {
    name: 'mix-and-match: an older snapshot under the name of the newer one',
    reason: 'mix-and-match',
    make(good, world) {
      good.metadata.set('metadata/2.snapshot.json', world.mirror.files.get('metadata/1.snapshot.json')!.toString());
      return evilOf(good, world);
    },
  },
  {
    name: 'endless data',
    reason: 'endless-data',
    make(good, world) {
      good.metadata.set('metadata/timestamp.json', ' '.repeat(20_000));
      return evilOf(good, world);
    },
  },
  {
    name: 'freeze',
    reason: 'freeze',
    make(good) {
      vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 8 * 86_400_000 });
      return good;
    },
  },
];

describe('a device that trusts a root', () => {
  /** It has seen the second version, of whose image it has nothing any more. */
  async function seen(world: World): Promise<{ device: string; trust: string }> {
    const before = await newDevice();
    await update((await bundle(world, 1)).path, before, { kind: 'root', path: world.root });
    return { device: before, trust: JSON.stringify(remembered(before)) };
  }

  it.each(ATTACKS)('refuses by a bundle $name, which gets through to one that trusts none', async (attack) => {
    const world = await makeWorld(1);
    const { device, trust } = await seen(world);
    await world.mirror.show(2);
    serve(world);
    const good = await contentsOf((await bundle(world, 2)).path);
    const path = await forged(world.dir, await attack.make(good, world));

    const careless = await newDevice();
    expect(await update(path, careless)).toMatchObject({ summary: { authenticated: false } });
    expect(currentBytes(careless)).toEqual(attack.name === 'freeze' ? image(1) : EVIL);

    await expect(update(path, device)).rejects.toMatchObject({ code: 'VERIFICATION', data: { reason: attack.reason } });
    expect(currentBytes(device)).toEqual(image(0));
    expect(JSON.stringify(remembered(device))).toBe(trust);
    const { warnings } = await update(path, device, INSECURE);
    expect(warnings.join()).toMatch(/INSECURE/);
    expect(JSON.stringify(remembered(device))).toBe(trust);
  });

  it('refuses a bundle that is older than what it has seen, by a mirror or by another bundle', async () => {
    const world = await makeWorld(2);
    const old = (await bundle(world, 2)).path;
    await world.mirror.show(3);
    serve(world);
    const device = await newDevice();
    await update((await bundle(world, 3)).path, device, { kind: 'root', path: world.root });
    const careless = await newDevice();
    expect(await update(old, careless)).toMatchObject({ summary: { to: version(1) } });
    const refused = { code: 'VERIFICATION', data: { reason: 'rollback', role: 'timestamp' } };
    await expect(update(old, device)).rejects.toMatchObject(refused);
    await expect(update(old, device, { kind: 'root', path: world.root })).rejects.toMatchObject(refused);
    await expect(update(old, device, { kind: 'first-use' })).rejects.toMatchObject(refused);
  });
});
