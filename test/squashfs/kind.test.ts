import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { detectImageKind, type ImageKind, isImageKind } from '../../src/squashfs/kind.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { requireTools } from '../support/tools.js';
import { imageOf, packTree } from './make-image.js';

/** An image of zeros with `marks` written into it: offset, characters. */
function imageWith(sizeBytes: number, ...marks: readonly (readonly [number, string])[]): Buffer {
  const bytes = Buffer.alloc(sizeBytes);
  for (const [at, characters] of marks) bytes.write(characters, at, 'latin1');
  return bytes;
}

const BOOT_SIGNATURE = [510, '\x55\xaa'] as const;
const LINUX_PARTITION = [446, '\x80\x00\x01\x01\x83'] as const;
const FAT_BOOT_SECTOR = [0, '\xeb\x3c\x90mkfs.fat'] as const;
const FAT_BOOT_CODE = [440, 'This is not a bootable disk.'] as const;

it.each<readonly [ImageKind, string, Buffer]>([
  ['squashfs', 'hsqs', imageWith(4096, [0, 'hsqs'])],
  ['qcow2', 'QFI', imageWith(4096, [0, 'QFI\xfb'])],
  ['xfs', 'XFSB', imageWith(4096, [0, 'XFSB'])],
  ['ext4', '0xEF53', imageWith(4096, [1080, '\x53\xef'])],
  ['erofs', '0xE0F5E1E2', imageWith(4096, [1024, '\xe2\xe1\xf5\xe0'])],
  ['btrfs', '_BHRfS_M', imageWith(70_000, [65_600, '_BHRfS_M'])],
  ['iso9660', 'CD001', imageWith(40_000, [32_769, 'CD001'])],
  ['iso9660', 'CD001 and a partition table', imageWith(40_000, [32_769, 'CD001'], LINUX_PARTITION, BOOT_SIGNATURE)],
  ['gpt', 'EFI PART in sectors of 512', imageWith(4096, [512, 'EFI PART'], LINUX_PARTITION, BOOT_SIGNATURE)],
  ['gpt', 'EFI PART in sectors of 4096', imageWith(8192, [4096, 'EFI PART'])],
  ['mbr', 'a partition table', imageWith(512, LINUX_PARTITION, BOOT_SIGNATURE)],
  ['raw', 'the boot sector of a FAT file system', imageWith(4096, FAT_BOOT_SECTOR, FAT_BOOT_CODE, BOOT_SIGNATURE)],
  ['raw', 'an empty partition table', imageWith(512, BOOT_SIGNATURE)],
  ['raw', 'nothing known', imageWith(100_000)],
  ['raw', 'three bytes', imageWith(3, [0, 'hsq'])],
  ['raw', 'no byte', imageWith(0)],
])('%s is told by %s', async (kind, _, bytes) => {
  expect(await detectImageKind(imageOf(bytes))).toBe(kind);
});

it('an ext4 file system made by mkfs.ext4 is ext4', async (context) => {
  requireTools(context, 'mkfs.ext4');
  const path = join(await temporaryDirectory(), 'ext4.img');
  writeFileSync(path, '');
  truncateSync(path, 2 * 1024 * 1024);
  execFileSync('/sbin/mkfs.ext4', ['-q', path]);
  expect(await detectImageKind(imageOf(readFileSync(path)))).toBe('ext4');
});

it('a squashfs made by mksquashfs is squashfs', async (context) => {
  requireTools(context, 'mksquashfs');
  const folder = await temporaryDirectory();
  mkdirSync(join(folder, 'tree'));
  packTree(join(folder, 'tree'), join(folder, 'a.img'));
  expect(await detectImageKind(imageOf(readFileSync(join(folder, 'a.img'))))).toBe('squashfs');
});

it('a kind is one of ten words', () => {
  expect(['squashfs', 'raw', 'Squashfs', '', null, 7].map(isImageKind)).toEqual([
    true,
    true,
    false,
    false,
    false,
    false,
  ]);
});
