import { inflateSync } from 'node:zlib';
import { damagedData } from './damage.js';
import { decompressLz4Block } from './lz4-block.js';
import { decompressLzo1x } from './lzo1x.js';
import type { CompressorName } from './superblock.js';
import { decompressXz } from './xz/stream.js';
import { decompressZstd } from './zstd/frame.js';

/**
 * Unpacks one block as squashfs stores it. Memory is bounded by `maxOutputBytes` (at least 1) and a small multiple of
 * the input, time likewise.
 *
 * @throws FORMAT where the data is damaged or unpacks to more than `maxOutputBytes`.
 */
export type Decompress = (bytes: Uint8Array, maxOutputBytes: number) => Uint8Array | Promise<Uint8Array>;

/**
 * How to unpack what each compressor packed, null where this reader cannot: lzma is the format's deprecated one, which
 * no kernel mounts.
 */
export const CODECS: Readonly<Record<CompressorName, Decompress | null>> = {
  gzip: decompressGzip,
  lz4: decompressLz4Block,
  lzma: null,
  lzo: decompressLzo1x,
  xz: decompressXz,
  zstd: decompressZstd,
};

/** squashfs's "gzip" is a zlib stream (RFC 1950), without a gzip header. */
function decompressGzip(bytes: Uint8Array, maxOutputBytes: number): Uint8Array {
  try {
    return inflateSync(bytes, { maxOutputLength: maxOutputBytes });
  } catch (error) {
    if (!isInflateError(error)) throw error;
    throw damagedData('gzip', 0, `a zlib stream of at most ${maxOutputBytes} unpacked bytes`, error.message, error);
  }
}

function isInflateError(error: unknown): error is Error {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') return false;
  return error.code.startsWith('Z_') || error.code === 'ERR_BUFFER_TOO_LARGE';
}
