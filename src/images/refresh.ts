import { UpdateRepositoryError } from '../errors.js';
import type { EventSink, RefreshSummaryEvent } from '../events.js';
import type { LockedSigner } from '../trust/openpgp/signer.js';
import { NO_DRAFTS } from '../trust/tuf/drafts.js';
import type { Expiry } from '../trust/tuf/expiries.js';
import type { KeyRing } from '../trust/tuf/key-ring.js';
import type { ChosenLifetimes } from '../trust/tuf/lifetimes.js';
import { changedChannels, wantedChannels, writeChannelFiles } from './channel-files.js';
import { warnOfKeyEnd } from './key-end.js';
import { planPrune, pruneSite } from './prune.js';
import { refreshLists } from './refresh-lists.js';
import { isSignedMirror, lookAtExpiries, needsSigning, type SignedMirror, signMirror } from './sign-mirror.js';
import { plannedLifetimes, rememberSigning } from './signing-settings.js';
import type { MirrorView } from './site.js';
import { MirrorState } from './state.js';
import { withLock } from './with-lock.js';

export interface RefreshOptions {
  readonly mirrorDir: string;
  /** The keys of the metadata, which the mirror remembers the directory of; null leaves it as it is. */
  readonly ring: KeyRing | null;
  /** How long the metadata of roles is to be good; what is not in it is as the mirror remembers. */
  readonly lifetimes?: ChosenLifetimes | undefined;
  /** By what the lists are signed for OpenPGP; undefined leaves their signatures as they are. */
  readonly signLists?: LockedSigner | undefined;
  /** Also remove what no index has named, and no metadata has needed, for so long. */
  readonly prune?: { readonly graceMs: number } | undefined;
  readonly breakLock: boolean;
  readonly signal: AbortSignal;
  readonly onEvent: EventSink;
}

/**
 * Brings back channels that are missing or were changed. Signs anew what expires soon in a mirror's metadata, and says what
 * it vouches for as before, with the channels that the mirror remembers; what its keys cannot sign is warned of. Then it
 * makes the signatures of lists that are missing, as {@link refreshLists} has it. Where nothing is due nothing is written,
 * locked or opened.
 *
 * @throws UpdateRepositoryError CONFIG when the mirror has no metadata, VERIFICATION when it is not ours, LOCKED while a
 *   build runs; as refreshLists.
 */
export async function refreshMirror(options: RefreshOptions): Promise<RefreshSummaryEvent> {
  const startedAt = performance.now();
  const { mirrorDir, onEvent, signLists } = options;
  if (options.ring !== null) await requireSigned({ mirrorDir, state: new MirrorState(mirrorDir) });
  const channels = await refreshChannels(options);
  const { written: metadata, expiries } = await refreshMetadata(options);
  const lists = signLists === undefined ? [] : await refreshLists({ ...options, signer: signLists });
  await warnOfKeyEnd(options, signLists, onEvent);
  const summary: RefreshSummaryEvent = {
    type: 'refresh-summary',
    mirror: mirrorDir,
    written: [...channels, ...metadata, ...lists],
    expiries: expiries.map(toMetadataExpiry),
    durationMs: Math.round(performance.now() - startedAt),
  };
  onEvent(summary);
  return summary;
}

async function refreshChannels({ mirrorDir, breakLock, onEvent }: RefreshOptions): Promise<string[]> {
  const wanted = await wantedChannels({ state: new MirrorState(mirrorDir) });
  if ((await changedChannels({ mirrorDir }, wanted)).size === 0) return [];
  return await withLock(mirrorDir, { breakLock }, async (lock, state) => {
    return await writeChannelFiles({ mirrorDir, state, lock, onEvent });
  });
}

async function refreshMetadata(options: RefreshOptions): Promise<SignedMirror> {
  const { mirrorDir, ring, prune, signal, onEvent } = options;
  const view: MirrorView = { mirrorDir, state: new MirrorState(mirrorDir) };
  if (ring === null && !(await isSignedMirror(view))) return { written: [], expiries: [] };
  // Who names no keys has no wish for them, and does not want the mirror to forget them.
  const wish = { sign: ring ?? undefined, lifetimes: options.lifetimes };
  const { lifetimes, isNew } = await plannedLifetimes(view.state, wish);
  const hasWork =
    isNew ||
    (ring !== null && (await needsSigning(view, null, ring, lifetimes))) ||
    (prune !== undefined && (await planPrune(view, prune.graceMs)).hasWork);
  if (!hasWork) return await lookAtExpiries(view, ring, onEvent);
  return await withLock(mirrorDir, options, async (lock, state) => {
    const site = { mirrorDir, state, lock, onEvent };
    await rememberSigning(state, wish);
    const signed =
      ring === null
        ? await lookAtExpiries(view, null, onEvent)
        : await signMirror(site, { contents: null, drafts: NO_DRAFTS }, ring);
    if (prune !== undefined) await pruneSite(site, prune.graceMs, signal);
    return signed;
  });
}

/** Throws CONFIG when a mirror has no metadata. */
export async function requireSigned(view: MirrorView): Promise<void> {
  if (await isSignedMirror(view)) return;
  throw new UpdateRepositoryError('CONFIG', `${view.mirrorDir}: expected a signed mirror, found no metadata/`, {
    data: { path: view.mirrorDir },
    hint: 'sign it with `build --sign KEYS`, or with `key init --mirror`',
  });
}

/** As events have it. */
export function toMetadataExpiry({ role, version, expires, state }: Expiry) {
  return { role, version, expires, state };
}
