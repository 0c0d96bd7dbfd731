import { UpdateRepositoryError } from '../errors.js';

/*
 * librsync's signature, all integers big-endian: magic, block length, strong length (4 bytes each), then for each block of
 * the file its rolling hash (4 bytes) and the first bytes of its strong hash (strong length).
 * Source: "File formats" in librsync's documentation (doc/formats.md), section "Signatures".
 */
export const SIGNATURE_HEADER_BYTES = 12;
const ROLLING_HASH_BYTES = 4;

const KINDS: ReadonlyMap<number, Pick<SignatureHeader, 'rollingHash' | 'strongHash'>> = new Map([
  [0x72730136, { rollingHash: 'rollsum', strongHash: 'md4' }],
  [0x72730137, { rollingHash: 'rollsum', strongHash: 'blake2' }],
  [0x72730146, { rollingHash: 'rabinkarp', strongHash: 'md4' }],
  [0x72730147, { rollingHash: 'rabinkarp', strongHash: 'blake2' }],
] as const);

const STRONG_MAX_BYTES = { md4: 16, blake2: 32 } as const;

/** What the first bytes of a signature and its size tell. */
export interface SignatureHeader {
  readonly rollingHash: 'rollsum' | 'rabinkarp';
  readonly strongHash: 'md4' | 'blake2';
  readonly blockBytes: number;
  readonly strongBytes: number;
  readonly blocks: number;
}

/** Whether a file that begins with `bytes` is meant to be a signature. */
export function isSignature(bytes: Uint8Array): boolean {
  return bytes.length >= 4 && KINDS.has(readWord(bytes, 0));
}

/**
 * Reads the header of a signature. `bytes` are its first ones, `sizeBytes` is the size of the whole file, `name` is for
 * messages.
 *
 * @throws UpdateRepositoryError FORMAT with the offset of what is wrong
 */
export function parseSignatureHeader(bytes: Uint8Array, sizeBytes: number, name: string): SignatureHeader {
  const malformed = (offset: number, expected: string, found: string | number) =>
    new UpdateRepositoryError(
      'FORMAT',
      `${name}: at byte ${offset} of the signature: expected ${expected}, found ${found}`,
      { data: { path: name, offset, expected, found } },
    );
  const kind = bytes.length < 4 ? undefined : KINDS.get(readWord(bytes, 0));
  if (kind === undefined) throw malformed(0, 'the magic of a signature', 'another');
  if (bytes.length < SIGNATURE_HEADER_BYTES) {
    throw malformed(bytes.length, `a header of ${SIGNATURE_HEADER_BYTES} bytes`, 'the end of the data');
  }
  const blockBytes = readWord(bytes, 4);
  const strongBytes = readWord(bytes, 8);
  const strongMax = STRONG_MAX_BYTES[kind.strongHash];
  if (blockBytes === 0) throw malformed(4, 'a block length from 1 on', 0);
  if (strongBytes === 0 || strongBytes > strongMax) {
    throw malformed(8, `a strong length from 1 to ${strongMax}`, strongBytes);
  }
  const entryBytes = ROLLING_HASH_BYTES + strongBytes;
  const rest = (sizeBytes - SIGNATURE_HEADER_BYTES) % entryBytes;
  if (rest !== 0) {
    throw malformed(sizeBytes - rest, `whole blocks of ${entryBytes} bytes`, `${rest} bytes at the end`);
  }
  return { ...kind, blockBytes, strongBytes, blocks: (sizeBytes - SIGNATURE_HEADER_BYTES) / entryBytes };
}

function readWord(bytes: Uint8Array, at: number): number {
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(at);
}
