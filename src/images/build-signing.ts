import { UpdateRepositoryError } from '../errors.js';
import type { EventSink, PlannedAction } from '../events.js';
import type { SeriesMeta } from '../metadata/meta.js';
import { KEY_FILE } from '../trust/openpgp/sign-lists.js';
import type { Signer } from '../trust/openpgp/signer.js';
import { type RepositoryContents, repositoryContents } from '../trust/tuf/contents.js';
import { METADATA_DIR } from '../trust/tuf/documents.js';
import { NO_DRAFTS } from '../trust/tuf/drafts.js';
import type { KeyRing } from '../trust/tuf/key-ring.js';
import { type ChosenLifetimes, lifetimesOf } from '../trust/tuf/lifetimes.js';
import { renderIndexes } from './contents.js';
import { type ListSigning, planSignatures, requireListKey } from './list-signatures.js';
import type { MirrorSettings } from './records.js';
import { isSignedMirror, lookAtExpiries, needsSigning, signMirror } from './sign-mirror.js';
import type { MirrorSite, MirrorView } from './site.js';
import { MirrorState } from './state.js';

/** What a build signs, and by what. */
export interface SigningOptions {
  /** Made when it is not there. */
  readonly mirrorDir: string;
  /**
   * By what the mirror's metadata is signed, which the mirror remembers the directory of; undefined where it is not, null
   * where it is to forget that, too: a signed mirror then cannot change.
   */
  readonly sign?: KeyRing | null | undefined;
  /** How long the metadata of roles is to be good; what is not in it is as the mirror remembers. */
  readonly lifetimes?: ChosenLifetimes | undefined;
  /** By what its lists are signed for OpenPGP; undefined where they are not: signed lists then cannot change. */
  readonly signLists?: ListSigning | undefined;
  readonly dryRun: boolean;
  readonly onEvent: EventSink;
}

/** What the indexes are to say. */
interface WantedIndexes {
  readonly metas: readonly SeriesMeta[];
  readonly bestBefore: Date | null;
}

const SIGN_ACTION: PlannedAction = {
  action: 'sign',
  path: METADATA_DIR,
  detail: 'what changed or expires soon',
  sizeBytes: null,
};

/**
 * What is to be signed: where the indexes change, all that vouches for them, else what differs from what it is to say, or
 * is due.
 */
export async function signingActions(
  view: MirrorView,
  wanted: WantedIndexes,
  changes: boolean,
  { lifetimes }: MirrorSettings,
  { sign, signLists }: SigningOptions,
): Promise<PlannedAction[]> {
  const texts = renderIndexes(wanted.metas, wanted.bestBefore);
  const signs =
    sign != null && (changes || (await needsSigning(view, contentsOf(wanted), sign, lifetimesOf(lifetimes))));
  return [...(await planSignatures(view, texts, signLists, changes)), ...(signs ? [SIGN_ACTION] : [])];
}

/** A signed mirror whose files change without its metadata is one that clients take for damaged, or never see change. */
export async function requireKeys(
  changes: boolean,
  { mirrorDir, sign, signLists, dryRun }: SigningOptions,
): Promise<void> {
  if (dryRun || !changes) return;
  await requireListKey({ mirrorDir }, signLists);
  if (sign != null || !(await isSignedMirror({ mirrorDir }))) return;
  throw new UpdateRepositoryError('CONFIG', `${mirrorDir}: expected keys to sign what changes in it, found none`, {
    data: { path: mirrorDir },
    hint: 'the mirror is signed: name the directory of its keys with --sign',
  });
}

/**
 * Opens a key of each kind, for a wrong passphrase is to be told now, not after hours of work; whatever is signed takes one
 * of timestamp. Gives the one that signs the lists.
 */
export async function unlockEarly({
  sign,
  signLists,
}: Pick<SigningOptions, 'sign' | 'signLists'>): Promise<Signer | undefined> {
  if (sign != null)
    await sign.unlock(sign.signing.filter((id) => sign.ofRole('timestamp').some((key) => key.id === id)));
  return typeof signLists === 'object' ? await signLists.unlock() : undefined;
}

/** Signs what was built; returns how many files of metadata were written. */
export async function signBuilt(site: MirrorSite, built: WantedIndexes, { sign }: SigningOptions): Promise<number> {
  if (sign == null) return 0;
  return (await signMirror(site, { contents: contentsOf(built), drafts: NO_DRAFTS }, sign)).written.length;
}

/** Tells of a build without work that nothing was signed, and what expires soon. */
export async function reportSigned({ mirrorDir, sign, signLists, onEvent }: SigningOptions): Promise<void> {
  if (typeof signLists === 'object') {
    onEvent({ type: 'note', level: 'info', subject: KEY_FILE, message: 'up to date, nothing signed' });
  }
  if (sign == null && !(await isSignedMirror({ mirrorDir }))) return;
  await lookAtExpiries({ mirrorDir, state: new MirrorState(mirrorDir) }, sign ?? null, onEvent);
  if (sign == null) return;
  onEvent({ type: 'note', level: 'info', subject: METADATA_DIR, message: 'up to date, nothing signed' });
}

/** What the mirror vouches for: what the build knows, never what somebody else may have written there. */
function contentsOf({ metas, bestBefore }: WantedIndexes): RepositoryContents {
  return repositoryContents(metas, renderIndexes(metas, bestBefore));
}
