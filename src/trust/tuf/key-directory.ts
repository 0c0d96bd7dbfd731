import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { fromSystemError, UpdateRepositoryError } from '../../errors.js';
import { placeFile, readTextFile, syncDirectory } from '../../io/atomic-file.js';
import type { TufKey } from './documents.js';
import { type KeyFile, MAX_KEY_FILE_BYTES, parseKeyFile, renderPublicKeyFile, sealKeyFile } from './key-file.js';
import { keyIdOf } from './public-key.js';
import type { KeyRole } from './role-names.js';
import type { SigningKey } from './signing-key.js';

/*
 * A directory of keys holds one file a key, `<key id>.json`, which its owner alone may read. Other files in it are left
 * alone.
 */

const DIRECTORY_MODE = 0o700;
const FILE_MODE = 0o600;
const KEY_FILE_NAME = /^[0-9a-f]{64}\.json$/;

/** The keys of a directory, in the order of their ids, or the one of a file. Throws NOT_FOUND, and FORMAT for a file that is damaged. */
export async function readKeyDirectory(place: string): Promise<KeyFile[]> {
  const paths = isKeyFile(place) ? [place] : await listKeyFiles(place);
  const keys: KeyFile[] = [];
  for (const path of paths) {
    const text = await readTextFile(path, MAX_KEY_FILE_BYTES);
    if (text === null && path !== place) continue;
    if (text === null) throw new UpdateRepositoryError('NOT_FOUND', `${path}: expected the file of a key, found none`);
    const key = parseKeyFile(text, path);
    if (basename(path) !== keyFileName(key.publicKey)) {
      throw new UpdateRepositoryError('FORMAT', `${path}: expected the key that it is named by, found ${key.id}`);
    }
    keys.push(key);
  }
  return keys;
}

/** Whether a path is that of the file of one key, by its name. */
export function isKeyFile(path: string): boolean {
  return KEY_FILE_NAME.test(basename(path));
}

async function listKeyFiles(directory: string): Promise<string[]> {
  const names = (await listNames(directory)).filter((name) => KEY_FILE_NAME.test(name)).sort();
  return names.map((name) => join(directory, name));
}

/**
 * Keeps a key, encrypted by a passphrase and scrypt with this `n`, where it is given; returns the path of its file. A
 * file of that key is replaced.
 */
export async function saveKey(
  directory: string,
  key: SigningKey,
  roles: readonly KeyRole[],
  passphrase: string,
  n?: number,
): Promise<string> {
  return await saveFile(directory, key.publicKey, await sealKeyFile(key, roles, passphrase, n));
}

/** Keeps the public half of a key whose private half is elsewhere; returns the path of its file. */
export async function savePublicKey(directory: string, key: TufKey, roles: readonly KeyRole[]): Promise<string> {
  return await saveFile(directory, key, renderPublicKeyFile(key, roles));
}

/** Keeps the private half of a key as `<key id>.pem`, encrypted by nothing; returns the path of the file. */
export async function savePem(directory: string, key: SigningKey): Promise<string> {
  return await saveText(join(directory, `${key.id}.pem`), key.revealPem());
}

/** Copies the file of a key as it is; returns the path of the copy. */
export async function copyKeyFile(file: string, directory: string, key: TufKey): Promise<string> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    throw fromSystemError(error, 'read it', file);
  }
  return await saveFile(directory, key, text);
}

/** Moves a key's file out of use, into `retired/`; returns its new path. */
export async function retireKey(directory: string, file: string): Promise<string> {
  const retired = join(directory, 'retired');
  const path = join(retired, basename(file));
  try {
    await mkdir(retired, { recursive: true, mode: DIRECTORY_MODE });
    await rename(file, path);
  } catch (error) {
    throw fromSystemError(error, `move it to ${retired}`, file);
  }
  await syncDirectory(retired);
  await syncDirectory(directory);
  return path;
}

function keyFileName(key: TufKey): string {
  return `${keyIdOf(key)}.json`;
}

async function listNames(directory: string): Promise<string[]> {
  try {
    return await readdir(directory);
  } catch (error) {
    throw fromSystemError(error, 'list it', directory);
  }
}

async function saveFile(directory: string, key: TufKey, text: string): Promise<string> {
  return await saveText(join(directory, keyFileName(key)), text);
}

async function saveText(path: string, text: string): Promise<string> {
  const temporaryPath = `${path}.new`;
  try {
    await mkdir(dirname(path), { recursive: true, mode: DIRECTORY_MODE });
    await rm(temporaryPath, { force: true });
    const file = await open(temporaryPath, 'wx', FILE_MODE);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await placeFile(temporaryPath, path);
    return path;
  } catch (error) {
    await rm(temporaryPath, { force: true });
    throw fromSystemError(error, 'keep the key in it', path);
  }
}
