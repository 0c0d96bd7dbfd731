import { pseudoRandomBytes, pseudoRandomNumbers } from './pseudo-random.js';

/** A file of an imagined system; its bytes follow from this description alone. */
export interface TreeFile {
  /** Relative to the image's root. */
  readonly path: string;
  readonly sizeBytes: number;
  /** How often the file was changed since it was added; each change replaces a part of it. */
  readonly changes: number;
}

const filesInTree = 300;

/** File systems allow names of 255 bytes; those of files that were added to files that were added grow. */
const MAX_ADDED_TO = 200;

/** The first version of a system of some 300 files, most of them small, `sizeBytes` in all. */
export function firstTree(seed: string, sizeBytes: number): TreeFile[] {
  const random = pseudoRandomNumbers(seed);
  const weights = Array.from({ length: filesInTree }, () => random() ** 4 + 0.001);
  const sum = weights.reduce((total, weight) => total + weight);
  return weights.map((weight, index) => ({
    path: `usr/lib/package-${index % 20}/file-${index}`,
    sizeBytes: Math.ceil((weight / sum) * sizeBytes),
    changes: 0,
  }));
}

/** The next version: about one file in ten changed, one in fifty removed and as many added. */
export function nextTree(tree: readonly TreeFile[], seed: string): TreeFile[] {
  const random = pseudoRandomNumbers(seed);
  return tree.flatMap((file): TreeFile[] => {
    const fate = random();
    if (fate < 0.1)
      return [{ ...file, sizeBytes: file.sizeBytes + Math.floor(random() * 64), changes: file.changes + 1 }];
    if (fate < 0.12) return [];
    if (fate < 0.14) {
      const path = `${file.path.slice(0, MAX_ADDED_TO)}-${seed.replaceAll('/', '-')}`;
      return [file, { path, sizeBytes: file.sizeBytes, changes: 0 }];
    }
    return [file];
  });
}

/** The bytes of a file, which like a real system's compress to about two thirds. */
export function contentOf(file: TreeFile, seed: string): Buffer {
  const content = textOf(`${seed}/${file.path}`, file.sizeBytes);
  for (let change = 1; change <= file.changes; change++) {
    const random = pseudoRandomNumbers(`${seed}/${file.path}/${change}`);
    const at = Math.floor(random() * file.sizeBytes);
    textOf(`${seed}/${file.path}/${change}`, Math.ceil(file.sizeBytes / 4)).copy(content, at);
  }
  return content;
}

/** Hexadecimal digits compress to a half, base64 to three quarters. */
function textOf(seed: string, sizeBytes: number): Buffer {
  const encoding = pseudoRandomNumbers(seed)() < 0.5 ? 'hex' : 'base64';
  const text = pseudoRandomBytes(seed, Math.ceil((sizeBytes * 3) / 4)).toString(encoding);
  return Buffer.from(text.slice(0, sizeBytes), 'latin1');
}
