import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { fromSystemError, UpdateRepositoryError } from '../errors.js';
import { readBuffer } from '../io/page-aligned.js';
import type { PutRequest, StorageCall } from './storage.js';

const MAX_PIECE_BYTES = 1 << 20;

/**
 * The bytes of what is to be stored, in pieces of up to 1 MiB, or of `pieceBytes` where that is less, that are valid until
 * the next one is asked for. Checks at the end that they were as many as the request says, with its sha256: nothing may
 * become visible before that.
 *
 * @throws UpdateRepositoryError CHANGED_WHILE_READ, INTERRUPTED, NOT_FOUND, IO
 */
export async function* contentOf(request: PutRequest, call: StorageCall): AsyncGenerator<Uint8Array> {
  const { signal, onBytes, pieceBytes = MAX_PIECE_BYTES } = call;
  const digest = createHash('sha256');
  let sizeBytes = 0;
  for await (const piece of piecesOf(request, Math.min(pieceBytes, MAX_PIECE_BYTES))) {
    if (signal.aborted) throw new UpdateRepositoryError('INTERRUPTED', 'interrupted');
    digest.update(piece);
    sizeBytes += piece.length;
    yield piece;
    await onBytes?.(piece.length);
  }
  const found = digest.digest('hex');
  if (sizeBytes === request.sizeBytes && found === request.sha256) return;
  throw changed(request, sizeBytes === request.sizeBytes ? `sha256 ${found}` : `${sizeBytes} bytes`);
}

async function* piecesOf({ content, sizeBytes }: PutRequest, pieceBytes: number): AsyncGenerator<Uint8Array> {
  if (content.kind === 'bytes') {
    const { bytes } = content;
    for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes);
    return;
  }
  const { filePath } = content;
  try {
    const file = await open(filePath, 'r');
    try {
      const buffer = readBuffer(Math.min(pieceBytes, sizeBytes + 1));
      for (;;) {
        const { bytesRead } = await file.read(buffer, 0, buffer.length, null);
        if (bytesRead === 0) return;
        yield buffer.subarray(0, bytesRead);
      }
    } finally {
      await file.close();
    }
  } catch (error) {
    throw fromSystemError(error, 'read it', filePath);
  }
}

function changed({ path, content, sizeBytes, sha256 }: PutRequest, found: string): UpdateRepositoryError {
  const name = content.kind === 'file' ? content.filePath : path;
  const expected = `${sizeBytes} bytes with sha256 ${sha256}`;
  return new UpdateRepositoryError('CHANGED_WHILE_READ', `${name}: expected ${expected}, found ${found}`, {
    data: { path: name },
    hint: 'run a build, or `verify`, and publish again',
  });
}
