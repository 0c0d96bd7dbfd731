import { describe, expect, it } from 'vitest';
import { parseSuperblock } from '../../src/squashfs/superblock.js';

/** A superblock of an image of 10,000 bytes, with `changes` written over it: offset, width in bytes, value. */
function superblock(...changes: readonly (readonly [number, 2 | 4 | 8, number])[]): Buffer {
  const bytes = Buffer.alloc(96);
  bytes.write('hsqs', 'latin1');
  const fields: readonly (readonly [number, 2 | 4 | 8, number])[] = [
    [4, 4, 7],
    [8, 4, 1_700_000_000],
    [12, 4, 131_072],
    [16, 4, 2],
    [20, 2, 3],
    [22, 2, 17],
    [28, 2, 4],
    [30, 2, 0],
    [32, 8, 100 * 65_536 + 50],
    [40, 8, 10_000],
    [64, 8, 8000],
    [72, 8, 8500],
    [80, 8, 9000],
  ];
  for (const [at, width, value] of [...fields, ...changes]) {
    if (width === 2) bytes.writeUInt16LE(value, at);
    else if (width === 4) bytes.writeUInt32LE(value, at);
    else bytes.writeBigUInt64LE(BigInt(value), at);
  }
  return bytes;
}

describe('a superblock', () => {
  it('yields where everything is', () => {
    expect(parseSuperblock('a.img', superblock(), 12_288)).toEqual({
      compressor: 'lzo',
      blockSizeBytes: 131_072,
      bytesUsed: 10_000,
      inodeCount: 7,
      createdAtSeconds: 1_700_000_000,
      versionMajor: 4,
      versionMinor: 0,
      rootInode: { blockOffset: 100, offsetInBlock: 50 },
      data: { startBytes: 96, endBytes: 8000 },
      inodeTable: { startBytes: 8000, endBytes: 8500 },
      directoryTable: { startBytes: 8500, endBytes: 9000 },
      fragmentCount: 2,
      fragmentTableBytes: 9000,
    });
  });

  it.each([
    ['no squashfs', superblock([0, 4, 0x12345678]), 'byte 0: expected the squashfs magic "hsqs", found 0x12345678'],
    ['another version', superblock([28, 2, 3], [30, 2, 1]), 'byte 28: expected version 4.0, found 3.1'],
    ['no inodes', superblock([4, 4, 0]), 'byte 4: expected at least one inode, found none'],
    ['an unknown compressor', superblock([20, 2, 7]), 'byte 20: expected a compressor from 1 to 6, found 7'],
    ['no compressor', superblock([20, 2, 0]), 'byte 20: expected a compressor from 1 to 6, found 0'],
    [
      'blocks of 2 KiB',
      superblock([12, 4, 2048], [22, 2, 11]),
      'byte 22: expected a block size of 2^12 to 2^20, found 2^11',
    ],
    [
      'blocks of 2 MiB',
      superblock([12, 4, 2 ** 21], [22, 2, 21]),
      'byte 22: expected a block size of 2^12 to 2^20, found 2^21',
    ],
    ['contradicting block sizes', superblock([22, 2, 16]), 'byte 12: expected the block size 2^16, found 131072'],
    [
      'a larger image',
      superblock([40, 8, 12_289]),
      'byte 40: expected an image of 12289 bytes, found a truncated one of 12288 bytes',
    ],
    [
      'inodes in the superblock',
      superblock([64, 8, 95]),
      'byte 64: expected an inode table before byte 10000, found 95',
    ],
    [
      'inodes behind the end',
      superblock([64, 8, 2 ** 53]),
      'byte 64: expected an inode table before byte 10000, found 9007199254740992',
    ],
    [
      'directories before inodes',
      superblock([72, 8, 8000]),
      'byte 72: expected a directory table after the inode table, found 8000',
    ],
    [
      'directories behind the end',
      superblock([72, 8, 10_000]),
      'byte 72: expected a directory table after the inode table, found 10000',
    ],
    [
      'fragments before directories',
      superblock([80, 8, 8500]),
      'byte 80: expected a fragment table after the directories, found 8500',
    ],
    [
      'a root outside the table',
      superblock([32, 8, 500 * 65_536]),
      'byte 32: expected a root inode in a table of 500 bytes, found 500',
    ],
    ['a root outside its block', superblock([32, 8, 8192]), 'byte 32: expected an offset below 8192, found 8192'],
  ])('with %s is refused', (_, bytes, message) => {
    expect(() => parseSuperblock('a.img', bytes, 12_288)).toThrow(
      expect.objectContaining({ code: 'FORMAT', message: `a.img: damaged at byte ${message.slice('byte '.length)}` }),
    );
  });

  it('is refused where it is cut off', () => {
    const message = 'a.img: damaged at byte 0: expected a superblock of 96 bytes, found a truncated image of 95';
    expect(() => parseSuperblock('a.img', superblock().subarray(0, 95), 95)).toThrow(
      expect.objectContaining({ message }),
    );
  });

  it('needs no fragment table without fragments', () => {
    const bytes = superblock([16, 4, 0], [80, 8, 0]);
    expect(parseSuperblock('a.img', bytes, 12_288)).toMatchObject({
      directoryTable: { startBytes: 8500, endBytes: 10_000 },
    });
  });
});
