import { linkSync, mkdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { expect } from 'vitest';
import { runCli } from '../../cli/run.js';
import { dailyStamps } from '../../support/image-name.js';
import { makeImageSeries } from '../../support/image-series.js';

/**
 * Small mirrors below `folder`, of two series: the first images, one more of each, and one series alone. Whoever publishes
 * them in turn adds files, withdraws a series, and names files again. Needs mksquashfs.
 */
export async function makeMirrors(folder: string, baseUrl = 'https://images.example.org'): Promise<string[]> {
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
  const mirrors: string[] = [];
  for (const [n, images] of scenes.entries()) {
    const imagesDir = join(folder, `images-${n}`);
    mkdirSync(imagesDir);
    for (const image of images) linkSync(image, join(imagesDir, basename(image)));
    const mirror = join(folder, `mirror-${n}`);
    expect(await runCli(['--quiet', '--base-url', baseUrl, imagesDir, mirror])).toMatchObject({ code: 0 });
    mirrors.push(mirror);
  }
  return mirrors;
}
