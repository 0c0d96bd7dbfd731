import { UpdateRepositoryError } from '../errors.js';

/**
 * librsync's signature, as `rdiff signature` writes it. All integers are big-endian and unsigned.
 *
 *     magic (4 bytes), block length (4), strong length (4), then for each block of the file
 *     weak sum (4), the first `strong length` bytes of the strong sum
 *
 *     72 73 01 36   rollsum and MD4
 *     72 73 01 37   rollsum and BLAKE2b
 *     72 73 01 46   Rabin-Karp and MD4
 *     72 73 01 47   Rabin-Karp and BLAKE2b
 *
 * All blocks have the block length but for the last one, which may be shorter. The sums are defined in
 * docs/signatures.md. Source: "File formats" in librsync's documentation (doc/formats.md), section "Signatures".
 */
export interface SignatureKind {
  readonly weak: WeakSum;
  readonly strong: StrongSum;
  /** Bytes of a block, from 1 to {@link BLOCK_MAX_BYTES}. */
  readonly blockBytes: number;
  /** Bytes of the strong sum that are kept, from 1 to {@link DIGEST_BYTES}. */
  readonly strongBytes: number;
}

export type WeakSum = 'rollsum' | 'rabinkarp';
export type StrongSum = 'md4' | 'blake2';

export const WEAK_BYTES = 4;
export const SIGNATURE_HEADER_BYTES = 12;

/** Whole digests; BLAKE2b is the one of 32 bytes (RFC 7693), not the first half of the one of 64. */
export const DIGEST_BYTES: Readonly<Record<StrongSum, number>> = { md4: 16, blake2: 32 };

/** The largest block length that rdiff accepts. */
export const BLOCK_MAX_BYTES = 2 ** 31 - 1;

const MAGIC = 0x72730136;
const MAGIC_BLAKE2 = 0x01;
const MAGIC_RABIN_KARP = 0x10;

/** Bytes of the sums of one block. */
export function entryBytes({ strongBytes }: SignatureKind): number {
  return WEAK_BYTES + strongBytes;
}

/** The first bytes of a signature. */
export function formatSignatureHeader(kind: SignatureKind): Uint8Array {
  const header = Buffer.alloc(SIGNATURE_HEADER_BYTES);
  header.writeUInt32BE(magicOf(kind), 0);
  header.writeUInt32BE(kind.blockBytes, 4);
  header.writeUInt32BE(kind.strongBytes, 8);
  return header;
}

/**
 * Reads the first bytes of a signature from an untrusted source: 12 of them, or as many as there are. A strong length
 * of 0 means the whole digest, as it does to rdiff.
 *
 * @throws UpdateRepositoryError FORMAT with the offset, what was expected and what was found
 */
export function parseSignatureHeader(bytes: Uint8Array, name: string): SignatureKind {
  if (bytes.length < SIGNATURE_HEADER_BYTES) {
    throw truncatedSignature(name, `a header of ${SIGNATURE_HEADER_BYTES} bytes`, `${bytes.length} bytes`);
  }
  const header = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const magic = header.readUInt32BE(0);
  const blockBytes = header.readUInt32BE(4);
  const strongBytes = header.readUInt32BE(8);
  const isPlausible = blockBytes >= 1 && blockBytes <= BLOCK_MAX_BYTES && strongBytes <= DIGEST_BYTES.blake2;
  const sums = parseMagic(magic);
  if (sums === undefined) {
    const found = magic.toString(16).padStart(8, '0');
    // To rdiff, which looks at the lengths first, the file is damaged when they are wrong too.
    const fault = isPlausible ? 'magic' : 'corrupt';
    throw malformed(name, fault, 0, 'the magic of a signature, 72730136, 37, 46 or 47', found);
  }
  if (blockBytes < 1 || blockBytes > BLOCK_MAX_BYTES) {
    throw malformed(name, 'corrupt', 4, `a block length from 1 to ${BLOCK_MAX_BYTES}`, `${blockBytes}`);
  }
  const longest = DIGEST_BYTES[sums.strong];
  if (strongBytes > longest) {
    const fault = isPlausible ? 'parameter' : 'corrupt';
    throw malformed(name, fault, 8, `a strong length of at most ${longest}`, `${strongBytes}`);
  }
  return { ...sums, blockBytes, strongBytes: strongBytes === 0 ? longest : strongBytes };
}

/** The error for a signature that ends too early. */
export function truncatedSignature(name: string, expected: string, found: string): UpdateRepositoryError {
  return malformed(name, 'truncated', null, expected, found);
}

function magicOf({ weak, strong }: SignatureKind): number {
  return MAGIC + (strong === 'blake2' ? MAGIC_BLAKE2 : 0) + (weak === 'rabinkarp' ? MAGIC_RABIN_KARP : 0);
}

function parseMagic(magic: number): Pick<SignatureKind, 'weak' | 'strong'> | undefined {
  const flags = magic - MAGIC;
  if (flags < 0 || (flags & ~(MAGIC_BLAKE2 | MAGIC_RABIN_KARP)) !== 0) return undefined;
  return {
    weak: (flags & MAGIC_RABIN_KARP) === 0 ? 'rollsum' : 'rabinkarp',
    strong: (flags & MAGIC_BLAKE2) === 0 ? 'md4' : 'blake2',
  };
}

/** What is wrong with a signature, for those who tell the kinds of damage apart, as rdiff's exit codes do. */
type Fault = 'magic' | 'truncated' | 'corrupt' | 'parameter';

function malformed(
  name: string,
  fault: Fault,
  offset: number | null,
  expected: string,
  found: string,
): UpdateRepositoryError {
  const place = offset === null ? 'the signature is truncated' : `at byte ${offset} of the signature`;
  return new UpdateRepositoryError('FORMAT', `${name}: ${place}: expected ${expected}, found ${found}`, {
    data: { path: name, fault, offset, expected, found },
  });
}
