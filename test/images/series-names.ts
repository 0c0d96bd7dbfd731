import fc from 'fast-check';
import type { Series } from '../../src/images/series.js';
import { parseSeriesName } from '../../src/metadata/brands.js';
import { type ImageName, parseImageName } from '../../src/metadata/image-name.js';
import { dailyStamps } from '../support/image-name.js';

/** `count` images of one stem, a day apart, oldest first. */
export function dailyImages(count: number, stem = 'puavo-os-acme-sid'): ImageName[] {
  return dailyStamps(count).map((stamp) => parseImageName(`${stem}-${stamp}-amd64.img`));
}

/** A series of these images, with extra bases by the file name of the target. */
export function seriesOf(
  images: readonly ImageName[],
  extraBases: ReadonlyMap<string, readonly ImageName[]> = new Map(),
): Series {
  return { name: parseSeriesName('puavo-os-acme-sid-amd64', 'test'), images, extraBases, barriers: new Set() };
}

/** Up to twelve images in any order. */
export const shuffledImages: fc.Arbitrary<ImageName[]> = fc.shuffledSubarray(dailyImages(12));
