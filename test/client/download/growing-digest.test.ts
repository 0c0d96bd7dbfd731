import { createHash } from 'node:crypto';
import { writeSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { GrowingDigest } from '../../../src/client/download/growing-digest.js';
import { pseudoRandomBytes } from '../../support/pseudo-random.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';

const { signal } = new AbortController();
const PIECE_BYTES = 300_000;

async function fileOf(bytes: Buffer) {
  const path = join(await temporaryDirectory(), 'a.img');
  const handle = await open(path, 'w+');
  onTestFinished(() => handle.close());
  await handle.write(bytes);
  return { path, handle };
}

test.each([0, 1, 5_000_000])(
  'a file that grows while its first %i bytes are read has the sha256 of all',
  async (kept) => {
    const bytes = pseudoRandomBytes('an image', 8_000_000);
    const { path, handle } = await fileOf(bytes.subarray(0, kept));
    await using digest = new GrowingDigest(handle, path, kept);
    for (let at = kept; at < bytes.length; at += PIECE_BYTES) {
      const piece = bytes.subarray(at, at + PIECE_BYTES);
      if (at > kept) await handle.write(piece, 0, piece.length, at);
      // The first one comes before anything that was read is looked at.
      else writeSync(handle.fd, piece, 0, piece.length, at);
      digest.grewBy(piece);
    }
    expect(await digest.hex(signal)).toBe(createHash('sha256').update(bytes).digest('hex'));
  },
);

test('a file that was cut short is told', async () => {
  const { path, handle } = await fileOf(Buffer.alloc(10));
  await using digest = new GrowingDigest(handle, path, 11);
  await expect(digest.hex(signal)).rejects.toMatchObject({
    code: 'IO',
    message: `${path}: expected 11 bytes, found 10`,
  });
});

test('an abort ends the reading', async () => {
  const { path, handle } = await fileOf(Buffer.alloc(5_000_000));
  await using digest = new GrowingDigest(handle, path, 5_000_000);
  await expect(digest.hex(AbortSignal.abort())).rejects.toMatchObject({ code: 'INTERRUPTED' });
});
