import { createHash } from 'node:crypto';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkCompressedDelta } from '../../../src/delta/check-compressed.js';
import { compressDelta } from '../../../src/delta/compress-delta.js';
import type { DeltaHooks } from '../../../src/delta/hooks.js';
import type { DeltaEffort } from '../../../src/delta/parameters.js';
import { decompressZstd } from '../../../src/squashfs/zstd/frame.js';

/** A file with `content` in `dir`, and what it is packed to. */
export async function packed(dir: string, content: Uint8Array, effort: DeltaEffort = 'fast', hooks: DeltaHooks = {}) {
  const deltaPath = join(dir, 'delta');
  const zstPath = join(dir, 'delta.zst');
  writeFileSync(deltaPath, content);
  if (existsSync(zstPath)) rmSync(zstPath);
  const sizes = await compressDelta({ deltaPath, zstPath, effort }, hooks);
  return { deltaPath, zstPath, sizes, zst: readFileSync(zstPath) };
}

/** Checks that the file unpacks to `content`, by our own decoder. */
export function checkPacked(zstPath: string, content: Uint8Array, hooks: DeltaHooks = {}): void {
  const deltaSha256 = createHash('sha256').update(content).digest('hex');
  checkCompressedDelta({ zstPath, deltaBytes: content.length, deltaSha256 }, decompressZstd, hooks);
}
