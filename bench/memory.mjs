// `npm run bench -- memory`: the peak memory of a build with two large images at the default budget.
import { createCipheriv } from 'node:crypto';
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { machineLine } from './machine.mjs';
import { measureOurBuild } from './our-build.mjs';
import { megabytes, seconds, table } from './table.mjs';

const mebibyte = 2 ** 20;

/**
 * Builds a mirror of two images of `sizeBytes` that share nine tenths of their content, and prints what it took.
 * Returns the figures.
 * @param {{cache: string, sizeBytes: number}} request
 */
export async function benchMemory({ cache, sizeBytes }) {
  const imagesDir = makeLargeImages(cache, Math.ceil(sizeBytes / mebibyte));
  const work = mkdtempSync(join(cache, 'bench-'));
  try {
    const cost = await measureOurBuild(imagesDir, join(work, 'mirror'));
    const figures = { bench: 'memory', machine: machineLine(), sizeBytes, cost };
    console.log(describe(figures));
    return figures;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** @param {{machine: string, sizeBytes: number, cost: import('./measure.mjs').Cost}} figures */
function describe({ machine, sizeBytes, cost }) {
  const rows = [
    ['peak memory, largest process', megabytes(cost.peakRssBytes)],
    ['peak memory, all processes', megabytes(cost.peakSumBytes)],
    ['CPU, all processes', seconds(cost.cpuSeconds)],
    ['wall clock', seconds(cost.wallSeconds)],
  ];
  return `${machine}\ntwo images of ${megabytes(sizeBytes)}, a delta each way\n${table(rows)}`;
}

/**
 * Two incompressible images, made once: the second has every tenth MiB anew, and the rest moved by 4097 bytes.
 * @param {string} cache
 * @param {number} mebibytes
 */
function makeLargeImages(cache, mebibytes) {
  const folder = join(cache, `large-${mebibytes}`);
  mkdirSync(folder, { recursive: true });
  for (const [version, stamp] of ['2025-01-13-060000', '2025-01-27-060000'].entries()) {
    const image = join(folder, `puavo-os-large-bookworm-${stamp}-amd64.img`);
    if (existsSync(image) && statSync(image).size >= mebibytes * mebibyte) continue;
    writeLargeImage(`${image}.tmp`, mebibytes, version);
    renameSync(`${image}.tmp`, image);
  }
  return folder;
}

/**
 * @param {string} path
 * @param {number} mebibytes
 * @param {number} version
 */
function writeLargeImage(path, mebibytes, version) {
  const file = openSync(path, 'w');
  try {
    writeSync(file, Buffer.alloc(4097 * version, 1));
    for (let index = 0; index < mebibytes; index++) {
      writeSync(file, randomMebibyte(index, index % 10 === 0 ? version : 0));
    }
  } finally {
    closeSync(file);
  }
}

/**
 * A MiB that looks random and depends on its arguments alone.
 * @param {number} index
 * @param {number} version
 */
function randomMebibyte(index, version) {
  const nonce = Buffer.alloc(16);
  nonce.writeUInt32BE(index, 0);
  nonce.writeUInt32BE(version, 4);
  return createCipheriv('aes-128-ctr', Buffer.alloc(16, 7), nonce).update(Buffer.alloc(mebibyte));
}
