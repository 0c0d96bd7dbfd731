import type { ImageVersion } from '../../metadata/brands.js';
import type { SeriesMeta } from '../../metadata/meta.js';
import type { LocalImage } from '../local-image.js';

/** What a plan is made from: what the mirror has, what is wanted, and what the device has and may do. */
export interface PlanRequest {
  readonly meta: SeriesMeta;
  readonly wanted: ImageVersion;
  readonly device: DeviceState;
  readonly rates: Rates;
  readonly limits: PathLimits;
}

/** What is on the device. */
export interface DeviceState {
  readonly present: readonly LocalImage[];
  /** Valid bytes of unfinished downloads, by the name of the image or delta. */
  readonly partial: ReadonlyMap<string, number>;
  readonly checkpoint: Checkpoint | null;
  /** Bytes that may be written beside all that is there. */
  readonly freeBytes: number;
}

/** How far an image is that a delta was being streamed into. */
export interface Checkpoint {
  readonly target: ImageVersion;
  readonly base: ImageVersion;
  readonly deltaFilename: string;
  /** Bytes of the delta that are applied. */
  readonly deltaBytes: number;
  /** Bytes of the target that are made. */
  readonly targetBytes: number;
}

/** What things cost; all but `hopSeconds` are above 0. */
export interface Rates {
  readonly downloadBytesPerSecond: number;
  /** Reading and writing alike. */
  readonly diskBytesPerSecond: number;
  /** What each hop costs beside its bytes: requests, opening, syncing. */
  readonly hopSeconds: number;
}

/** Which paths are allowed. */
export interface PathLimits {
  /** At least 1. */
  readonly maxHops: number;
  /** A delta of this share of its target, or more, is not worth it. */
  readonly maxDeltaShare: number;
  /** Whether whole images may be fetched. */
  readonly wholeImages: boolean;
  /** Names of files that failed in this run. */
  readonly failed: ReadonlySet<string>;
  /** Whether the last delta is spooled as well, because it is kept; left out, it is not. */
  readonly keepsDeltas?: boolean;
}
