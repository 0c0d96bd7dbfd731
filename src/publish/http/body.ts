import { Readable } from 'node:stream';
import { contentOf } from '../content.js';
import type { PutRequest, StorageCall } from '../storage.js';
import type { Sent } from './client.js';

/**
 * What a PUT sends. The end of it is held back until all of the content has been found to be right: a server that has
 * not got as much as Content-Length says stores nothing.
 *
 * Takes up to two pieces of 1 MiB of memory.
 */
export function bodyOf(request: PutRequest, call: StorageCall): Sent {
  const headers = { 'content-length': String(request.sizeBytes), 'content-type': request.mediaType };
  return { headers, body: Readable.from(checkedContent(request, call), { objectMode: false, highWaterMark: 1 }) };
}

async function* checkedContent(request: PutRequest, call: StorageCall): AsyncGenerator<Buffer> {
  let held: Buffer | null = null;
  let sizeBytes = 0;
  for await (const piece of contentOf(request, call)) {
    sizeBytes += piece.length;
    // More than was announced: nothing is sent of it, and an error comes at its end.
    if (sizeBytes > request.sizeBytes) continue;
    if (held !== null) yield held;
    // The socket may still have it when the next piece is read into the same memory.
    held = Buffer.from(piece);
  }
  if (held !== null) yield held;
}
