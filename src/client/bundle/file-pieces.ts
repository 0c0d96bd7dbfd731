import { createReadStream } from 'node:fs';
import { fromSystemError } from '../../errors.js';

const PIECE_BYTES = 256 * 1024;

/** The bytes of a file from its start to its end, in pieces that stay as they are. @throws UpdateRepositoryError NOT_FOUND, IO */
export async function* filePieces(path: string): AsyncIterable<Uint8Array> {
  try {
    yield* createReadStream(path, { highWaterMark: PIECE_BYTES }) as AsyncIterable<Uint8Array>;
  } catch (error) {
    throw fromSystemError(error, 'read it', path);
  }
}
