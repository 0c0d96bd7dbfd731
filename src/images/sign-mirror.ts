import { hasCode, UpdateRepositoryError } from '../errors.js';
import type { EventSink } from '../events.js';
import { type Channels, channelTexts } from '../metadata/channel.js';
import { indexFiles, type RepositoryContents } from '../trust/tuf/contents.js';
import { MAX_BYTES, metadataFileName, TIMESTAMP_FILE } from '../trust/tuf/documents.js';
import { type Drafts, NO_DRAFTS } from '../trust/tuf/drafts.js';
import type { Expiry } from '../trust/tuf/expiries.js';
import type { Making } from '../trust/tuf/key-changes.js';
import type { KeyRing } from '../trust/tuf/key-ring.js';
import type { Lifetimes } from '../trust/tuf/lifetimes.js';
import {
  finishWriting,
  isUnfinished,
  type MetadataPlace,
  readFrom,
  writeRepository,
} from '../trust/tuf/metadata-directory.js';
import { type NextRepository, nextRepository, type RepositoryChange } from '../trust/tuf/next-repository.js';
import { rehearse } from '../trust/tuf/rehearsal.js';
import { type Repository, readRepository } from '../trust/tuf/repository.js';
import { expiriesIn, warnOfExpiries } from './metadata-expiries.js';
import { noteOldMetadata } from './old-metadata.js';
import { rememberedLifetimes } from './signing-settings.js';
import type { MirrorSite, MirrorView } from './site.js';

/** What is to be signed. */
export interface SigningChange {
  /** What the mirror has now but for its channels; null where what is signed now is to stay. */
  readonly contents: RepositoryContents | null;
  /** The channels that it is to have, where it is not those that it remembers. */
  readonly channels?: Channels;
  readonly drafts: Drafts;
}

/** What a repository is to speak of. */
type SignedContent = Pick<RepositoryChange, 'contents' | 'channels'>;

/** What came of it. */
export interface SignedMirror {
  /** The paths of the metadata that was written, in order, the rest of a killed run's first; none when all was up to date. */
  readonly written: readonly string[];
  /** What ends first stands first. */
  readonly expiries: readonly Expiry[];
}

/** What people are told of a mirror that {@link isHalfSigned}. */
export const CUT_SHORT = { found: 'a signing was cut short', hint: 'complete it by `refresh` or `build --sign KEYS`' };

/** Whether a mirror is signed, by whomever. */
export async function isSignedMirror({ mirrorDir }: Pick<MirrorView, 'mirrorDir'>): Promise<boolean> {
  return (await readFrom(mirrorDir)(TIMESTAMP_FILE, MAX_BYTES.timestamp)) !== null;
}

/**
 * The verified metadata of a mirror; null when it has none. It has to go back to the root that was signed here last, or
 * else, where that is forgotten, to the one that was made with the keys. Throws VERIFICATION, FORMAT, which say when a signing
 * was cut short.
 */
export async function readMetadata({ mirrorDir, state }: MirrorView, ring: KeyRing | null): Promise<Repository | null> {
  const read = readFrom(mirrorDir);
  const hasRoot = (await read(metadataFileName('root', 1), MAX_BYTES.root)) !== null;
  const trusted = (await state.readRoot()) ?? (hasRoot ? (ring?.firstRoot ?? null) : null);
  try {
    return await readRepository(read, trusted);
  } catch (error) {
    throw (await isHalfSigned({ mirrorDir, state })) ? cutShort(error) : error;
  }
}

/** Whether the writing of a new root was cut short: until the mirror is signed its metadata may be of two states. */
export async function isHalfSigned(view: MirrorView): Promise<boolean> {
  return await isUnfinished(placeOf(view));
}

/** Throws CONFIG where a mirror {@link isHalfSigned}: what follows the metadata that is there does not follow what it is to be. */
export async function requireWhole(view: MirrorView): Promise<void> {
  if (!(await isHalfSigned(view))) return;
  const { found, hint } = CUT_SHORT;
  const message = `${view.mirrorDir}: expected complete metadata, found that ${found}`;
  throw new UpdateRepositoryError('CONFIG', message, { data: { path: view.mirrorDir }, hint });
}

/**
 * Whether {@link signMirror} has something to do; only reads, and opens no key. `channels` are those that the mirror is to
 * have, where it is not what it remembers. Throws CONFIG for a key that it lacks.
 */
export async function needsSigning(
  view: MirrorView,
  contents: RepositoryContents | null,
  ring: KeyRing,
  lifetimes: Lifetimes,
  channels?: Channels,
): Promise<boolean> {
  if (await isHalfSigned(view)) return true;
  const current = await readMetadata(view, ring);
  const content = withChannels(contents, channels ?? (await view.state.readChannels()));
  return current === null || rehearsed(current, content, ring, { lifetimes, now: new Date() }) !== null;
}

/**
 * Brings the metadata of a mirror up to date: what it vouches for, the drafts, and what expires soon; it is then good for
 * as long as the mirror remembers. The first metadata begins with the root that was made with the keys. Only keys that sign
 * are opened, and nothing is written where nothing is to be signed.
 *
 * @throws UpdateRepositoryError CONFIG for a key that is missing, VERIFICATION when the metadata that is there is not ours.
 */
export async function signMirror(site: MirrorSite, change: SigningChange, ring: KeyRing): Promise<SignedMirror> {
  await site.lock.assertHeld();
  const finished = await finishWriting(placeOf(site));
  const making = { lifetimes: await rememberedLifetimes(site.state), now: new Date() };
  const current = await readMetadata(site, ring);
  const content = withChannels(change.contents, change.channels ?? (await site.state.readChannels()));
  const next = await makeNext(current, content, change.drafts, ring, making);
  if (next !== null) {
    await site.lock.assertHeld();
    await noteOldMetadata(site, current, next.repository);
    await writeRepository(next, placeOf(site));
  }
  const repository = next?.repository ?? current;
  if (repository !== null) await rememberRoot(site, repository);
  const files = [...finished, ...(next?.stages.flat() ?? [])];
  for (const { path, text } of files) {
    site.onEvent({ type: 'index-written', path, sizeBytes: Buffer.byteLength(text) });
  }
  const expiries = repository === null ? [] : await expiriesIn(site, repository);
  warnOfExpiries(expiries, site.onEvent);
  return { written: [...new Set(files.map(({ path }) => path))], expiries };
}

/** What an up-to-date mirror's metadata has left, warnings told. */
export async function lookAtExpiries(
  view: MirrorView,
  ring: KeyRing | null,
  onEvent: EventSink,
): Promise<SignedMirror> {
  const current = await readMetadata(view, ring);
  const expiries = current === null ? [] : await expiriesIn(view, current);
  warnOfExpiries(expiries, onEvent);
  return { written: [], expiries };
}

async function makeNext(
  current: Repository | null,
  content: SignedContent,
  drafts: Drafts,
  ring: KeyRing,
  making: Making,
): Promise<NextRepository | null> {
  const given = current === null && isEmpty(drafts) ? ring.first : drafts;
  const rehearsal = current !== null && isEmpty(given) ? rehearsed(current, content, ring, making) : undefined;
  if (rehearsal === null) return null;
  const keys = await ring.unlock(rehearsal?.keyids ?? ring.signing);
  const change = { ...content, drafts: given, online: ring.online };
  return nextRepository(current, change, { keys, ...making });
}

function rehearsed(current: Repository, content: SignedContent, ring: KeyRing, making: Making) {
  const change = { ...content, drafts: NO_DRAFTS, online: ring.online };
  return rehearse(current, change, ring.signing, making);
}

function withChannels(contents: RepositoryContents | null, channels: Channels): SignedContent {
  const files = indexFiles(channelTexts(channels));
  if (contents === null) return { contents, channels: files };
  return { contents: { ...contents, indexes: new Map([...contents.indexes, ...files]) } };
}

/** As the mirror has it, byte for byte. */
async function rememberRoot({ mirrorDir, state }: MirrorSite, { root }: Repository): Promise<void> {
  const text = await readFrom(mirrorDir)(metadataFileName('root', root.signed.version), MAX_BYTES.root);
  if (text !== null && text !== (await state.readRoot())) await state.writeRoot(text);
}

/** What is wrong with metadata, and why. */
function cutShort(error: unknown): unknown {
  if (!hasCode(error, 'VERIFICATION') && !hasCode(error, 'FORMAT')) return error;
  const { found, hint } = CUT_SHORT;
  return new UpdateRepositoryError(error.code, `${error.message}: ${found}`, { data: error.data, hint, cause: error });
}

function isEmpty({ root, targets }: Drafts): boolean {
  return root === null && targets === null;
}

function placeOf({ mirrorDir, state }: MirrorView): MetadataPlace {
  return { mirrorDir, privateDir: state.directory };
}
