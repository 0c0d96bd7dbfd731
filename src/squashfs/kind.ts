import type { RandomAccessFile } from './random-access-file.js';

const KINDS = ['squashfs', 'ext4', 'qcow2', 'gpt', 'mbr', 'iso9660', 'xfs', 'btrfs', 'erofs', 'raw'] as const;

/** What an image file holds, by its magic numbers; `raw` where none is known. `ext4` stands for ext2 and ext3 too. */
export type ImageKind = (typeof KINDS)[number];

/** Whether `value` is an {@link ImageKind}. */
export function isImageKind(value: unknown): value is ImageKind {
  return KINDS.some((kind) => kind === value);
}

interface Magic {
  readonly kind: ImageKind;
  readonly offset: number;
  readonly bytes: Uint8Array;
}

/**
 * The magic numbers, in the order in which they are tried: file systems before partition tables, because an ISO image
 * for USB sticks carries a partition table as well.
 */
const MAGICS: readonly Magic[] = [
  // Linux include/uapi/linux/magic.h, SQUASHFS_MAGIC 0x73717368, little-endian.
  magic('squashfs', 0, 'hsqs'),
  // QEMU docs/interop/qcow2.txt, "Header".
  magic('qcow2', 0, 'QFI\xfb'),
  // XFS Algorithms & Data Structures, section 13.1, sb_magicnum.
  magic('xfs', 0, 'XFSB'),
  // Linux Documentation/filesystems/ext4/super.rst: s_magic 0xEF53 at 0x38 of the superblock at 1024.
  magic('ext4', 1024 + 0x38, '\x53\xef'),
  // Linux include/uapi/linux/magic.h, EROFS_SUPER_MAGIC_V1 0xE0F5E1E2; fs/erofs/erofs_fs.h: superblock at 1024.
  magic('erofs', 1024, '\xe2\xe1\xf5\xe0'),
  // Btrfs on-disk format, "Superblock": magic at 0x40 of the superblock at 64 KiB.
  magic('btrfs', 0x10040, '_BHRfS_M'),
  // ECMA-119, section 8.1.2: the standard identifier of the first volume descriptor, in sector 16 of 2048 bytes.
  magic('iso9660', 16 * 2048 + 1, 'CD001'),
  // UEFI specification, section 5.3.2: the header's signature in block 1, of 512 or 4096 bytes.
  magic('gpt', 512, 'EFI PART'),
  magic('gpt', 4096, 'EFI PART'),
];

const SECTOR_BYTES = 512;
const PARTITION_ENTRIES_AT = 446;
const PARTITION_ENTRY_BYTES = 16;

/** Tells what an image file is from a few bytes at known places. A file too short for a place does not match there. */
export async function detectImageKind(file: RandomAccessFile): Promise<ImageKind> {
  for (const { kind, offset, bytes } of MAGICS) {
    if (offset + bytes.length > file.sizeBytes) continue;
    if (Buffer.compare(await file.read(offset, bytes.length), bytes) === 0) return kind;
  }
  return file.sizeBytes >= SECTOR_BYTES && isMasterBootRecord(await file.read(0, SECTOR_BYTES)) ? 'mbr' : 'raw';
}

/**
 * UEFI specification, section 5.2.1: signature 0x55 0xAA at 510, four entries at 446. The boot sector of a FAT file system
 * ends in the same signature, so the entries must make sense: boot indicators of 0 or 0x80, and a type that is not 0.
 */
function isMasterBootRecord(sector: Uint8Array): boolean {
  if (sector[510] !== 0x55 || sector[511] !== 0xaa) return false;
  const entries = [0, 1, 2, 3].map((i) => PARTITION_ENTRIES_AT + i * PARTITION_ENTRY_BYTES);
  const indicatorsFit = entries.every((at) => sector[at] === 0 || sector[at] === 0x80);
  return indicatorsFit && entries.some((at) => sector[at + 4] !== 0);
}

function magic(kind: ImageKind, offset: number, characters: string): Magic {
  return { kind, offset, bytes: Buffer.from(characters, 'latin1') };
}
