import { UpdateRepositoryError } from '../errors.js';
import type { EventSink, RefreshSummaryEvent } from '../events.js';
import { NO_DRAFTS } from '../trust/tuf/drafts.js';
import type { Expiry } from '../trust/tuf/expiries.js';
import type { KeyRing } from '../trust/tuf/key-ring.js';
import { planPrune, pruneSite } from './prune.js';
import { isSignedMirror, lookAtExpiries, needsSigning, signMirror } from './sign-mirror.js';
import { isNewWish, rememberSigning } from './signing-settings.js';
import type { MirrorView } from './site.js';
import { MirrorState } from './state.js';
import { withLock } from './with-lock.js';

export interface RefreshOptions {
  readonly mirrorDir: string;
  /** The mirror remembers where they are. */
  readonly ring: KeyRing;
  /** Also remove what no index has named, and no metadata has needed, for so long. */
  readonly prune?: { readonly graceMs: number } | undefined;
  readonly breakLock: boolean;
  readonly signal: AbortSignal;
  readonly onEvent: EventSink;
}

/**
 * Signs anew what expires soon in a mirror's metadata, and says what it vouches for as before; what its keys cannot sign
 * is warned of. Where nothing is due nothing is written, locked or opened.
 *
 * @throws UpdateRepositoryError CONFIG when the mirror has no metadata, VERIFICATION when it is not ours, LOCKED while a
 *   build runs.
 */
export async function refreshMirror(options: RefreshOptions): Promise<RefreshSummaryEvent> {
  const startedAt = performance.now();
  const { mirrorDir, ring, prune, signal, onEvent } = options;
  const view: MirrorView = { mirrorDir, state: new MirrorState(mirrorDir) };
  await requireSigned(view);
  const wish = { sign: ring };
  const hasWork =
    (await isNewWish(view.state, wish)) ||
    (await needsSigning(view, null, ring)) ||
    (prune !== undefined && (await planPrune(view, prune.graceMs)).hasWork);
  const { written, expiries } = hasWork
    ? await withLock(mirrorDir, options, async (lock, state) => {
        const site = { mirrorDir, state, lock, onEvent };
        await rememberSigning(state, wish);
        const signed = await signMirror(site, { contents: null, drafts: NO_DRAFTS }, ring);
        if (prune !== undefined) await pruneSite(site, prune.graceMs, signal);
        return signed;
      })
    : await lookAtExpiries(view, ring, onEvent);
  const summary: RefreshSummaryEvent = {
    type: 'refresh-summary',
    mirror: mirrorDir,
    written,
    expiries: expiries.map(toMetadataExpiry),
    durationMs: Math.round(performance.now() - startedAt),
  };
  onEvent(summary);
  return summary;
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
