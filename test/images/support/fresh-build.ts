import { copyFile, mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { BuildOptions } from 'update-repository';
import { expect } from 'vitest';
import { servedTree } from '../../support/served-tree.js';
import { build, prune, type Workshop } from './workshop.js';

/**
 * Expects that the mirror, once it is pruned, serves, byte for byte, what one build of the same images into an empty
 * directory serves. The fresh build works on copies: links to the images themselves would touch them.
 */
export async function expectAsFresh(workshop: Workshop, changes: Partial<BuildOptions> = {}): Promise<void> {
  await prune(workshop);
  expect(servedTree(workshop.mirrorDir)).toEqual(await freshTree(workshop, changes));
}

/** What a fresh build of a workshop's images serves: sha256 by path. */
export async function freshTree(
  workshop: Workshop,
  changes: Partial<BuildOptions> = {},
): Promise<Record<string, string>> {
  const folder = join(workshop.folder, 'fresh');
  const fresh = { folder, imagesDir: join(folder, 'images'), mirrorDir: join(folder, 'mirror') };
  await mkdir(fresh.imagesDir, { recursive: true });
  for (const name of await readdir(workshop.imagesDir)) {
    await copyFile(join(workshop.imagesDir, name), join(fresh.imagesDir, name));
  }
  await build(fresh, changes);
  const tree = servedTree(fresh.mirrorDir);
  await rm(folder, { recursive: true });
  return tree;
}
