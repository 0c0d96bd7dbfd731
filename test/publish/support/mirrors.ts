import { join } from 'node:path';
import { dailyStamps } from '../../support/image-name.js';
import { makeImageSeries } from '../../support/image-series.js';
import { buildScenes } from './scenes.js';

/**
 * Small mirrors below `folder`, of two series: the first images, one more of each, and one series alone. Whoever publishes
 * them in turn adds files, withdraws a series, and names files again. Needs mksquashfs.
 */
export async function makeMirrors(folder: string, baseUrl?: string): Promise<string[]> {
  const make = (stem: string) =>
    makeImageSeries({
      dir: join(folder, 'pool'),
      stem,
      arch: 'amd64',
      stamps: dailyStamps(3),
      compressor: 'gzip',
      seed: stem,
      sizeBytes: 1_500_000,
    });
  const [one, two] = [await make('puavo-os-one-bookworm'), await make('puavo-os-two-bookworm')];
  const scenes = [[...one.slice(0, 2), ...two.slice(0, 2)], [...one, ...two], one];
  return await buildScenes(folder, scenes, baseUrl);
}
