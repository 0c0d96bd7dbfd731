import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import type { StorageCall } from '../storage.js';

const MAX_PIECE_BYTES = 1 << 18;

/** What carries bytes in one request. */
export interface Body {
  readonly Body: Readable;
  readonly ContentLength: number;
  /** The server refuses bytes that were damaged on their way. */
  readonly ContentMD5: string;
}

/** Sends the same bytes by whatever request `perform` makes of them, as often as it is called. */
export type Send = <T>(signal: AbortSignal, perform: (body: Body, signal: AbortSignal) => Promise<T>) => Promise<T>;

/** Tells of the bytes as they go, of each once however often they are sent, and lets the listener make them wait. */
export function sender(bytes: Uint8Array, md5: Buffer, call: Pick<StorageCall, 'onBytes' | 'pieceBytes'>): Send {
  const told = { bytes: 0 };
  return async (signal, perform) => {
    const stop = new AbortController();
    const stoppable = AbortSignal.any([signal, stop.signal]);
    const failures: unknown[] = [];
    const pieces = piecesOf(bytes, { ...call, signal: stoppable }, told, (error) => {
      failures.push(error);
      stop.abort();
    });
    const body = { Body: Readable.from(pieces), ContentLength: bytes.length, ContentMD5: md5.toString('base64') };
    try {
      return await perform(body, stoppable);
    } catch (error) {
      throw failures[0] ?? error;
    }
  };
}

export function md5Of(bytes: Uint8Array): Buffer {
  return createHash('md5').update(bytes).digest();
}

/** Never throws: nobody listens for the errors of a body while it is sent. */
async function* piecesOf(
  bytes: Uint8Array,
  { signal, onBytes, pieceBytes = MAX_PIECE_BYTES }: StorageCall,
  told: { bytes: number },
  onFailure: (error: unknown) => void,
): AsyncGenerator<Uint8Array> {
  const size = Math.min(pieceBytes, MAX_PIECE_BYTES);
  try {
    for (let at = 0; at < bytes.length && !signal.aborted; at += size) {
      const piece = bytes.subarray(at, at + size);
      const fresh = at + piece.length - told.bytes;
      if (fresh > 0) {
        told.bytes += fresh;
        await onBytes?.(fresh);
      }
      if (!signal.aborted) yield piece;
    }
  } catch (error) {
    onFailure(error);
  }
}
