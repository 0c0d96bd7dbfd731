import { open, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fromSystemError } from '../../../errors.js';
import { syncDirectory } from '../../../io/atomic-file.js';
import { classifyImageName } from '../../../metadata/image-name.js';
import type { Pointers } from '../layout.js';

const LABEL = /\.(default|backup)$/;

/**
 * Writes the empty files `<image id>.default` and `<image id>.backup`, by which Puavo's grub menu tells the images
 * apart, and removes those of other images.
 */
export async function writeGrubLabels(dir: string, { current, previous }: Pointers): Promise<void> {
  const wanted = new Set([label(current, 'default'), label(previous, 'backup')].filter((name) => name !== null));
  try {
    const there = (await readdir(dir)).filter(isLabel);
    for (const name of there.filter((name) => !wanted.has(name))) await rm(join(dir, name), { force: true });
    for (const name of wanted) await (await open(join(dir, name), 'a', 0o644)).close();
    await syncDirectory(dir);
  } catch (error) {
    throw fromSystemError(error, 'label the images for grub', dir);
  }
}

/** That of a pointer without an image's name is none. */
function label(fileName: string | null, kind: 'default' | 'backup'): string | null {
  const found = fileName === null ? null : classifyImageName(fileName);
  return found?.kind === 'image' ? `${found.name.id}.${kind}` : null;
}

function isLabel(name: string): boolean {
  return LABEL.test(name) && classifyImageName(name.replace(LABEL, '.img')).kind === 'image';
}
