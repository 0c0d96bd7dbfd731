// Digests a file, by our own function or by node:crypto over the same reading loop, and prints the CPU seconds it took.
import { createHash } from 'node:crypto';
import { closeSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { root } from '../program.mjs';

const chunkBytes = 2 ** 20;

/** @type {typeof import('../../src/io/digest.js')} */
const { digestFile } = await import(pathToFileURL(join(root, 'dist', 'io', 'digest.js')).href);
const [which, file = ''] = process.argv.slice(2);
const before = process.cpuUsage();
if (which === 'three') digestFile(file);
else digestByNode(file);
const { user, system } = process.cpuUsage(before);
console.log((user + system) / 1e6);

/** @param {string} path */
function digestByNode(path) {
  const hashes = [createHash('sha256'), createHash('sha512')];
  const buffer = new Uint8Array(chunkBytes);
  const descriptor = openSync(path, 'r');
  for (let length = chunkBytes; length > 0; ) {
    length = readSync(descriptor, buffer, 0, chunkBytes, null);
    for (const hash of hashes) hash.update(buffer.subarray(0, length));
  }
  closeSync(descriptor);
  return hashes.map((hash) => hash.digest('hex'));
}
