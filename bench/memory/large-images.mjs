// Incompressible images of any size, of which a second one shares nine tenths of the first's content.
import { existsSync, mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { randomMebibyte } from '../random-bytes.mjs';
import { writeChunks } from '../write-file.mjs';

const mebibyte = 2 ** 20;

/**
 * Makes an image of `mebibytes` MiB, once. Version 1 has every tenth MiB anew, and the rest moved by 4097 bytes.
 * @param {string} path
 * @param {number} mebibytes
 * @param {0 | 1} version
 */
export function makeLargeImage(path, mebibytes, version) {
  if (existsSync(path) && statSync(path).size >= mebibytes * mebibyte) return;
  mkdirSync(dirname(path), { recursive: true });
  writeChunks(path, chunks(mebibytes, version));
}

/**
 * @param {number} mebibytes
 * @param {0 | 1} version
 */
function* chunks(mebibytes, version) {
  yield Buffer.alloc(4097 * version, 1);
  for (let index = 0; index < mebibytes; index++) yield randomMebibyte(index, index % 10 === 0 ? version : 0);
}
