import type { DeltaEffort, DeltaStatistics } from '../delta/generate.js';
import type { FileIdentity } from '../io/file-identity.js';
import type { LinkKind, LinkMode } from '../io/link.js';
import type { Digests } from '../metadata/digests.js';
import type { PuavoConf } from '../metadata/puavo-conf.js';
import type { ImageKind } from '../squashfs/kind.js';

/**
 * What a worker is told to do: paths and numbers only, absolute paths. Each kind has its result in {@link JobResults};
 * both cross the worker boundary by structured clone.
 */
export type Job = ExamineJob | DigestJob | DeltaJob | CheckDeltaJob;

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

/** Make a delta at `path`, apply it, and hash it. */
export interface DeltaJob {
  readonly kind: 'delta';
  readonly path: string;
  readonly base: DeltaInput;
  readonly target: DeltaInput & { readonly sizeBytes: number };
  readonly effort: DeltaEffort;
  readonly maxDeltaBytes: number;
}

/** Apply a delta that is there, compare its result, and hash it. */
export interface CheckDeltaJob {
  readonly kind: 'check-delta';
  readonly path: string;
  readonly base: { readonly path: string };
  readonly target: { readonly sizeBytes: number; readonly sha256: string };
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
  readonly delta: MadeDelta;
  readonly 'check-delta': DigestedPath;
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

export interface MadeDelta extends DigestedPath {
  readonly statistics: DeltaStatistics;
}
