import type { DeltaPart } from '../delta/delta-part.js';
import type { DeltaEffort } from '../delta/generate.js';
import type { FileIdentity } from '../io/file-identity.js';
import type { LinkKind, LinkMode } from '../io/link.js';
import type { Digests } from '../metadata/digests.js';
import type { PuavoConf } from '../metadata/puavo-conf.js';
import type { ImageKind } from '../squashfs/kind.js';

/**
 * What a worker is told to do: paths and numbers only, absolute paths. Each kind has its result in {@link JobResults};
 * both cross the worker boundary by structured clone.
 */
export type Job =
  | ExamineJob
  | DigestJob
  | DeltaPartJob
  | ProveDeltaJob
  | CheckDeltaJob
  | CheckInputsJob
  | CompareDeltaJob
  | CompressDeltaJob
  | CheckCompressedJob;

/** Hash an image and read from it what the mirror publishes about it. */
export interface ExamineJob {
  readonly kind: 'examine';
  readonly path: string;
  /** Link this file to `path` first, which must not exist; null reads what is at `path`. */
  readonly linkFrom: { readonly source: string; readonly mode: LinkMode } | null;
}

/** Hash a file. */
export interface DigestJob {
  readonly kind: 'digest';
  readonly path: string;
}

/** Do a part of making deltas from one base. */
export interface DeltaPartJob {
  readonly kind: 'delta-part';
  /** The file that errors name where nothing else is known. */
  readonly path: string;
  readonly part: DeltaPart;
}

/** Apply a delta that was just made, compare its result, check that its inputs are still the same, and hash it. */
export interface ProveDeltaJob {
  readonly kind: 'prove-delta';
  readonly path: string;
  readonly base: DeltaInput;
  readonly target: DeltaInput & { readonly sizeBytes: number };
}

/** Apply a delta that is there, compare its result, and hash it. */
export interface CheckDeltaJob {
  readonly kind: 'check-delta';
  readonly path: string;
  readonly base: { readonly path: string };
  readonly target: { readonly sizeBytes: number; readonly sha256: string };
}

/** Check that a base and a target are still what they were when they were hashed. */
export interface CheckInputsJob {
  readonly kind: 'check-inputs';
  readonly path: string;
  readonly base: DeltaInput;
  readonly target: DeltaInput;
}

/** Apply a delta and compare what it makes with a file. */
export interface CompareDeltaJob {
  readonly kind: 'compare-delta';
  readonly path: string;
  readonly basePath: string;
  readonly targetPath: string;
}

/** Compress a delta into a new file, prove that this unpacks to the delta, and hash it. */
export interface CompressDeltaJob {
  readonly kind: 'compress-delta';
  readonly path: string;
  readonly deltaPath: string;
  readonly deltaBytes: number;
  readonly deltaSha256: string;
  readonly effort: DeltaEffort;
  /** One that grows past it is given up. */
  readonly maxZstBytes: number;
}

/** Unpack a compressed delta that is there, compare what comes out with the delta's sha256, and hash it. */
export interface CheckCompressedJob {
  readonly kind: 'check-compressed';
  readonly path: string;
  readonly deltaBytes: number;
  readonly deltaSha256: string;
}

/** A file, and the state in which it was hashed: a delta of anything else would be refused by its readers. */
export interface DeltaInput {
  readonly path: string;
  readonly identity: FileIdentity;
  readonly sha256: string;
}

export interface JobResults {
  readonly examine: ExaminedImage;
  readonly digest: DigestedPath;
  readonly 'delta-part': null;
  readonly 'prove-delta': DigestedPath;
  readonly 'check-delta': DigestedPath;
  readonly 'compare-delta': null;
  readonly 'check-inputs': null;
  readonly 'compress-delta': DigestedPath;
  readonly 'check-compressed': DigestedPath;
}

export interface DigestedPath {
  readonly identity: FileIdentity;
  readonly digests: Digests;
}

export interface ExaminedImage extends DigestedPath {
  /** How `path` came to be; null where nothing was linked. */
  readonly link: LinkKind | null;
  readonly kind: ImageKind;
  /** The file name that the image has for itself; null where it has none. */
  readonly innerName: string | null;
  readonly puavoConf: PuavoConf;
}
