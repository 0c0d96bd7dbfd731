import { createHash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { fromSystemError } from '../../errors.js';
import { checkUnwritten } from '../../io/digest.js';
import { type FileIdentity, identityOf } from '../../io/file-identity.js';
import { readBuffer } from '../../io/page-aligned.js';
import { openPlainFile } from '../../io/plain-file.js';
import { parseSha256Hex, type Sha256Hex } from '../../metadata/brands.js';

const CHUNK_BYTES = 1 << 20;

export interface HashedFile {
  readonly state: FileIdentity;
  readonly sha256: Sha256Hex;
}

/**
 * Reads a file and yields its sha256 and the state that it is of. Holds 1 MiB.
 *
 * @throws UpdateRepositoryError CHANGED_WHILE_READ, NOT_FOUND, IO, FORMAT (no plain file); the reason of the abort
 */
export async function hashFile(
  path: string,
  { signal, onProgress }: { readonly signal: AbortSignal; readonly onProgress: (doneBytes: number) => void },
): Promise<HashedFile> {
  const file = await openPlainFile(path);
  try {
    const before = identityOf(await file.stat({ bigint: true }));
    const sha256 = await hashDescriptor(file, before.sizeBytes, signal, onProgress);
    const state = identityOf(await file.stat({ bigint: true }));
    checkUnwritten(path, before, state);
    return { state, sha256: parseSha256Hex(sha256, path) };
  } catch (error) {
    throw fromSystemError(error, 'read it', path);
  } finally {
    await file.close();
  }
}

/** No more than `sizeBytes`: a file that grows as fast as it is read would never end. */
async function hashDescriptor(
  file: FileHandle,
  sizeBytes: number,
  signal: AbortSignal,
  onProgress: (doneBytes: number) => void,
): Promise<string> {
  const hash = createHash('sha256');
  const room = readBuffer(CHUNK_BYTES);
  for (let position = 0; position < sizeBytes; ) {
    signal.throwIfAborted();
    const { bytesRead } = await file.read(room, 0, Math.min(room.length, sizeBytes - position), position);
    if (bytesRead === 0) break;
    hash.update(room.subarray(0, bytesRead));
    position += bytesRead;
    onProgress(position);
  }
  return hash.digest('hex');
}
