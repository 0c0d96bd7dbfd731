import { join } from 'node:path';
import type { ImageVersion } from '../../metadata/brands.js';
import type { Device } from './device.js';
import { type Hooks, makeCurrent } from './make-current.js';
import { placeImage } from './place-image.js';
import { removeOldImages } from './remove-old.js';
import { assertUnchanged, type PublishedImage } from './survey.js';

export interface ActivateOptions {
  readonly hooks: Hooks;
  /** How many images of the series stay; null for all. The current and the previous one always stay. */
  readonly keep: number | null;
  /** File names of images that stay as well. */
  readonly protectedNames: ReadonlySet<string>;
}

/** What {@link activate} has done. */
export interface Activation {
  readonly version: ImageVersion;
  readonly path: string;
  /** False when the image was current already, with all that goes with it. */
  readonly changed: boolean;
}

/**
 * Makes an image the current one: moves it from `partial/` to its place (or takes the one that is there), runs the
 * hooks, switches `current` to it and `previous` to what was current, and then removes images that are too old. A kill
 * at any instant leaves a `current` that leads to a whole image, and the same call completes the rest.
 *
 * @throws UpdateRepositoryError NAME, NOT_FOUND, VERIFICATION, HOOK (the old image is still current, the new one stays
 *   in the directory), LOCKED, NO_SPACE, IO; the reason of an abort
 */
export async function activate(device: Device, image: PublishedImage, options: ActivateOptions): Promise<Activation> {
  const { filename, version, sha256 } = image;
  const path = join(device.dir, filename);
  const isNew = await placeImage(device, image);
  const local = { version, filename, path, sha256, sizeBytes: image.size ?? 0 };
  const switched = await makeCurrent(device, {
    kind: 'activate',
    fileName: filename,
    hooks: options.hooks,
    check: () => assertUnchanged(device, local),
  });
  await removeOldImages(device, { ...options, series: image.series });
  return { version, path, changed: switched || isNew };
}
