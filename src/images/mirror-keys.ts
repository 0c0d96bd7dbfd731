import { rm } from 'node:fs/promises';
import { UpdateRepositoryError } from '../errors.js';
import type { EventSink, MetadataExpiry } from '../events.js';
import { requireEmptyDirectory } from '../io/empty-directory.js';
import type { KeyId, TufKey } from '../trust/tuf/documents.js';
import { changesIn } from '../trust/tuf/draft-changes.js';
import { readDraftDirectory, writeDrafts } from '../trust/tuf/draft-directory.js';
import {
  checkComplete,
  type Drafts,
  findMissingSignatures,
  type MissingSignatures,
  signDrafts,
} from '../trust/tuf/drafts.js';
import { changeKey, type Making, renewedDrafts } from '../trust/tuf/key-changes.js';
import type { KeyRing } from '../trust/tuf/key-ring.js';
import type { ChosenLifetimes } from '../trust/tuf/lifetimes.js';
import { isUnfinished } from '../trust/tuf/metadata-directory.js';
import { renderEnvelope } from '../trust/tuf/parse-document.js';
import type { Repository } from '../trust/tuf/repository.js';
import { KEY_ROLES, type KeyRole } from '../trust/tuf/role-names.js';
import { SigningKey } from '../trust/tuf/signing-key.js';
import { expiriesIn } from './metadata-expiries.js';
import { requireSigned, toMetadataExpiry } from './refresh.js';
import { isSignedMirror, readMetadata, requireWhole, type SigningChange, signMirror } from './sign-mirror.js';
import { contentsOnDisk } from './signed-contents.js';
import { plannedLifetimes, rememberSigning } from './signing-settings.js';
import type { MirrorView } from './site.js';
import { MirrorState } from './state.js';
import { withLock } from './with-lock.js';

/** The keys of a mirror, and where they sign. */
export interface MirrorKeys {
  readonly mirrorDir: string;
  readonly ring: KeyRing;
  /** How long metadata is to be good that is made now; what is not in it is as the mirror remembers. */
  readonly lifetimes?: ChosenLifetimes | undefined;
  readonly onEvent: EventSink;
}

/** What was done with keys. */
export interface KeyWork {
  /** Files that were written, or taken out of use, outside the mirror. */
  readonly files: readonly string[];
  /** The paths of the mirror's metadata that was written. */
  readonly published: readonly string[];
  readonly missing: readonly MissingSignatures[];
}

/** Gives a mirror its first metadata. Throws CONFIG when it has some, or damaged indexes. */
export async function startMetadata(keys: MirrorKeys): Promise<readonly string[]> {
  const view = viewOf(keys.mirrorDir);
  if (await isSignedMirror(view)) {
    throw new UpdateRepositoryError(
      'CONFIG',
      `${keys.mirrorDir}: expected a mirror without metadata/, found a signed one`,
      {
        data: { path: keys.mirrorDir },
        hint: 'change its keys with `key rotate`',
      },
    );
  }
  return await publish(keys, { contents: await contentsOnDisk(view), drafts: keys.ring.first });
}

/**
 * Puts a new key in the place of the key of a role, in all roles that it has. The new one is kept beside the old one,
 * which is taken out of use once that is published. With `draftsDir` nothing is published: what still lacks signatures is
 * written there.
 *
 * @throws UpdateRepositoryError CONFIG when the role has no such key or several, when a signature is missing, or when a signing
 *   was cut short.
 */
export async function rotateKey(
  keys: MirrorKeys,
  { role, keyid }: { readonly role: KeyRole; readonly keyid: KeyId | null },
  draftsDir: string | null,
): Promise<KeyWork> {
  if (draftsDir !== null) await requireEmptyDirectory(draftsDir);
  await requireWhole(viewOf(keys.mirrorDir));
  const repository = await requireMetadata(keys);
  const from = chooseKey(repository, role, keyid);
  const key = SigningKey.generate(keyTable(repository)[from]?.keytype ?? 'ed25519');
  const drafts = changeKey(repository, { from, to: key.publicKey, roles: null }, await makingNow(keys));
  const signed = signDrafts(drafts, repository, [...(await keys.ring.unlock(keys.ring.signing)), key]);
  if (draftsDir === null) checkComplete(signed, repository);
  const { ring, path } = await keys.ring.with(key, rolesOf(repository, from));
  try {
    const work = await hand({ ...keys, ring }, repository, signed, draftsDir);
    return { ...work, files: [path, ...work.files] };
  } catch (error) {
    // With the others of its role it would sign for the next new series.
    if (draftsDir === null && (await isUnheardOf(keys, key.id))) await rm(path);
    throw error;
  }
}

/** Takes a key out of all its roles; the others have to suffice. Throws as {@link rotateKey} does. */
export async function revokeKey(keys: MirrorKeys, keyid: KeyId, draftsDir: string | null): Promise<KeyWork> {
  await requireWhole(viewOf(keys.mirrorDir));
  const repository = await requireMetadata(keys);
  const drafts = changeKey(repository, { from: keyid, to: null, roles: null }, await makingNow(keys));
  return await signAndHand(keys, repository, drafts, draftsDir);
}

/** Makes root and targets anew, by the keys that they have, before they expire. Throws as {@link rotateKey} does. */
export async function renewKeys(keys: MirrorKeys, draftsDir: string | null): Promise<KeyWork> {
  const repository = await requireMetadata(keys);
  return await signAndHand(keys, repository, renewedDrafts(repository, await makingNow(keys)), draftsDir);
}

/**
 * Adds the signatures of the keys at hand to drafts, and tells what they change. Where a mirror is given they are published,
 * which throws CONFIG while signatures are missing.
 */
export async function signDraftDirectory(
  draftsDir: string,
  ring: KeyRing,
  mirrorDir: string | null,
  onEvent: EventSink,
): Promise<KeyWork> {
  const { drafts, previousRoot } = await readDraftDirectory(draftsDir);
  if (mirrorDir !== null) await requireWhole(viewOf(mirrorDir));
  const repository = mirrorDir === null ? null : await readMetadata(viewOf(mirrorDir), ring);
  const current = repository ?? (previousRoot === null ? null : { root: previousRoot });
  for (const { file, message } of changesIn(drafts, current)) {
    onEvent({ type: 'note', level: 'info', subject: file, message });
  }
  const signed = signDrafts(drafts, current, await ring.unlock(ring.signing));
  const files = await writeDrafts(draftsDir, signed, null);
  const missing = findMissingSignatures(signed, current);
  if (mirrorDir === null) return { files, published: [], missing };
  checkComplete(signed, current);
  const work = await hand({ mirrorDir, ring, onEvent }, repository, signed, null);
  return { ...work, files: [...files, ...work.files] };
}

/** When a mirror's metadata ends, what ends first before the others. */
export async function expiriesOf(keys: MirrorKeys): Promise<MetadataExpiry[]> {
  return (await expiriesIn(viewOf(keys.mirrorDir), await requireMetadata(keys))).map(toMetadataExpiry);
}

/** The text of the newest root of a mirror, or else of the one that was made with the keys. Throws CONFIG. */
export async function newestRoot(ring: KeyRing, mirrorDir: string | null): Promise<string> {
  if (mirrorDir !== null) {
    const { root } = await requireMetadata({ mirrorDir, ring });
    return renderEnvelope(root);
  }
  if (ring.firstRoot !== null) return ring.firstRoot;
  throw new UpdateRepositoryError('CONFIG', `${ring.directory}: expected the first root in it, found none`, {
    data: { path: ring.directory },
    hint: 'name a mirror that has it with --mirror',
  });
}

/** Signs drafts with the keys at hand, which without `draftsDir` have to suffice. */
async function signAndHand(
  keys: MirrorKeys,
  repository: Repository,
  drafts: Drafts,
  draftsDir: string | null,
): Promise<KeyWork> {
  const signed = signDrafts(drafts, repository, await keys.ring.unlock(keys.ring.signing));
  if (draftsDir === null) checkComplete(signed, repository);
  return await hand(keys, repository, signed, draftsDir);
}

/** Publishes drafts and takes the keys out of use that have no role any more; or hands the drafts over. */
async function hand(
  keys: MirrorKeys,
  before: Repository | null,
  drafts: Drafts,
  draftsDir: string | null,
): Promise<KeyWork> {
  if (draftsDir !== null) {
    const files = await writeDrafts(draftsDir, drafts, before?.root ?? null);
    return { files, published: [], missing: findMissingSignatures(drafts, before) };
  }
  const published = await publish(keys, { contents: null, drafts });
  const after = keyTable(await requireMetadata(keys));
  const gone = before === null ? [] : idsIn(before).filter((id) => after[id] === undefined);
  return { files: await keys.ring.retire(gone), published, missing: [] };
}

async function publish(keys: MirrorKeys, change: SigningChange): Promise<readonly string[]> {
  const { mirrorDir, ring, lifetimes, onEvent } = keys;
  return await withLock(mirrorDir, { breakLock: false }, async (lock, state) => {
    await rememberSigning(state, { lifetimes });
    return (await signMirror({ mirrorDir, state, lock, onEvent }, change, ring)).written;
  });
}

async function requireMetadata({ mirrorDir, ring }: Pick<MirrorKeys, 'mirrorDir' | 'ring'>): Promise<Repository> {
  const view = viewOf(mirrorDir);
  await requireSigned(view);
  const repository = await readMetadata(view, ring);
  if (repository !== null) return repository;
  throw new UpdateRepositoryError('INTERNAL', `${mirrorDir}: expected its metadata, found none`);
}

function chooseKey(repository: Repository, role: KeyRole, keyid: KeyId | null): KeyId {
  const ids = idsIn(repository).filter((id) => rolesOf(repository, id).includes(role));
  const [only] = ids;
  if (keyid !== null && ids.includes(keyid)) return keyid;
  if (keyid === null && only !== undefined && ids.length === 1) return only;
  const expected = keyid === null ? 'one key' : `key ${keyid}`;
  const found = ids.length === 0 ? 'none' : ids.join(', ');
  throw new UpdateRepositoryError('CONFIG', `role ${role}: expected ${expected} to rotate, found ${found}`, {
    data: { role, keyids: ids },
    hint: 'choose one with --key',
  });
}

/** Whether neither the metadata of a mirror names a key, nor what is being written of it. */
async function isUnheardOf({ mirrorDir, ring }: MirrorKeys, id: KeyId): Promise<boolean> {
  if (await isUnfinished({ mirrorDir, privateDir: viewOf(mirrorDir).state.directory })) return false;
  return keyTable(await requireMetadata({ mirrorDir, ring }))[id] === undefined;
}

/** What a key of a repository is for. */
function rolesOf({ root, targets }: Repository, id: KeyId): KeyRole[] {
  const delegated = targets.signed.delegations?.roles ?? [];
  return KEY_ROLES.filter((role) => {
    if (role === 'mirror') return delegated.some(({ name, keyids }) => name === role && keyids.includes(id));
    if (role === 'series') return delegated.some(({ name, keyids }) => name !== 'mirror' && keyids.includes(id));
    return root.signed.roles[role].keyids.includes(id);
  });
}

function keyTable({ root, targets }: Repository): Readonly<Record<string, TufKey>> {
  return { ...root.signed.keys, ...targets.signed.delegations?.keys };
}

function idsIn({ root, targets }: Repository): KeyId[] {
  const all = [...Object.values(root.signed.roles), ...(targets.signed.delegations?.roles ?? [])];
  return [...new Set(all.flatMap(({ keyids }) => keyids))];
}

async function makingNow({ mirrorDir, lifetimes: chosen }: MirrorKeys): Promise<Making> {
  const { lifetimes } = await plannedLifetimes(viewOf(mirrorDir).state, { lifetimes: chosen });
  return { lifetimes, now: new Date() };
}

function viewOf(mirrorDir: string): MirrorView {
  return { mirrorDir, state: new MirrorState(mirrorDir) };
}
