import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { imageName } from './image-name.js';
import { contentOf, firstTree, nextTree, type TreeFile } from './image-tree.js';
import { type Compressor, makeSquashfsImage } from './squashfs-image.js';

/** What {@link makeImageSeries} makes. */
export interface ImageSeries {
  /** The image directory; made when it is not there. */
  readonly dir: string;
  /** `puavo-os-<class>-<dist>` */
  readonly stem: string;
  readonly arch: string;
  readonly stamps: readonly string[];
  readonly compressor: Compressor;
  readonly seed: string;
  /** Roughly, of each image. */
  readonly sizeBytes: number;
}

/**
 * Makes a series of real squashfs images, each a small system that evolved from the one before, with puavo-conf
 * definitions and /etc/puavo-image. The same arguments give the same bytes. Needs mksquashfs, some 100 ms an image
 * and the memory of the largest file. Returns the images' paths, oldest first.
 */
export async function makeImageSeries(series: ImageSeries): Promise<string[]> {
  const { dir, stem, arch, stamps, compressor, seed } = series;
  await mkdir(dir, { recursive: true });
  const paths: string[] = [];
  let tree = firstTree(seed, series.sizeBytes * 1.5);
  for (const stamp of stamps) {
    if (paths.length > 0) tree = nextTree(tree, `${seed}/${stamp}`);
    const name = imageName({ stem, stamp, arch });
    const path = join(dir, name);
    await inScratchFolder(async (root) => {
      await writeTree(root, tree, seed);
      await writePuavoFiles(root, name, paths.length);
      await makeSquashfsImage(root, path, compressor);
    });
    paths.push(path);
  }
  return paths;
}

async function writeTree(root: string, tree: readonly TreeFile[], seed: string): Promise<void> {
  for (const file of tree) await writeBelow(root, file.path, contentOf(file, seed));
}

/** What Puavo's tools look for in an image: who it is, and the definitions of its settings. */
async function writePuavoFiles(root: string, name: string, version: number): Promise<void> {
  await writeBelow(root, 'etc/puavo-image/name', `${name}\n`);
  await writeBelow(root, 'etc/puavo-image/class', `${name.split('-')[2] ?? 'demo'}\n`);
  await writeBelow(root, 'etc/puavo-image/release', `Release ${version + 1}\n`);
  const definitions = 'usr/share/puavo-conf/definitions';
  await writeBelow(
    root,
    `${definitions}/puavo-acme.json`,
    JSON.stringify({
      'puavo.acme.enabled': { default: 'false', description: 'Enable/disable the acme service', typehint: 'bool' },
      'puavo.acme.level': { default: String(version), description: 'Level of the acme service', typehint: 'integer' },
    }),
  );
  await writeBelow(
    root,
    `${definitions}/puavo-desktop.json`,
    JSON.stringify({
      'puavo.desktop.mode': {
        choices: ['day', 'night'],
        default: 'day',
        description: 'Desktop mode',
        typehint: 'string',
      },
    }),
  );
}

async function writeBelow(root: string, path: string, content: string | Buffer): Promise<void> {
  await mkdir(dirname(join(root, path)), { recursive: true });
  await writeFile(join(root, path), content);
}

async function inScratchFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'update-repository-tree-'));
  try {
    await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
