import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { imageName } from './image-name.js';
import { pseudoRandomBytes, pseudoRandomNumbers } from './pseudo-random.js';

/** What {@link makeRawImages} makes. */
export interface RawImages {
  /** The image directory; made when it is not there. */
  readonly dir: string;
  readonly stem: string;
  readonly arch: string;
  readonly stamps: readonly string[];
  readonly seed: string;
  /** Roughly, of each image. */
  readonly sizeBytes: number;
  /** Whether the bytes can be compressed to half of their size. */
  readonly compressible?: boolean;
}

/**
 * Makes a series of images that are no file system at all, without any tool: incompressible bytes of which each
 * version overwrites, moves, removes and adds some. Or their hexadecimal
 * digits. Holds two images in memory. Returns their paths, oldest first.
 */
export async function makeRawImages({
  dir,
  stem,
  arch,
  stamps,
  seed,
  sizeBytes,
  compressible,
}: RawImages): Promise<string[]> {
  await mkdir(dir, { recursive: true });
  const paths: string[] = [];
  let content = pseudoRandomBytes(seed, compressible ? sizeBytes / 2 : sizeBytes);
  for (const stamp of stamps) {
    if (paths.length > 0) content = nextVersion(content, `${seed}/${stamp}`);
    const path = join(dir, imageName({ stem, stamp, arch }));
    await writeFile(path, compressible ? content.toString('hex') : content);
    paths.push(path);
  }
  return paths;
}

/** Some ten edits, each of up to a hundredth of the image. */
function nextVersion(content: Buffer, seed: string): Buffer {
  const random = pseudoRandomNumbers(seed);
  let next = content;
  for (let edit = 0; edit < 10; edit++) {
    const at = Math.floor(random() * next.length);
    const length = Math.floor((random() * content.length) / 100);
    const fresh = pseudoRandomBytes(`${seed}/${edit}`, length);
    const [before, after] = [next.subarray(0, at), next.subarray(at)];
    next = Buffer.concat(
      [
        [before, fresh, after.subarray(length)],
        [before, fresh, after],
        [before, after.subarray(length)],
        [after, before],
      ][edit % 4] ?? [],
    );
  }
  return next;
}
