import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import type { StorageCall } from '../storage.js';
import { persistently, TRIES } from './persistently.js';

const PIECE_BYTES = 1 << 18;

/** What carries bytes in one request. */
export interface Body {
  readonly Body: Readable;
  readonly ContentLength: number;
  /** The server refuses bytes that were damaged on their way. */
  readonly ContentMD5: string;
}

/**
 * Sends `bytes` by the request that `perform` makes, and makes it again where another try may help, `tries` times at most.
 * Tells of the bytes as they go, of each once, and lets the listener make them wait.
 */
export async function sendBytes<T>(
  bytes: Uint8Array,
  md5: Buffer,
  call: StorageCall,
  perform: (body: Body, signal: AbortSignal) => Promise<T>,
  tries = TRIES,
): Promise<T> {
  const told = { bytes: 0 };
  const send = async (): Promise<T> => {
    const stop = new AbortController();
    const signal = AbortSignal.any([call.signal, stop.signal]);
    const failures: unknown[] = [];
    const pieces = piecesOf(bytes, { ...call, signal }, told, (error) => {
      failures.push(error);
      stop.abort();
    });
    const body = { Body: Readable.from(pieces), ContentLength: bytes.length, ContentMD5: md5.toString('base64') };
    try {
      return await perform(body, signal);
    } catch (error) {
      throw failures[0] ?? error;
    }
  };
  return await persistently(call.signal, send, tries);
}

export function md5Of(bytes: Uint8Array): Buffer {
  return createHash('md5').update(bytes).digest();
}

/** Never throws: nobody listens for the errors of a body while it is sent. */
async function* piecesOf(
  bytes: Uint8Array,
  { signal, onBytes }: StorageCall,
  told: { bytes: number },
  onFailure: (error: unknown) => void,
): AsyncGenerator<Uint8Array> {
  try {
    for (let at = 0; at < bytes.length && !signal.aborted; at += PIECE_BYTES) {
      const piece = bytes.subarray(at, at + PIECE_BYTES);
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
