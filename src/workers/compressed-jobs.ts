import { chmodSync } from 'node:fs';
import { checkCompressedDelta } from '../delta/check-compressed.js';
import { compressDelta } from '../delta/compress-delta.js';
import { PUBLIC_FILE_MODE } from '../io/atomic-file.js';
import { decompressZstd } from '../squashfs/zstd/frame.js';
import { digestPath } from './digest-path.js';
import type { CheckCompressedJob, CompressDeltaJob, DigestedPath } from './jobs.js';

/**
 * Compresses a delta, and proves that what came out unpacks to it.
 *
 * @throws UpdateRepositoryError DELTA_TOO_LARGE when it would be larger than `maxZstBytes`, and as compressDelta
 */
export async function compressAndProve(
  job: CompressDeltaJob,
  onProgress: (doneBytes: number) => void,
): Promise<DigestedPath> {
  const { path, deltaPath, deltaBytes, deltaSha256, effort, maxZstBytes } = job;
  await compressDelta({ deltaPath, zstPath: path, effort, maxZstBytes }, { onProgress });
  chmodSync(path, PUBLIC_FILE_MODE);
  const onProven = (doneBytes: number): void => onProgress(deltaBytes + doneBytes);
  return checkCompressed({ kind: 'check-compressed', path, deltaBytes, deltaSha256 }, onProven);
}

/** @throws UpdateRepositoryError VERIFICATION when the file unpacks to other bytes, FORMAT when it cannot be unpacked. */
export function checkCompressed(job: CheckCompressedJob, onProgress: (doneBytes: number) => void): DigestedPath {
  const { path, deltaBytes, deltaSha256 } = job;
  checkCompressedDelta({ zstPath: path, deltaBytes, deltaSha256 }, decompressZstd, { onProgress });
  return digestPath(path, () => undefined);
}
