import { UpdateRepositoryError } from '../errors.js';
import type { EventSink } from '../events.js';
import { findDue, findFaults, signaturesBeside } from '../trust/openpgp/sign-lists.js';
import type { LockedSigner } from '../trust/openpgp/signer.js';
import { makeSignatures, writeTogether } from './list-signatures.js';
import { unsignedIndexes } from './metadata-claims.js';
import { readSettledIndexes, type SettledIndexes } from './settled-indexes.js';
import { isSignedMirror, readMetadata } from './sign-mirror.js';
import { type MirrorView, sitePath } from './site.js';
import { MirrorState } from './state.js';
import { withLock } from './with-lock.js';

export interface RefreshListsOptions {
  readonly mirrorDir: string;
  readonly signer: LockedSigner;
  readonly breakLock: boolean;
  readonly onEvent: EventSink;
}

/**
 * Makes the signatures of a mirror's lists that are missing or not by this key. The lists stay as they are, and are signed only
 * where something that is signed vouches for them: the metadata, or another signature by this key. Where nothing is missing
 * nothing is written, locked or unlocked.
 *
 * @returns the paths that were written
 * @throws UpdateRepositoryError CONFIG where nothing vouches for a list, or a build was interrupted; VERIFICATION when the
 *   metadata is not ours; LOCKED while a build runs
 */
export async function refreshLists(options: RefreshListsOptions): Promise<string[]> {
  const { mirrorDir, signer: locked, onEvent } = options;
  const view: MirrorView = { mirrorDir, state: new MirrorState(mirrorDir) };
  if ((await textsToSign(view, locked)) === null) return [];
  const signer = await locked.unlock();
  return await withLock(mirrorDir, options, async (lock, state) => {
    const texts = await textsToSign({ mirrorDir, state }, locked);
    const files = texts === null ? [] : [...(await makeSignatures(view, texts, signer))];
    await writeTogether({ mirrorDir, state, lock, onEvent }, files);
    return files.map(([path]) => path);
  });
}

/** The texts of all lists, where a signature of one of them is due; null where none is. */
async function textsToSign(view: MirrorView, { publicKey }: LockedSigner): Promise<SettledIndexes['texts'] | null> {
  const found = await readSettledIndexes(view.mirrorDir, view.state);
  const { texts, signatures, interrupted } = found;
  const due = await findDue(texts, signatures, publicKey, new Date());
  if (due.size === 0) return null;
  if (interrupted) throw unfit(view, '', 'a complete mirror', 'one whose build was interrupted');
  const vouched = await vouchedFor(view, found, publicKey.binary);
  for (const path of texts.keys()) {
    if (!signaturesBeside(path).some((beside) => due.has(beside.path)) || vouched.has(path)) continue;
    throw unfit(view, path, 'metadata or a signature by this key that vouches for it', 'neither');
  }
  return texts;
}

/** The lists that the metadata has with these very bytes, and those with a good signature by the key. */
async function vouchedFor(
  view: MirrorView,
  { texts, signatures }: SettledIndexes,
  keyBytes: Uint8Array,
): Promise<ReadonlySet<string>> {
  const repository = (await isSignedMirror(view)) ? await readMetadata(view, null) : null;
  const unsigned = new Set(repository === null ? texts.keys() : unsignedIndexes(repository, texts));
  const faulty = new Set((await findFaults(texts, signatures, keyBytes, new Date())).map(({ path }) => path));
  const isSigned = (path: string) => signaturesBeside(path).some((beside) => !faulty.has(beside.path));
  return new Set([...texts.keys()].filter((path) => !unsigned.has(path) || isSigned(path)));
}

function unfit(view: MirrorView, path: string, expected: string, found: string): UpdateRepositoryError {
  const where = sitePath(view, path);
  return new UpdateRepositoryError('CONFIG', `${where}: expected ${expected}, found ${found}`, {
    data: { path: where },
    hint: 'sign it with `build --pgp-key` or `build --gpg-key`, which knows what belongs into it',
  });
}
