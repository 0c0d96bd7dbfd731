import type { ImageVersion, Sha256Hex } from '../metadata/brands.js';
import type { MetaDiff, MetaImage, MetaZst } from '../metadata/meta.js';

/** One step of an update: what is fetched, and the image that is there afterwards. */
export type Hop = ImageHop | DeltaHop;

/** The whole image. */
export interface ImageHop {
  readonly kind: 'image';
  readonly image: MetaImage;
}

/** A delta, which makes the image from the one of version `base`. */
export interface DeltaHop {
  readonly kind: 'delta';
  readonly base: ImageVersion;
  readonly delta: MetaDiff;
  /** The delta's compressed form, where that is fetched in its place. */
  readonly zst?: MetaZst;
  readonly image: MetaImage;
}

/** A file that a hop fetches, as the meta file has it. */
export interface HopFile {
  readonly filename: string;
  readonly urls: readonly string[];
  /** Bytes. */
  readonly size: number;
  readonly sha256: Sha256Hex;
}

/** The file that a hop fetches. */
export function fileOf(hop: Hop): HopFile {
  return hop.kind === 'image' ? hop.image : (hop.zst ?? hop.delta);
}

/** The name of the file that a hop fetches. */
export function fileNameOf(hop: Hop): string {
  return fileOf(hop).filename;
}
