import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { MAX_BYTES_AT_ONCE } from '../../../src/publish/s3/part-size.js';
import { dailyStamps } from '../../support/image-name.js';
import { pseudoRandomBytes } from '../../support/pseudo-random.js';
import { buildScenes } from './scenes.js';

const SMALL_BYTES = 300_000;

/**
 * Mirrors below `folder`: two of a series of small images and one of images that S3 gets in parts, the second with one
 * image more of each; and two of small images alone. The images of a series differ in little, so that there are deltas.
 */
export async function makeLargeMirrors(folder: string): Promise<string[]> {
  const [small, large] = [makeImages(folder, 'small', SMALL_BYTES), makeImages(folder, 'large', MAX_BYTES_AT_ONCE + 1)];
  const scenes = [[...small.slice(0, 2), ...large.slice(0, 1)], [...small, ...large], small, small.slice(0, 2)];
  return await buildScenes(folder, scenes);
}

function makeImages(folder: string, series: string, sizeBytes: number): string[] {
  const dir = join(folder, 'pool');
  mkdirSync(dir, { recursive: true });
  const common = pseudoRandomBytes(series, sizeBytes);
  return dailyStamps(series === 'large' ? 2 : 3).map((stamp) => {
    pseudoRandomBytes(stamp, 20_000).copy(common, 100_000);
    const image = join(dir, `puavo-os-${series}-bookworm-${stamp}-amd64.img`);
    writeFileSync(image, common);
    return image;
  });
}
