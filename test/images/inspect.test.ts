import { readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { compressDelta } from '../../src/delta/compress-delta.js';
import { inspectFile } from '../../src/images/inspect.js';
import { makeDelta } from '../delta/support/engine.js';
import { exampleIndex, exampleMetaText } from '../metadata/worked-example.js';
import { makeImageSeries } from '../support/image-series.js';
import { pseudoRandomBytes } from '../support/pseudo-random.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { requireTools } from '../support/tools.js';

/** A file of these bytes, under a name that says nothing. */
async function fileOf(content: string | Uint8Array): Promise<string> {
  const path = join(await temporaryDirectory(), 'file');
  writeFileSync(path, content);
  return path;
}

/** `text`, compressed. */
async function zstdOf(text: string): Promise<Buffer> {
  const deltaPath = await fileOf(text);
  const zstPath = `${deltaPath}.zst`;
  await compressDelta({ deltaPath, zstPath, effort: 'fast' });
  return readFileSync(zstPath);
}

const A = 'a'.repeat(64);

describe('what is in a file is told by its contents', () => {
  test.for(['gzip', 'xz'] as const)('a Puavo image, packed with %s', async (compressor, context) => {
    requireTools(context, 'mksquashfs');
    const series = { stem: 'puavo-os-acme-buster', arch: 'amd64', stamps: ['2022-01-17-120001'], seed: 'inspect' };
    const dir = await temporaryDirectory();
    const [path = ''] = await makeImageSeries({ ...series, dir, compressor, sizeBytes: 200_000 });
    const found = await inspectFile(path);
    expect(found).toMatchObject({
      kind: 'image',
      format: 'squashfs',
      squashfs: { compressor, blockBytes: 131_072, createdAt: '2024-01-01T06:00:00.000Z' },
      puavo: { name: 'puavo-os-acme-buster-2022-01-17-120001-amd64.img', class: 'acme', release: 'Release 1' },
    });
    truncateSync(path, 5000);
    await expect(inspectFile(path)).rejects.toMatchObject({ code: 'FORMAT' });
  });

  test('another image', async () => {
    const bytes = Buffer.alloc(4096);
    bytes.write('\x53\xef', 1080, 'latin1');
    expect(await inspectFile(await fileOf(bytes))).toEqual({
      kind: 'image',
      sizeBytes: 4096,
      format: 'ext4',
      squashfs: null,
      puavo: null,
    });
  });

  test('a delta', async () => {
    const { deltaPath, delta } = makeDelta(await temporaryDirectory(), Buffer.from('base'), Buffer.from('target'));
    expect(await inspectFile(deltaPath)).toMatchObject({
      kind: 'delta',
      sizeBytes: delta.length,
      targetBytes: 6,
      literalCommands: 1,
    });
  });

  test('a delta that zstd compressed, by what it has unpacked', async () => {
    const base = pseudoRandomBytes('inspected', 300_000);
    const target = Buffer.concat([base.subarray(5000), Buffer.alloc(20_000, 'words and '), base.subarray(0, 7000)]);
    const { deltaPath, delta } = makeDelta(await temporaryDirectory(), base, target);
    const zstPath = `${deltaPath}.zst`;
    const { zstBytes } = await compressDelta({ deltaPath, zstPath, effort: 'normal' });
    expect(await inspectFile(zstPath)).toEqual({
      ...(await inspectFile(deltaPath)),
      sizeBytes: zstBytes,
      unpackedBytes: delta.length,
      expansion: target.length / zstBytes,
    });
  });

  test.each([
    ['is cut off', (zst: Buffer) => zst.subarray(0, -20), /\.zst: .*expected .*, found /],
    [
      'is of something else',
      () => zstdOf('no delta at all'),
      /\.zst: at byte 0 of the delta: expected the magic 0x72730236 /,
    ],
  ])('refuses one that %s', async (_, change, message) => {
    const { deltaPath } = makeDelta(await temporaryDirectory(), Buffer.from('base'), Buffer.from('target'));
    const zstPath = `${deltaPath}.zst`;
    await compressDelta({ deltaPath, zstPath, effort: 'fast' });
    writeFileSync(zstPath, await change(readFileSync(zstPath)));
    await expect(inspectFile(zstPath)).rejects.toMatchObject({
      code: 'FORMAT',
      message: expect.stringMatching(message),
    });
  });

  test('a signature, and the sizes that its file may have', async () => {
    const header = Buffer.from('727301470000080000000008', 'hex');
    const facts = {
      kind: 'signature',
      rollingHash: 'rabinkarp',
      strongHash: 'blake2',
      blockBytes: 2048,
      strongBytes: 8,
    };
    expect(await inspectFile(await fileOf(Buffer.concat([header, Buffer.alloc(36)])))).toEqual({
      ...facts,
      sizeBytes: 48,
      blocks: 3,
      fileMinBytes: 4097,
      fileMaxBytes: 6144,
    });
    expect(await inspectFile(await fileOf(header))).toMatchObject({ blocks: 0, fileMinBytes: 0, fileMaxBytes: 0 });
  });

  test('a meta file', async () => {
    expect(await inspectFile(await fileOf(exampleMetaText))).toMatchObject({
      kind: 'meta',
      series: 'puavo-os-acme-buster-amd64',
      images: [
        {
          filename: 'puavo-os-acme-buster-2022-01-17-120001-amd64.img',
          version: '20220117120001',
          sizeBytes: 4293918720,
          deltas: [{ fromVersion: '20220120173248', sizeBytes: 611203847 }],
        },
        { version: '20220120173248' },
      ],
    });
  });

  test('index.json', async () => {
    expect(await inspectFile(await fileOf(exampleIndex))).toMatchObject({
      kind: 'index',
      series: [{ name: 'puavo-os-acme-buster-amd64', images: 2, newest: '20220120173248' }],
    });
  });

  test('lists of checksums', async () => {
    expect(await inspectFile(await fileOf('123 1000 a.img\n4 50 b.rdiff\n'))).toMatchObject({
      kind: 'checksums',
      list: 'CKSUMS',
      files: 2,
      totalBytes: 1050,
    });
    expect(
      await inspectFile(await fileOf(`${A}  BEST-BEFORE-2026-04-01\n${A}  a.img\n${A} *rdiffs/b.rdiff\n`)),
    ).toMatchObject({
      kind: 'checksums',
      list: 'SHA256SUMS',
      files: 2,
      totalBytes: null,
    });
  });
});

describe('what is none of it is refused with what was expected', () => {
  test.each([
    ['nothing', '', 'found an empty file'],
    ['text', 'hello\n', 'found none of them'],
    ['zeros', Buffer.alloc(100_000), 'found none of them'],
    ['a magic cut off', Buffer.from('727302', 'hex'), 'found none of them'],
    ['JSON of another kind', '{"name": "x"}', 'expected'],
    ['half a meta file', exampleMetaText.slice(0, 100), 'expected'],
    ['a list with a line cut off', `${A}  a.img\n${A.slice(1)}  b.img\n`, 'line 2: expected'],
    ['a delta without its end', Buffer.from('7273023601aa', 'hex'), 'at byte 6'],
    ['half a signature', Buffer.from('7273013700000800', 'hex'), 'at byte 8'],
  ])('%s', async (_, content, complaint) => {
    const path = await fileOf(content);
    await expect(inspectFile(path)).rejects.toMatchObject({
      code: 'FORMAT',
      message: expect.stringMatching(new RegExp(`^${path}: .*${complaint}`)),
    });
  });

  test('a file that is not there, and a directory', async () => {
    const dir = await temporaryDirectory();
    await expect(inspectFile(join(dir, 'none'))).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(inspectFile(dir)).rejects.toMatchObject({ code: 'IO' });
  });
});
