import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { isSignature, parseSignatureHeader } from '../../src/delta/signature-header.js';
import { pseudoRandomBytes } from '../support/pseudo-random.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { requireTools } from '../support/tools.js';
import { caught } from './support/caught.js';

const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex');

test.each([
  ['rollsum', 'md4', '72730136', 8],
  ['rollsum', 'blake2', '72730137', 32],
  ['rabinkarp', 'md4', '72730146', 16],
  ['rabinkarp', 'blake2', '72730147', 1],
])('the magic of %s and %s', (rollingHash, strongHash, magic, strongBytes) => {
  const bytes = hex(`${magic} 00000800 ${strongBytes.toString(16).padStart(8, '0')}`);
  expect(isSignature(bytes)).toBe(true);
  const header = { rollingHash, strongHash, blockBytes: 2048, strongBytes };
  expect(parseSignatureHeader(bytes, 12, 'a.sig')).toEqual({ ...header, blocks: 0 });
  expect(parseSignatureHeader(bytes, 12 + 3 * (4 + strongBytes), 'a.sig')).toEqual({ ...header, blocks: 3 });
});

test.for(['md4', 'blake2'])('what rdiff writes with %s is understood', async (strongHash, context) => {
  requireTools(context, 'rdiff');
  const dir = await temporaryDirectory();
  const [file, signature] = [join(dir, 'file'), join(dir, 'signature')];
  writeFileSync(file, pseudoRandomBytes('signature header', 10_001));
  execFileSync('rdiff', ['-b', '1000', '-S', '9', '-H', strongHash, 'signature', file, signature]);
  const bytes = readFileSync(signature);
  expect(parseSignatureHeader(bytes, bytes.length, signature)).toMatchObject({
    strongHash,
    blockBytes: 1000,
    strongBytes: 9,
    blocks: 11,
  });
});

describe('what is no signature', () => {
  test.each([
    ['a delta', '72730236 00', 5, 'at byte 0 of the signature: expected the magic of a signature, found another'],
    ['nothing', '', 0, 'at byte 0 of the signature: expected the magic of a signature, found another'],
    [
      'half a header',
      '72730136 000008',
      7,
      'at byte 7 of the signature: expected a header of 12 bytes, found the end of the data',
    ],
    [
      'no block length',
      '72730136 00000000 00000008',
      12,
      'at byte 4 of the signature: expected a block length from 1 on, found 0',
    ],
    [
      'no strong length',
      '72730136 00000800 00000000',
      12,
      'at byte 8 of the signature: expected a strong length from 1 to 16, found 0',
    ],
    [
      'more of MD4 than there is',
      '72730136 00000800 00000011',
      12,
      'at byte 8 of the signature: expected a strong length from 1 to 16, found 17',
    ],
    [
      'a part of a block',
      '72730136 00000800 00000008',
      29,
      'at byte 24 of the signature: expected whole blocks of 12 bytes, found 5 bytes at the end',
    ],
  ])('%s', (_, bytes, sizeBytes, complaint) => {
    const error = caught(() => parseSignatureHeader(hex(bytes), sizeBytes, 'a.sig'));
    expect(error).toMatchObject({ code: 'FORMAT', message: `a.sig: ${complaint}` });
  });
});
