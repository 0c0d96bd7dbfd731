import type { Offer } from '../../../src/client/policy/choose-target.js';
import { type ImageVersion, parseImageVersion, parseSeriesName } from '../../../src/metadata/brands.js';
import type { MetaImage } from '../../../src/metadata/meta.js';
import { exampleMeta } from '../../metadata/worked-example.js';

export const series = parseSeriesName('puavo-os-acme-buster-amd64', 'test');

/** The version of a day in 2026. */
export function version(day: number): ImageVersion {
  return parseImageVersion(`2026${String(day).padStart(4, '0')}000000`, 'test');
}

/** What a mirror offers that has images of these days. */
export function offerOf(...days: readonly number[]): Offer {
  return { series, images: days.map((day) => imageOf(day)) };
}

export function imageOf(day: number): MetaImage {
  const [image] = exampleMeta.images;
  if (image === undefined) throw new Error('the example has images');
  return { ...image, version: version(day), diffs: [] };
}
