import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { stateOfRoot, type TrustState } from '../../../src/client/trust/state.js';
import { type Release, textObject } from '../../../src/publish/release.js';
import type { RepositoryContents } from '../../../src/trust/tuf/contents.js';
import type { RoleAssignment } from '../../../src/trust/tuf/delegations.js';
import { isRootPath } from '../../../src/trust/tuf/documents.js';
import { type Drafts, NO_DRAFTS, parseDrafts, renderDrafts, signDrafts } from '../../../src/trust/tuf/drafts.js';
import { changeKey, firstDrafts } from '../../../src/trust/tuf/key-changes.js';
import { DEFAULT_LIFETIMES } from '../../../src/trust/tuf/lifetimes.js';
import { parseEnvelope } from '../../../src/trust/tuf/parse-document.js';
import type { Repository } from '../../../src/trust/tuf/repository.js';
import { rootsNeeded } from '../../../src/trust/tuf/root-overlap.js';
import { SigningKey } from '../../../src/trust/tuf/signing-key.js';
import { MemoryStorage } from '../../publish/support/memory-storage.js';
import { publishTo } from '../../publish/support/releases.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';
import { allKeys, assignmentsOf, type SampleKeys, sampleKeys } from './support/sample-keys.js';
import { NOW, SampleMirror } from './support/sample-mirror.js';
import { sampleContents, sampleSeries } from './support/sample-series.js';
import { seeByUs } from './support/seen-by-us.js';
import { type SeenState, seeState, underRootOf } from './support/seen-state.js';

type Files = Map<string, Buffer>;

/** Keys of the sample; of snapshot there are three, of which two sign, and of timestamp two, which both sign. */
interface ManyKeys extends SampleKeys {
  readonly snapshots: readonly [SigningKey, SigningKey, SigningKey];
  readonly timestamps: readonly [SigningKey, SigningKey];
}

/** A key that goes, and one that comes in its place, if any. */
interface Change {
  readonly from: SigningKey;
  readonly to: SigningKey | null;
}

/** A mirror whose keys change. */
class RotatedMirror {
  readonly mirror: SampleMirror;
  readonly keys: ManyKeys;
  /** All that there ever were. */
  readonly ring: SigningKey[];

  static async make(): Promise<RotatedMirror> {
    const made = new RotatedMirror();
    const { keys, mirror, ring } = made;
    const some = (all: readonly SigningKey[]): RoleAssignment => {
      return { keys: all.map(({ publicKey }) => publicKey), threshold: 2 };
    };
    const assignments = {
      ...assignmentsOf(keys),
      snapshot: some([...keys.snapshots, keys.snapshot]),
      timestamp: some([...keys.timestamps, keys.timestamp]),
    };
    const drafts = firstDrafts(assignments, contentsOf(1), { lifetimes: DEFAULT_LIFETIMES, now: NOW });
    await mirror.step({ contents: contentsOf(1), drafts, keys: ring });
    made.#putIndexes(contentsOf(1));
    return made;
  }

  private constructor() {
    const three = () => SigningKey.generate('ed25519');
    this.keys = { ...sampleKeys(), snapshots: [three(), three(), three()], timestamps: [three(), three()] };
    this.mirror = new SampleMirror(this.keys);
    const { snapshots, timestamps, ...others } = this.keys;
    this.ring = [...allKeys(others), ...snapshots, ...timestamps];
  }

  /** The files that there are now. */
  get files(): Files {
    return new Map(this.mirror.files);
  }

  async repository(): Promise<Repository> {
    return await this.mirror.current();
  }

  /**
   * Changes keys, at once, with every key at hand but those that are lost. Gives what the files were before, and after each
   * that was written.
   */
  async change(changes: readonly Change[], { lost = [], images = null }: Circumstances = {}): Promise<Files[]> {
    this.ring.push(...changes.flatMap(({ to }) => to ?? []));
    const keys = this.ring.filter((key) => !lost.includes(key));
    const drafts = draftsOf(await this.repository(), changes);
    return await this.step(drafts, images === null ? null : contentsOf(images), keys);
  }

  /** The same for what is signed as ever. */
  async step(drafts: Drafts, contents: RepositoryContents | null, keys: readonly SigningKey[]): Promise<Files[]> {
    const before = this.files;
    if (contents !== null) this.#putIndexes(contents);
    const next = await this.mirror.step({ drafts, contents, keys });
    const named = [...this.files].filter(([path]) => !path.startsWith('metadata/'));
    const states = [new Map([...before, ...named])];
    for (const { path, text } of next?.stages.flat() ?? []) {
      states.push(new Map([...(states.at(-1) ?? []), [path, Buffer.from(text)]]));
    }
    return states;
  }

  /** All that a client reads an index by is its copy; that it is there says that it may be asked for. */
  #putIndexes({ series, indexes }: RepositoryContents): void {
    for (const { name, meta } of series) this.mirror.files.set(`meta/${name}.json`, Buffer.from(meta.text));
    for (const [path, { text }] of indexes) this.mirror.files.set(path, Buffer.from(text));
  }
}

interface Circumstances {
  readonly lost?: readonly SigningKey[];
  /** How many images there are then; null leaves what is signed as it is. */
  readonly images?: number | null;
}

function contentsOf(images: number): RepositoryContents {
  return sampleContents([sampleSeries('puavo-os', images)]);
}

/** One root, and one targets, of several changes. */
function draftsOf(current: Repository, changes: readonly Change[]): Drafts {
  let after = current;
  for (const { from, to } of changes) {
    const change = { from: from.id, to: to?.publicKey ?? null, roles: null };
    const { root, targets } = changeKey(after, change, { lifetimes: DEFAULT_LIFETIMES, now: NOW });
    after = { ...after, root: root ?? after.root, targets: targets ?? after.targets };
  }
  const root = { ...after.root, signed: { ...after.root.signed, version: current.root.signed.version + 1 } };
  const targets = {
    ...after.targets,
    signed: { ...after.targets.signed, version: current.targets.signed.version + 1 },
  };
  return {
    root: after.root === current.root ? null : root,
    targets: after.targets === current.targets ? null : targets,
  };
}

/** Everyone who may come to a mirror: tuf-js and a device of ours, each with what it knows. */
class Clients {
  readonly #folder: string;
  readonly #roots: readonly Buffer[];
  readonly #knowing: SeenState;
  readonly #known: TrustState;
  /** Comes again and again. */
  #following: TrustState;
  #visits = 0;

  /** Those who know what there is at first: any of its roots alone, or all of it. */
  static async of(files: Files): Promise<Clients> {
    const folder = await temporaryDirectory();
    const roots = rootsIn(files);
    const knowing = await seeState(join(folder, 'known'), files);
    const { state } = await seeByUs(stateOfRoot(`${roots[0]}`), files);
    cpSync(join(folder, 'known'), join(folder, 'following'), { recursive: true });
    return new Clients(folder, roots, knowing, state);
  }

  private constructor(folder: string, roots: readonly Buffer[], knowing: SeenState, known: TrustState) {
    this.#folder = folder;
    this.#roots = roots;
    this.#knowing = knowing;
    this.#known = known;
    this.#following = known;
  }

  get before(): SeenState {
    return this.#knowing;
  }

  /** What each of them sees now. Throws what the first one says who refuses it. */
  async look(files: Files): Promise<SeenState[]> {
    const visit = join(this.#folder, `visit-${++this.#visits}`);
    const seen: SeenState[] = [];
    for (const [index, root] of [...this.#roots.entries(), ...newRoots(files, this.#roots)]) {
      seen.push(await seeState(join(visit, `${index}`), new Map([...files, ['metadata/1.root.json', root]])));
      seen.push((await seeByUs(stateOfRoot(`${root}`), files)).seen);
    }
    cpSync(join(this.#folder, 'known'), join(visit, 'known'), { recursive: true });
    seen.push(await seeState(join(visit, 'known'), files), (await seeByUs(this.#known, files)).seen);
    seen.push(await seeState(join(this.#folder, 'following'), files));
    const following = await seeByUs(this.#following, files);
    this.#following = following.state;
    return [...seen, following.seen];
  }
}

function rootsIn(files: Files): Buffer[] {
  const roots: Buffer[] = [];
  for (let root = files.get('metadata/1.root.json'); root !== undefined; ) {
    roots.push(root);
    root = files.get(`metadata/${roots.length + 1}.root.json`);
  }
  return roots;
}

function newRoots(files: Files, known: readonly Buffer[]): [number, Buffer][] {
  return [...rootsIn(files).entries()].slice(known.length);
}

/** Has every client look at each of these states, and says how many of these some of them refuse. */
async function refusalsIn(states: readonly Files[]): Promise<number> {
  const [first, last] = [states[0] ?? new Map(), states.at(-1) ?? new Map()];
  const clients = await Clients.of(first);
  const { before } = clients;
  const after = (await (await Clients.of(last)).look(last))[0] ?? before;
  let refused = 0;
  for (const files of states) {
    const root = rootsIn(files).length;
    const under = (state: SeenState) => underRootOf(state, { versions: { root }, targets: {} });
    try {
      for (const seen of await clients.look(files)) expect([under(before), under(after)]).toContainEqual(seen);
    } catch (error) {
      if (!/(timestamp|snapshot|targets) was signed by \d\/\d keys/.test(`${error}`)) throw error;
      refused += 1;
    }
  }
  expect(await clients.look(last)).toContainEqual(after);
  return refused;
}

/** What there is of a mirror, as `publish` takes it. */
function releaseOf(files: Files, repository: Repository): Release {
  const objects = [...files].map(([path, bytes]) => textObject(path, `${bytes}`, 'application/json'));
  const isTimestamp = (path: string) => path === 'metadata/timestamp.json';
  const roots = rootsIn(files).map((text, at) => parseEnvelope('root', `${text}`, `${at + 1}.root.json`).signed);
  const isIndex = (path: string) => !path.endsWith('.img') && !/^(metadata|rdiffs)\//.test(path);
  return {
    immutables: objects.filter(({ path }) => !isRootPath(path) && !isTimestamp(path) && !isIndex(path)),
    lateImmutables: roots.map(({ version }) => objects.find(({ path }) => path === `metadata/${version}.root.json`)!),
    lateNeeded: rootsNeeded(roots, repository),
    indexStages: [objects.filter(({ path }) => isIndex(path)), objects.filter(({ path }) => isTimestamp(path))],
  };
}

/** A place that is looked at after each object that is stored. */
class WatchedStorage extends MemoryStorage {
  readonly states: Files[] = [];

  get files(): Files {
    const served = [...this.objects].filter(([path]) => !path.startsWith('.update-repository/'));
    return new Map(served.map(([path, { bytes }]) => [path, bytes]));
  }

  override async put(...args: Parameters<MemoryStorage['put']>) {
    const stored = await super.put(...args);
    if (!args[0].path.startsWith('.update-repository/')) this.states.push(this.files);
    return stored;
  }
}

/** Publishes what was before and what is now; gives the states in between that some client refuses. */
async function refusalsInPublishing(before: Release, after: Release): Promise<number> {
  const storage = new WatchedStorage();
  await publishTo(storage, before);
  const start = storage.files;
  storage.states.length = 0;
  await publishTo(storage, after, { transfers: 1 });
  // New images and indexes are there first: clients ask for those that the metadata names.
  return await refusalsIn([start, ...storage.states].map((files) => new Map([...start, ...files])));
}

const ed25519 = () => SigningKey.generate('ed25519');
const rotated = (...keys: readonly SigningKey[]): Change[] => keys.map((from) => ({ from, to: ed25519() }));

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'], now: NOW });
  return () => vi.useRealTimers();
});

interface Case extends Circumstances {
  readonly name: string;
  readonly changes: (keys: ManyKeys) => Change[];
}

const cases: readonly Case[] = [
  { name: 'a root key alone', changes: ({ root }) => rotated(root[0]) },
  { name: 'two root keys, as many as have to sign', changes: ({ root }) => rotated(root[0], root[1]) },
  { name: 'the key of targets', changes: ({ targets }) => rotated(targets) },
  { name: 'a key of timestamp', changes: ({ timestamp }) => rotated(timestamp) },
  { name: 'all keys of timestamp', changes: ({ timestamp, timestamps }) => rotated(timestamp, ...timestamps) },
  { name: 'all keys of snapshot', changes: ({ snapshot, snapshots }) => rotated(snapshot, ...snapshots) },
  { name: "the key of series and of the mirror's indexes", changes: ({ online }) => rotated(online) },
  {
    name: 'every key, with a new image',
    changes: ({ root, targets, online, snapshot, snapshots, timestamp, timestamps }) =>
      rotated(...root, targets, online, snapshot, ...snapshots, timestamp, ...timestamps),
    images: 2,
  },
  {
    name: 'a key of snapshot that goes, and the key of targets',
    changes: ({ snapshots, targets }) => [{ from: snapshots[0], to: null }, ...rotated(targets)],
  },
  { name: 'a root key that goes', changes: ({ root }) => [{ from: root[0], to: null }] },
  { name: 'a key of timestamp that goes', changes: ({ timestamps }) => [{ from: timestamps[0], to: null }] },
];

describe('a new root', () => {
  it.each(cases)('shuts no client out at any file that is written or published: $name', async (one) => {
    const rotation = await RotatedMirror.make();
    const before = releaseOf(rotation.files, await rotation.repository());
    const states = await rotation.change(one.changes(rotation.keys), one);
    expect(states.length).toBeGreaterThan(1);
    expect(await refusalsIn(states)).toBe(0);
    expect(await refusalsInPublishing(before, releaseOf(rotation.files, await rotation.repository()))).toBe(0);
  });

  it.each(['timestamp', 'snapshot'] as const)(
    'is written and published right before the timestamp where the old key of %s is not at hand',
    async (role) => {
      const rotation = await RotatedMirror.make();
      const before = releaseOf(rotation.files, await rotation.repository());
      const keys = [rotation.keys[role], ...rotation.keys[`${role}s`]];
      const states = await rotation.change(rotated(...keys), { lost: keys });
      expect(await refusalsIn(states)).toBe(1);
      expect(rotation.mirror.written.at(-1)?.slice(-2)).toEqual([
        ['metadata/2.root.json'],
        ['metadata/timestamp.json'],
      ]);
      expect(await refusalsInPublishing(before, releaseOf(rotation.files, await rotation.repository()))).toBe(1);
    },
  );

  it('is published with those before it, in one go where the metadata is good by the keys of each', async () => {
    const rotation = await RotatedMirror.make();
    const { root, timestamp, timestamps, snapshot, snapshots, targets } = rotation.keys;
    const releases = [releaseOf(rotation.files, await rotation.repository())];
    for (const keys of [[root[0]], [timestamp, ...timestamps], [root[1]], [snapshot, ...snapshots, targets]]) {
      await rotation.change(rotated(...keys));
      releases.push(releaseOf(rotation.files, await rotation.repository()));
    }
    const [first, second, third, fourth, last] = releases as [Release, Release, Release, Release, Release];
    expect(releases.map(({ lateNeeded }) => lateNeeded)).toEqual([1, 1, 1, 1, 3]);
    expect(await refusalsInPublishing(first, fourth)).toBe(0);
    expect(await refusalsInPublishing(third, last)).toBe(0);
    expect(await refusalsInPublishing(second, last)).toBeGreaterThan(0);
  });

  it('is followed by metadata that its own keys alone sign', async () => {
    const rotation = await RotatedMirror.make();
    const { timestamp, timestamps, snapshot, snapshots, targets } = rotation.keys;
    const old = [timestamp, ...timestamps, snapshot, ...snapshots, targets];
    await rotation.change(rotated(...old));
    const oldSigners = async () => {
      const { targets, snapshot, timestamp } = await rotation.repository();
      const signers = [targets, snapshot, timestamp].map(({ signatures }) => signatures.map(({ keyid }) => keyid));
      return signers.map((ids) => ids.filter((id) => old.some((key) => key.id === id)).length);
    };
    expect(await oldSigners()).toEqual([1, 4, 3]);
    await rotation.step(NO_DRAFTS, contentsOf(2), rotation.ring);
    // What did not change is not signed again.
    expect(await oldSigners()).toEqual([1, 0, 0]);
  });

  it.each([
    {
      holders: 'the keys of targets before and after',
      old: true,
      refused: 0,
      order: ['timestamp.json', '2.root.json'],
    },
    { holders: 'the new key of targets alone', old: false, refused: 1, order: ['2.root.json', 'timestamp.json'] },
  ])('comes $order of drafts that $holders signed', async ({ old, refused, order }) => {
    const rotation = await RotatedMirror.make();
    const { targets, root, online, snapshots, timestamps } = rotation.keys;
    const successor = ed25519();
    const drafts = draftsOf(await rotation.repository(), [{ from: targets, to: successor }]);
    const carried = parseDrafts(renderDrafts(drafts));
    const away = signDrafts(carried, await rotation.repository(), [...root, successor, ...(old ? [targets] : [])]);
    const states = await rotation.step(away, null, [online, ...snapshots, ...timestamps]);
    expect(await refusalsIn(states)).toBe(refused);
    expect(rotation.mirror.written.at(-1)?.flat().slice(-2)).toEqual(order.map((name) => `metadata/${name}`));
  });
});
