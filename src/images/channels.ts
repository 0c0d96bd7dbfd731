import { isDeepStrictEqual } from 'node:util';
import { UpdateRepositoryError } from '../errors.js';
import type { ChannelEntry, ChannelListEvent, ChannelSummaryEvent, EventSink } from '../events.js';
import { syncDirectory } from '../io/atomic-file.js';
import {
  CHANNELS_DIR,
  type Channel,
  type Channels,
  channelPath,
  channelTexts,
  findChannelNameFault,
} from '../metadata/channel.js';
import type { SeriesMeta } from '../metadata/meta.js';
import { metaPath } from '../metadata/mirror-paths.js';
import { NO_DRAFTS } from '../trust/tuf/drafts.js';
import type { KeyRing } from '../trust/tuf/key-ring.js';
import { unlockEarly } from './build-signing.js';
import { changedChannels, readChannelFiles, writeChannelFiles } from './channel-files.js';
import { listed } from './channel-versions.js';
import { readDiskIndexes } from './disk-indexes.js';
import { unsignedIndexes } from './metadata-claims.js';
import { requireSigned } from './refresh.js';
import { isSignedMirror, lookAtExpiries, needsSigning, readMetadata, requireWhole, signMirror } from './sign-mirror.js';
import { plannedLifetimes, rememberSigning } from './signing-settings.js';
import { type MirrorSite, type MirrorView, removeFromMirror, sitePath } from './site.js';
import { MirrorState } from './state.js';
import { identify } from './survey.js';
import { withLock } from './with-lock.js';

export interface ChannelOptions {
  readonly mirrorDir: string;
  readonly name: string;
  /** The keys of the metadata, which the mirror remembers the directory of; null where it is not signed. */
  readonly ring: KeyRing | null;
  readonly breakLock: boolean;
  readonly onEvent: EventSink;
}

export interface SetChannelOptions extends ChannelOptions {
  readonly version: string;
  /** Undefined takes that of the channel as it is, or the only one of the mirror. */
  readonly series?: string | undefined;
}

/**
 * Lets a channel of the mirror name a version. The mirror remembers it, and its file is made of that and, where the mirror is
 * signed, vouched for in the same step. A kill at any instant leaves what devices saw before or what they are to see, and the
 * next build, refresh or change of a channel goes on from there.
 *
 * @throws UpdateRepositoryError NAME for a name that no device could ask for; CONFIG where the mirror has no such version, or
 *   is signed and keys are missing, or not and keys are given; VERIFICATION when its metadata is not ours; LOCKED
 */
export async function setChannel(options: SetChannelOptions): Promise<ChannelSummaryEvent> {
  const { name } = options;
  const fault = findChannelNameFault(name);
  if (fault !== null) {
    throw new UpdateRepositoryError('NAME', `channel ${name}: expected a name such as stable, found ${fault}`, {
      data: { name },
    });
  }
  return await changeChannel('set', options, async (view, channels) => {
    return new Map([...channels, [name, await chooseVersion(view, options, channels.get(name))]]);
  });
}

/**
 * Takes a channel out of the mirror, as {@link setChannel} puts it there; devices that follow it stay as they are.
 *
 * @throws UpdateRepositoryError CONFIG where the mirror has no such channel; as setChannel
 */
export async function removeChannel(options: ChannelOptions): Promise<ChannelSummaryEvent> {
  const { name, mirrorDir } = options;
  return await changeChannel('remove', options, async (_, channels) => {
    if (channels.has(name)) return new Map([...channels].filter(([other]) => other !== name));
    throw new UpdateRepositoryError(
      'CONFIG',
      `${mirrorDir}: expected the channel ${name}, found ${namesOf(channels)}`,
      {
        data: { path: mirrorDir, name },
        hint: 'a file that `channel set` did not make is removed by who made it',
      },
    );
  });
}

/** The channels that the mirror remembers. Throws FORMAT when that is damaged. */
export async function listChannels(mirrorDir: string, onEvent: EventSink): Promise<ChannelListEvent> {
  const view: MirrorView = { mirrorDir, state: new MirrorState(mirrorDir) };
  const channels = await view.state.readChannels();
  if (channels.size === 0) await readOffer(view);
  const wanted = channelTexts(channels);
  const found = await readChannelFiles(view, wanted.keys());
  const stateOf = (path: string): ChannelEntry['file'] => {
    if (!found.has(path)) return 'missing';
    return found.get(path) === wanted.get(path) ? 'good' : 'changed';
  };
  const entries = [...channels].map(([name, channel]) => ({ name, ...channel, file: stateOf(channelPath(name)) }));
  const sorted = entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  const list: ChannelListEvent = { type: 'channel-list', mirror: mirrorDir, channels: sorted };
  onEvent(list);
  return list;
}

/** The channels that there are to be, of those that there are. */
type Decide = (view: MirrorView, channels: Channels) => Promise<Channels>;

/**
 * Does what `decide` makes of the channels. What is new is remembered, its file is written and then signed; what goes is
 * taken out of the metadata, removed and then forgotten.
 */
async function changeChannel(
  action: ChannelSummaryEvent['action'],
  options: ChannelOptions,
  decide: Decide,
): Promise<ChannelSummaryEvent> {
  const startedAt = performance.now();
  const { mirrorDir, name, ring, onEvent } = options;
  const view: MirrorView = { mirrorDir, state: new MirrorState(mirrorDir) };
  await checkKeys(view, ring);
  const before = await view.state.readChannels();
  const after = await decide(view, before);
  const written = (await hasWork(view, ring, before, after))
    ? await writeLocked(options, decide)
    : (await lookAtExpiries(view, ring, onEvent)).written;
  const channel = after.get(name);
  const summary: ChannelSummaryEvent = {
    type: 'channel-summary',
    action,
    mirror: mirrorDir,
    name,
    series: channel?.series ?? null,
    version: channel?.version ?? null,
    before: before.get(name)?.version ?? null,
    written,
    durationMs: Math.round(performance.now() - startedAt),
  };
  onEvent(summary);
  return summary;
}

/** A mirror whose channels change without its metadata is one that devices with a root never see change. */
async function checkKeys(view: MirrorView, ring: KeyRing | null): Promise<void> {
  if (ring !== null) {
    await requireSigned(view);
    await requireWhole(view);
    return;
  }
  if (!(await isSignedMirror(view))) return;
  throw new UpdateRepositoryError('CONFIG', `${view.mirrorDir}: expected keys to sign its channels, found none`, {
    data: { path: view.mirrorDir },
    hint: 'the mirror is signed: name the directory of its keys with --sign',
  });
}

async function hasWork(view: MirrorView, ring: KeyRing | null, before: Channels, after: Channels): Promise<boolean> {
  const { lifetimes, isNew } = await plannedLifetimes(view.state, { sign: ring ?? undefined });
  const needsKeys = ring !== null && (await needsSigning(view, null, ring, lifetimes, after));
  const changed = await changedChannels(view, channelTexts(after));
  return needsKeys || isNew || changed.size > 0 || !isDeepStrictEqual(before, after);
}

async function writeLocked(options: ChannelOptions, decide: Decide): Promise<readonly string[]> {
  const { mirrorDir, name, ring, onEvent } = options;
  // A wrong passphrase is told before anything changes.
  await unlockEarly({ sign: ring });
  return await withLock(mirrorDir, options, async (lock, state) => {
    const site = { mirrorDir, state, lock, onEvent };
    const before = await state.readChannels();
    const channels = await decide(site, before);
    await rememberSigning(state, { sign: ring ?? undefined });
    const sign = async () => {
      const change = { contents: null, drafts: NO_DRAFTS, channels };
      return ring === null ? [] : (await signMirror(site, change, ring)).written;
    };
    const remember = async () => {
      await lock.assertHeld();
      if (!isDeepStrictEqual(before, channels)) await state.writeChannels(channels);
    };
    // Until a channel is forgotten, the next build brings it back: nothing is left half-removed.
    if (!channels.has(name)) {
      const signed = await sign();
      await removeFile(site, channelPath(name));
      await remember();
      return signed;
    }
    await remember();
    return [...(await writeChannelFiles(site)), ...(await sign())];
  });
}

async function removeFile(site: MirrorSite, path: string): Promise<void> {
  const file = await identify(sitePath(site, path));
  if (file === null) return;
  await removeFromMirror(site, path);
  await syncDirectory(sitePath(site, CHANNELS_DIR));
  site.onEvent({ type: 'file-removed', path, sizeBytes: file.sizeBytes });
}

/** The version that is asked for, of the series that it is of. */
async function chooseVersion(
  view: MirrorView,
  { mirrorDir, version, series, ring }: SetChannelOptions,
  before: Channel | undefined,
): Promise<Channel> {
  const metas = await readOffer(view);
  const names = metas.map((meta) => meta.series);
  const wanted = series ?? before?.series ?? (names.length === 1 ? names[0] : undefined);
  const meta = metas.find((one) => one.series === wanted);
  if (meta === undefined) {
    const expected = wanted === undefined ? 'one series' : `the series ${wanted}`;
    throw new UpdateRepositoryError('CONFIG', `${mirrorDir}: expected ${expected}, found ${listed(names)}`, {
      data: { path: mirrorDir, series: names },
      hint: 'choose one by --series',
    });
  }
  await requireOurs(view, meta, ring);
  const image = meta.images.find((one) => one.version === version);
  if (image !== undefined) return { series: meta.series, version: image.version };
  const found = listed(meta.images.map((one) => one.version));
  throw new UpdateRepositoryError(
    'CONFIG',
    `${sitePath(view, metaPath(meta.series))}: expected the version ${version}, found ${found}`,
    { data: { path: metaPath(meta.series), version } },
  );
}

/** The series of the mirror. Throws CONFIG where it has none, or a build of it was interrupted. */
async function readOffer({ mirrorDir, state }: MirrorView): Promise<readonly SeriesMeta[]> {
  const { metas } = await readDiskIndexes(mirrorDir);
  const isInterrupted = (await identify(state.publishingPath)) !== null;
  if (metas.length > 0 && !isInterrupted) return metas;
  const found = isInterrupted ? 'one whose build was interrupted' : 'no series';
  throw new UpdateRepositoryError('CONFIG', `${mirrorDir}: expected a complete mirror, found ${found}`, {
    data: { path: mirrorDir },
    hint: 'run a build of it',
  });
}

/** Whoever can write the mirror is not to say which versions it has, where that is signed. */
async function requireOurs(view: MirrorView, { series }: SeriesMeta, ring: KeyRing | null): Promise<void> {
  const repository = ring === null ? null : await readMetadata(view, ring);
  if (repository === null) return;
  const path = metaPath(series);
  const texts = (await readDiskIndexes(view.mirrorDir)).texts;
  if (unsignedIndexes(repository, new Map([[path, texts.get(path) ?? '']])).length === 0) return;
  throw new UpdateRepositoryError(
    'CONFIG',
    `${sitePath(view, path)}: expected it as it was signed, found another one`,
    {
      data: { path },
      hint: 'complete the mirror by `build --sign KEYS`',
    },
  );
}

function namesOf(channels: Channels): string {
  return listed([...channels.keys()]);
}
