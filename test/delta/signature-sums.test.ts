import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { blake2b256 } from '../../src/delta/blake2b.js';
import { md4 } from '../../src/delta/md4.js';
import { ROLLING_SUMS } from '../../src/delta/weak-sums.js';
import { pseudoRandomBytes } from '../support/pseudo-random.js';
import { temporaryDirectoryOfSuite } from '../support/temporary-directory.js';
import { KINDS, signatureOf } from './support/signatures.js';

const dir = temporaryDirectoryOfSuite();
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

/** RFC 1320, appendix A.5. */
const MD4_ANSWERS = [
  ['', '31d6cfe0d16ae931b73c59d7e0c089c0'],
  ['a', 'bde52cb31de33e46245e05fbdbd6fb24'],
  ['abc', 'a448017aaf21d8525fc10ae87aa6729d'],
  ['message digest', 'd9130a8164549fe818874806e1c7014b'],
  ['abcdefghijklmnopqrstuvwxyz', 'd79e1c308aa5bbcdeea8ed63df412da9'],
  ['ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789', '043f8582f241db351ce627e153e7f0e4'],
  [
    '12345678901234567890123456789012345678901234567890123456789012345678901234567890',
    'e33b4ddc9c38f2199c3e7b164fcc0536',
  ],
] as const;

/** Made with `printf '%s' TEXT | b2sum -l 256`. */
const BLAKE2B_ANSWERS = [
  ['', '0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8'],
  ['abc', 'bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319'],
  ['The quick brown fox jumps over the lazy dog', '01718cec35cd3d796dd00020e0bfecb473ad23457d063b75eff29c0ffa2e58a9'],
] as const;

/** The first strong sum of a signature with one block. */
async function strongByCore(text: Uint8Array, strong: 'md4' | 'blake2') {
  return hex((await signatureOf(dir, text, { strong, blockBytes: 10_000 })).subarray(16));
}

describe('MD4 and BLAKE2b', () => {
  test.each(MD4_ANSWERS)('MD4 of %j is what RFC 1320 says', async (text, digest) => {
    expect(hex(md4(Buffer.from(text)))).toBe(digest);
    if (text !== '') expect(await strongByCore(Buffer.from(text), 'md4')).toBe(digest);
  });

  test.each(BLAKE2B_ANSWERS)('BLAKE2b of %j is what b2sum says', async (text, digest) => {
    expect(hex(blake2b256(Buffer.from(text)))).toBe(digest);
    if (text !== '') expect(await strongByCore(Buffer.from(text), 'blake2')).toBe(digest);
  });

  test('of texts that end anywhere in a chunk are the same in TypeScript and in the core', async () => {
    for (let length = 1; length <= 400; length += 1) {
      const text = pseudoRandomBytes('chunks', length);
      expect(await strongByCore(text, 'md4')).toBe(hex(md4(text)));
      expect(await strongByCore(text, 'blake2')).toBe(hex(blake2b256(text)));
    }
  });

  test('are not mixed up between the lanes of the core', async () => {
    const text = pseudoRandomBytes('lanes', 21 * 100);
    for (const strong of ['md4', 'blake2'] as const) {
      const signature = await signatureOf(dir, text, { strong, blockBytes: 100 });
      const sum = strong === 'md4' ? md4 : blake2b256;
      const sums = Array.from({ length: 21 }, (_, n) => sum(text.subarray(100 * n, 100 * n + 100)));
      const size = 4 + (sums[0]?.length ?? 0);
      for (const [n, expected] of sums.entries()) {
        expect(hex(signature.subarray(12 + n * size + 4, 12 + (n + 1) * size))).toBe(hex(expected));
      }
    }
  });
});

describe('weak sums', () => {
  const text = pseudoRandomBytes('weak', 3000);

  test.each(['rollsum', 'rabinkarp'] as const)('%s in TypeScript and in the core are the same', async (weak) => {
    for (const bytes of [text, Buffer.alloc(3000, 0xff), Buffer.alloc(3000)]) {
      for (let length = 1; length < 3000; length += length < 200 ? 1 : 97) {
        const signature = await signatureOf(dir, bytes.subarray(0, length), { weak, blockBytes: 5000 });
        expect(signature.readUInt32BE(12)).toBe(ROLLING_SUMS[weak].of(bytes.subarray(0, length)));
      }
    }
  });

  test.each(['rollsum', 'rabinkarp'] as const)('%s that rolled or shrank is that of the window', (weak) => {
    const { of, roll, shrink } = ROLLING_SUMS[weak];
    for (const length of [1, 2, 31, 32, 33, 500]) {
      let sum = of(text.subarray(0, length));
      for (let at = 0; at + length < text.length; at += 1) {
        sum = roll(sum, length, text[at] ?? 0, text[at + length] ?? 0);
        expect(sum).toBe(of(text.subarray(at + 1, at + 1 + length)));
      }
      for (let left = length; left > 1; left -= 1) {
        sum = shrink(sum, left, text[text.length - left] ?? 0);
        expect(sum).toBe(of(text.subarray(text.length - left + 1)));
      }
    }
  });
});

/**
 * Made by Debian's rdiff 2.3.2 from the text that `yes 'golden vector of a signature' | head -c 5000` makes, each with
 * `rdiff -R WEAK -H STRONG -b 700 -S 7 signature TEXT SIGNATURE; sha256sum SIGNATURE`, and the beginning of each.
 */
const GOLDEN = [
  [
    'rollsum',
    'md4',
    '72730136000002bc000000074c9f553a3e54713a89f1ad',
    '0887454660bbb4ad8b2fa23ff506d32aefdbf923dbdded8a76486e81386e973b',
  ],
  [
    'rollsum',
    'blake2',
    '72730137000002bc000000074c9f553af5f1df62bde278',
    'd4eec3a23b7bd5d074e19dc40725f4487506ffd045f7b2895a7901f30c49e390',
  ],
  [
    'rabinkarp',
    'md4',
    '72730146000002bc00000007f35b71e33e54713a89f1ad',
    '6e0464856c1c0b29fddd763ff4c1d7581d87f2f722bc75d87420c3ac825a1571',
  ],
  [
    'rabinkarp',
    'blake2',
    '72730147000002bc00000007f35b71e3f5f1df62bde278',
    '55897161d78c6c0072e909133af634eb706356422d1bcbcdabcef6791d7bc859',
  ],
] as const;

test.each(GOLDEN)('the signature with %s and %s stays what rdiff made', async (weak, strong, start, sha256) => {
  const text = Buffer.alloc(5000, 'golden vector of a signature\n');
  for (const engine of ['wasm', 'js'] as const) {
    const signature = await signatureOf(dir, text, { weak, strong, blockBytes: 700, strongBytes: 7 }, engine);
    expect(hex(signature.subarray(0, 23))).toBe(start);
    expect(createHash('sha256').update(signature).digest('hex')).toBe(sha256);
  }
  expect(KINDS).toContainEqual({ weak, strong });
});
