import type { ImageVersion } from '../metadata/brands.js';
import type { MetaDiff, MetaImage } from '../metadata/meta.js';

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
  readonly image: MetaImage;
}

/** The name of the file that a hop fetches. */
export function fileNameOf(hop: Hop): string {
  return hop.kind === 'image' ? hop.image.filename : hop.delta.filename;
}
