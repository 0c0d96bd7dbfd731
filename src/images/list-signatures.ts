import { open, readdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fromSystemError, isSystemError, UpdateRepositoryError } from '../errors.js';
import type { PlannedAction } from '../events.js';
import { syncDirectory, writeFilesTogether } from '../io/atomic-file.js';
import { META_DIR, RDIFFS_DIR } from '../metadata/mirror-paths.js';
import {
  findDue,
  isSignature,
  KEY_FILE,
  MAX_SIGNATURE_BYTES,
  signaturesBeside,
  signLists,
} from '../trust/openpgp/sign-lists.js';
import type { LockedSigner, Signer } from '../trust/openpgp/signer.js';
import type { IndexTexts } from './contents.js';
import { readIndexTexts } from './disk-indexes.js';
import { type MirrorSite, type MirrorView, removeFromMirror, sitePath } from './site.js';
import { identify } from './survey.js';

/** Who signs the lists of a mirror; `none` takes their signatures away. */
export type ListSigning = LockedSigner | 'none';

type Mirror = Pick<MirrorView, 'mirrorDir'>;

/** Whether the lists of a mirror are signed, by whomever. */
export async function hasSignedLists(mirror: Mirror): Promise<boolean> {
  return (await identify(sitePath(mirror, KEY_FILE))) !== null;
}

/** The key of a mirror and the signatures that it has beside these indexes, by path. */
export async function readSignatures(
  mirror: Mirror,
  indexes: Iterable<string>,
): Promise<ReadonlyMap<string, Uint8Array>> {
  const files = new Map<string, Uint8Array>();
  const paths = [...indexes].flatMap(signaturesBeside).map(({ path }) => path);
  for (const path of [KEY_FILE, ...paths]) {
    const bytes = await readStart(sitePath(mirror, path));
    if (bytes !== null) files.set(path, bytes);
  }
  return files;
}

/** What a build has to sign, or to take away, beside indexes with these texts, as far as it is known before its work. */
export async function planSignatures(
  mirror: Mirror,
  texts: IndexTexts,
  signing: ListSigning | undefined,
  changes: boolean,
): Promise<PlannedAction[]> {
  if (signing === undefined) return [];
  if (signing === 'none') {
    return (await removablePaths(mirror)).map((path) => ({
      action: 'remove',
      path,
      detail: '--no-pgp',
      sizeBytes: null,
    }));
  }
  const action: PlannedAction = { action: 'sign', path: KEY_FILE, detail: 'the lists that change', sizeBytes: null };
  if (changes) return [action];
  const due = await findDue(texts, await readSignatures(mirror, texts.keys()), signing.publicKey, new Date());
  const strays = await strayPaths(mirror);
  if (due.size + strays.length === 0) return [];
  return [{ ...action, detail: `${[...due, ...strays].join(', ')}: missing, or not by this key` }];
}

/** Throws CONFIG where the lists are signed and there is no key: their signatures would be of other lists. */
export async function requireListKey(mirror: Mirror, signing: ListSigning | undefined): Promise<void> {
  if (signing !== undefined || !(await hasSignedLists(mirror))) return;
  const path = sitePath(mirror, KEY_FILE);
  throw new UpdateRepositoryError(
    'CONFIG',
    `${path}: expected its secret key to sign the lists that change, found none`,
    {
      data: { path },
      hint: 'give --pgp-key FILE or --gpg-key ID, or end the signing with --no-pgp',
    },
  );
}

/** The key and the signatures to write beside indexes with these texts: those that are missing, or not good by this key. */
export async function makeSignatures(
  mirror: Mirror,
  texts: IndexTexts,
  signer: Signer,
): Promise<ReadonlyMap<string, Uint8Array>> {
  const existing = await readSignatures(mirror, texts.keys());
  return (await signLists(texts, existing, signer, new Date())).write;
}

/** Writes files that belong together, such as a list and its signatures: one gets its name right after the other. */
export async function writeTogether(
  site: MirrorSite,
  files: readonly (readonly [path: string, bytes: string | Uint8Array])[],
): Promise<void> {
  if (files.length === 0) return;
  await site.lock.assertHeld();
  await writeFilesTogether(
    files.map(([path, bytes], index) => ({
      path: sitePath(site, path),
      bytes,
      temporaryPath: site.state.temporaryPath(`index-${index}`),
    })),
  );
  for (const [path, bytes] of files) {
    site.onEvent({ type: 'index-written', path, sizeBytes: Buffer.byteLength(bytes) });
  }
}

/** The signatures of lists that are gone: a build may have been killed before it removed them. */
export async function strayPaths(mirror: Mirror): Promise<string[]> {
  const directories = ['', META_DIR, RDIFFS_DIR];
  const paths = new Set((await Promise.all(directories.map((directory) => pathsIn(mirror, directory)))).flat());
  return [...paths].filter((path) => isSignature(path) && !paths.has(path.replace(/\.(asc|gpg)$/, '')));
}

/** Removes the signatures of lists that are gone. */
export async function removeStrays(site: MirrorSite): Promise<void> {
  await removeAll(site, await strayPaths(site));
}

/**
 * Takes all signatures of the lists away, and their key last: as long as it is there, no build without a key changes what
 * they are over.
 *
 * @returns how many files were removed
 */
export async function removeSignatures(site: MirrorSite): Promise<number> {
  const paths = await removablePaths(site);
  await removeAll(site, paths);
  return paths.length;
}

async function removablePaths(mirror: Mirror): Promise<string[]> {
  const texts = await readIndexTexts(mirror.mirrorDir);
  const paths = [...(await readSignatures(mirror, texts.keys())).keys()].filter((path) => path !== KEY_FILE);
  return [...paths, ...(await strayPaths(mirror)), ...((await hasSignedLists(mirror)) ? [KEY_FILE] : [])];
}

async function removeAll(site: MirrorSite, paths: readonly string[]): Promise<void> {
  for (const path of paths) {
    const sizeBytes = (await identify(sitePath(site, path)))?.sizeBytes ?? 0;
    await removeFromMirror(site, path);
    await syncDirectory(dirname(sitePath(site, path)));
    site.onEvent({ type: 'file-removed', path, sizeBytes });
  }
}

async function pathsIn(mirror: Mirror, directory: string): Promise<string[]> {
  try {
    const names = await readdir(sitePath(mirror, directory));
    return names.sort().map((name) => (directory === '' ? name : `${directory}/${name}`));
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return [];
    throw fromSystemError(error, 'list it', sitePath(mirror, directory));
  }
}

/** The bytes of a file, or so many that it is seen to have too many; null where there is none. */
async function readStart(path: string): Promise<Uint8Array | null> {
  try {
    const file = await open(path, 'r');
    try {
      const buffer = Buffer.alloc(Math.min((await file.stat()).size, MAX_SIGNATURE_BYTES));
      const { bytesRead } = await file.read(buffer, 0, buffer.length, 0);
      return buffer.subarray(0, bytesRead);
    } finally {
      await file.close();
    }
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return null;
    throw fromSystemError(error, 'read it', path);
  }
}
