import { UpdateRepositoryError } from '../errors.js';
import type { Storage, StorageCall } from './storage.js';

/**
 * Reads a text of at most `maxBytes` from a storage; null where there is none.
 *
 * @throws UpdateRepositoryError FORMAT when it is larger or no UTF-8; what the storage throws
 */
export async function readText(
  storage: Storage,
  path: string,
  maxBytes: number,
  call: StorageCall,
): Promise<string | null> {
  const bytes = await readBytes(storage, path, maxBytes, call);
  if (bytes === null) return null;
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw unfit(`${storage.name}/${path}`, 'UTF-8 text', 'other bytes');
  }
}

/**
 * Reads an object of at most `maxBytes` from a storage; null where there is none.
 *
 * @throws UpdateRepositoryError FORMAT when it is larger; what the storage throws
 */
export async function readBytes(
  storage: Storage,
  path: string,
  maxBytes: number,
  call: StorageCall,
): Promise<Uint8Array | null> {
  const pieces = await storage.read(path, call);
  if (pieces === null) return null;
  const kept: Buffer[] = [];
  let sizeBytes = 0;
  for await (const piece of pieces) {
    sizeBytes += piece.length;
    if (sizeBytes > maxBytes) throw unfit(`${storage.name}/${path}`, `at most ${maxBytes} bytes`, 'more');
    kept.push(Buffer.from(piece));
  }
  return Buffer.concat(kept);
}

function unfit(name: string, expected: string, found: string): UpdateRepositoryError {
  return new UpdateRepositoryError('FORMAT', `${name}: expected ${expected}, found ${found}`, { data: { path: name } });
}
