import { UpdateRepositoryError } from '../errors.js';
import { readBuffer } from '../io/page-aligned.js';
import { applyDelta } from './apply.js';
import { SourceFile } from './source-file.js';

/** What has to make what of what. */
export interface DeltaFiles {
  readonly basePath: string;
  readonly deltaPath: string;
  readonly targetPath: string;
}

/**
 * Applies a delta and compares what comes out with the target, byte by byte. Blocks until it is done; progress counts
 * bytes of the target. Memory: that of applyDelta, and as much again as it hands on at once.
 *
 * @throws UpdateRepositoryError VERIFICATION with the first differing place; else as applyDelta
 */
export function compareDelta(
  { basePath, deltaPath, targetPath }: DeltaFiles,
  onProgress: (doneBytes: number) => void,
): void {
  const target = new SourceFile(targetPath);
  try {
    let expected = readBuffer(0);
    let done = 0;
    applyDelta({ basePath, deltaPath, targetBytes: target.sizeBytes }, (bytes) => {
      if (expected.length < bytes.length) expected = readBuffer(bytes.length);
      target.read(expected, 0, bytes.length, done);
      if (expected.compare(bytes, 0, bytes.length, 0, bytes.length) !== 0) {
        throw differs(deltaPath, targetPath, done + firstDifference(expected, bytes));
      }
      done += bytes.length;
      onProgress(done);
    });
  } finally {
    target.close();
  }
}

function firstDifference(a: Uint8Array, b: Uint8Array): number {
  return b.findIndex((byte, at) => byte !== a[at]);
}

function differs(deltaPath: string, targetPath: string, offset: number): UpdateRepositoryError {
  const message = `${deltaPath}: expected it to make ${targetPath}, found another byte at ${offset}`;
  return new UpdateRepositoryError('VERIFICATION', message, { data: { path: deltaPath, targetPath, offset } });
}
