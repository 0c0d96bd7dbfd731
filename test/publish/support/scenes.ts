import { linkSync, mkdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { expect } from 'vitest';
import { runCli } from '../../cli/run.js';

/** A mirror below `folder` of each set of images, built by the command line. */
export async function buildScenes(
  folder: string,
  scenes: readonly (readonly string[])[],
  baseUrl = 'https://images.example.org',
): Promise<string[]> {
  const mirrors: string[] = [];
  for (const [n, images] of scenes.entries()) {
    const imagesDir = join(folder, `images-${n}`);
    mkdirSync(imagesDir);
    for (const image of images) linkSync(image, join(imagesDir, basename(image)));
    const mirror = join(folder, `mirror-${n}`);
    const built = await runCli(['--quiet', '--base-url', baseUrl, imagesDir, mirror]);
    expect(built).toMatchObject({ code: 0 });
    mirrors.push(mirror);
  }
  return mirrors;
}
