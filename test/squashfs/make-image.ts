import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import type { RandomAccessFile } from '../../src/squashfs/random-access-file.js';
import { openSquashfs, type Squashfs } from '../../src/squashfs/squashfs.js';
import { pseudoRandomBytes } from '../support/pseudo-random.js';

/** What is at each path of a tree, in a form that compares well: type, mode, time, and bytes or target. */
export type TreeContents = Map<string, string>;

const MTIME_SECONDS = 1_600_000_000;
const LARGEST_FILE = 64 * 1024 * 1024;

/** Bytes that compress about as well as programs do. */
export function programLikeBytes(seed: string, sizeBytes: number): Buffer {
  const random = pseudoRandomBytes(seed, sizeBytes);
  const words = [
    'export',
    'function',
    'return',
    'const',
    'while',
    '\n  ',
    '(',
    ')',
    ' = ',
    '\0\0\0\0',
    '\xe8\x12\0\0\0',
  ];
  const text = Buffer.from(
    Array.from(random.subarray(0, 4096), (byte) => words[byte % words.length]).join(''),
    'latin1',
  );
  const bytes = Buffer.alloc(sizeBytes);
  for (let at = 0; at < sizeBytes; ) {
    const [kind, from, length] = [random[at]!, random.readUInt16LE(at % (sizeBytes - 2)), 1 + (random[at]! >> 1)];
    const source = kind % 4 === 0 ? random.subarray(at) : text.subarray(from % (text.length - 256));
    at += source.copy(bytes, at, 0, Math.min(length, sizeBytes - at, source.length));
  }
  return bytes;
}

/** Fills `folder` with one of everything that a reader of images meets. */
export function makeVariedTree(folder: string): void {
  mkdirSync(join(folder, 'etc/deep/er/and/deeper'), { recursive: true });
  mkdirSync(join(folder, 'empty folder'));
  const files: Record<string, Buffer> = {
    empty: Buffer.alloc(0),
    'one byte': Buffer.from('x'),
    'etc/hostname': Buffer.from('host\n'),
    'etc/deep/er/and/deeper/file': programLikeBytes('deep', 5000),
    'grüße, 世界 🌍': Buffer.from('UTF-8 names'),
    'block of 4096': programLikeBytes('4096', 4096),
    'block of 128 KiB': programLikeBytes('131072', 131_072),
    'block and a byte': programLikeBytes('131073', 131_073),
    zeros: Buffer.alloc(300_000),
    random: pseudoRandomBytes('random', 200_000),
    large: Buffer.concat([
      programLikeBytes('large', 2_500_000),
      pseudoRandomBytes('large', 300_000),
      Buffer.alloc(200_001, 'ab'),
    ]),
    copy: programLikeBytes('131073', 131_073),
    ['n'.repeat(255)]: Buffer.from('the longest name'),
  };
  for (const [name, bytes] of Object.entries(files)) writeFileSync(join(folder, name), bytes);
  makeSparseFile(join(folder, 'sparse'));
  for (let i = 0; i < 60; i += 1)
    writeFileSync(join(folder, 'etc/deep', `small-${i}`), programLikeBytes(`${i}`, 100 + 97 * i));
  linkSync(join(folder, 'large'), join(folder, 'etc/hard link'));
  const links = {
    relative: 'etc/hostname',
    'etc/absolute': '/etc/hostname',
    'etc/up': '../../../one byte',
    folder: 'etc/deep',
    dangling: 'nowhere',
    circle: 'circle',
  };
  for (const [name, target] of Object.entries(links)) symlinkSync(target, join(folder, name));
  fixModesAndTimes(folder);
}

/** Data at the start and at the end, and a hole of megabytes between. */
function makeSparseFile(path: string): void {
  writeFileSync(path, 'start');
  truncateSync(path, 3_000_000);
  writeFileSync(path, 'end', { flag: 'a' });
}

function fixModesAndTimes(folder: string): void {
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    const stat = lstatSync(path);
    if (stat.isSymbolicLink()) continue;
    if (stat.isDirectory()) fixModesAndTimes(path);
    else chmodSync(path, 0o4755);
    utimesSync(path, MTIME_SECONDS, MTIME_SECONDS);
  }
}

/** Packs a folder with mksquashfs. Its output depends on the arguments and the tree alone. */
export function packTree(tree: string, image: string, ...options: readonly string[]): void {
  const fixed = ['-noappend', '-no-progress', '-quiet', '-all-root', '-mkfs-time', '1700000000'];
  const { SOURCE_DATE_EPOCH: _, ...env } = process.env; // it may not stand beside -mkfs-time
  execFileSync('mksquashfs', [tree, image, ...fixed, ...options], { env, stdio: ['ignore', 'ignore', 'inherit'] });
}

/** Image bytes in memory as a file. A read outside them is an error of the reader's. */
export function imageOf(bytes: Uint8Array, name = 'test.img'): RandomAccessFile {
  return {
    name,
    sizeBytes: bytes.length,
    read: async (offset, length) => {
      if (offset < 0 || length < 0 || offset + length > bytes.length)
        throw new RangeError(`read of ${length} at ${offset}`);
      return bytes.subarray(offset, offset + length);
    },
  };
}

export function openImage(path: string): Promise<Squashfs> {
  return openSquashfs(imageOf(readFileSync(path), 'test.img'));
}

/** Everything in a folder. Times of symbolic links are left out, since they cannot be set here. */
export function readFolder(folder: string, path = '', contents: TreeContents = new Map()): TreeContents {
  for (const name of readdirSync(join(folder, path))) {
    const inner = `${path}/${name}`;
    const stat = lstatSync(join(folder, inner));
    const mode = (stat.mode & 0o7777).toString(8);
    if (stat.isSymbolicLink()) contents.set(inner, `symlink ${readlinkSync(join(folder, inner))}`);
    else if (stat.isDirectory()) {
      contents.set(inner, `directory ${mode} ${Math.floor(stat.mtimeMs / 1000)}`);
      readFolder(folder, inner, contents);
    } else
      contents.set(
        inner,
        `file ${mode} ${Math.floor(stat.mtimeMs / 1000)} ${digest(readFileSync(join(folder, inner)))}`,
      );
  }
  return contents;
}

/** Everything in an image, in the same form. */
export async function readImage(image: Squashfs, path = '', contents: TreeContents = new Map()): Promise<TreeContents> {
  for (const { name, type } of await image.list(path === '' ? '/' : path)) {
    const inner = `${path}/${name}`;
    const stat = await image.stat(inner);
    if (stat.type !== type) throw new Error(`${inner}: listed as ${type}, is ${stat.type}`);
    const facts = `${type} ${stat.mode.toString(8)} ${stat.modifiedAtSeconds}`;
    if (type === 'symlink') contents.set(inner, `symlink ${await image.readLink(inner)}`);
    else if (type === 'file')
      contents.set(inner, `${facts} ${digest(await image.readFile(inner, { maxBytes: LARGEST_FILE }))}`);
    else contents.set(inner, facts);
    if (type === 'directory') await readImage(image, inner, contents);
  }
  return contents;
}

function digest(bytes: Uint8Array): string {
  return `${bytes.length} ${createHash('sha256').update(bytes).digest('hex')}`;
}
