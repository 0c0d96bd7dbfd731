import type { ImageVersion, Sha256Hex } from '../metadata/brands.js';

/** An image on this device whose bytes were compared with its sha256. */
export interface LocalImage {
  readonly version: ImageVersion;
  readonly filename: string;
  /** Where it is. */
  readonly path: string;
  readonly sizeBytes: number;
  readonly sha256: Sha256Hex;
}
