/**
 * What a file turned out to hold. Sizes are bytes. These are data for `inspect`, told by its contents alone, never by its
 * name.
 */
export type Inspection =
  | ImageInspection
  | DeltaInspection
  | SignatureInspection
  | MetaInspection
  | IndexInspection
  | ChecksumsInspection;

export interface ImageInspection {
  readonly kind: 'image';
  /** By its magic number: `squashfs`, `ext4` (which stands for ext2 and ext3 too), `qcow2`, `gpt`, and so on. */
  readonly format: string;
  readonly squashfs: SquashfsFacts | null;
  /** What a Puavo image says about itself in /etc/puavo-image; null for any other image. */
  readonly puavo: PuavoIdentity | null;
}

export interface SquashfsFacts {
  readonly compressor: string;
  readonly blockBytes: number;
  /** The file system's own size; the image file may go on with padding. */
  readonly usedBytes: number;
  readonly inodes: number;
  /** ISO 8601, UTC. */
  readonly createdAt: string;
}

/** Null where the image does not say. */
export interface PuavoIdentity {
  readonly name: string | null;
  readonly class: string | null;
  readonly release: string | null;
}

export interface DeltaInspection {
  readonly kind: 'delta';
  /** Size of the delta where the file has it compressed by zstd, else null. */
  readonly unpackedBytes: number | null;
  readonly targetBytes: number;
  /** How much larger the target is than the delta, compressed or not. */
  readonly expansion: number;
  readonly copyCommands: number;
  readonly copiedBytes: number;
  readonly literalCommands: number;
  readonly literalBytes: number;
  /** Old clients hold a literal in memory as a whole. */
  readonly longestLiteralBytes: number;
  /** Where the furthest copy ends: the base has at least so many bytes. */
  readonly baseMinBytes: number;
}

export interface SignatureInspection {
  readonly kind: 'signature';
  readonly rollingHash: 'rollsum' | 'rabinkarp';
  readonly strongHash: 'md4' | 'blake2';
  readonly blockBytes: number;
  readonly strongBytes: number;
  readonly blocks: number;
  /** A signature does not say how long its last block is: the file that it was made from had so many bytes. */
  readonly fileMinBytes: number;
  readonly fileMaxBytes: number;
}

export interface MetaInspection {
  readonly kind: 'meta';
  readonly series: string;
  readonly images: readonly InspectedImage[];
}

/** An image that a meta file names. */
export interface InspectedImage {
  readonly filename: string;
  readonly version: string;
  readonly sizeBytes: number;
  readonly deltas: readonly { readonly fromVersion: string; readonly sizeBytes: number }[];
}

export interface IndexInspection {
  readonly kind: 'index';
  readonly series: readonly { readonly name: string; readonly images: number; readonly newest: string | null }[];
}

export interface ChecksumsInspection {
  readonly kind: 'checksums';
  /** The list that it is. */
  readonly list: 'CKSUMS' | 'SHA256SUMS';
  readonly files: number;
  /** Of all files together; null where the list has no sizes. */
  readonly totalBytes: number | null;
}
