import fs from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { fromSystemError, UpdateRepositoryError } from '../errors.js';
import type { ByteInput } from '../io/byte-input.js';
import { type DeltaHooks, reportProgress } from './hooks.js';
import { DeltaPatcher } from './patch.js';
import { SourceFile } from './source-file.js';

/** Between two pieces signals are heard: one of these mostly yields a megabyte or so. */
const PIECE_BYTES = 65536;

/**
 * Applies a delta that is read from start to end, as from a pipe, and hands the target to `sink`, in order, in pieces of
 * up to 128 KiB that are valid until the sink returns. Returns the size of the target, which may be any. Progress counts
 * bytes of the target. Holds about 1 MiB.
 *
 * @throws UpdateRepositoryError FORMAT for a delta that is malformed or reaches past the base; NOT_FOUND, IO (also when
 * the base is no regular file), CHANGED_WHILE_READ, INTERRUPTED, and what the sink throws
 */
export async function applyDeltaStream(
  { basePath, delta }: { readonly basePath: string; readonly delta: ByteInput },
  sink: (bytes: Uint8Array) => void,
  hooks: DeltaHooks = {},
): Promise<number> {
  requireFile(basePath);
  const base = new SourceFile(basePath);
  try {
    let done = 0;
    const patcher = new DeltaPatcher({ base, deltaName: delta.name }, (bytes) => {
      done += bytes.length;
      sink(bytes);
    });
    const piece = new Uint8Array(PIECE_BYTES);
    for (let length = piece.length; length === piece.length; ) {
      length = delta.fill(piece);
      patcher.push(piece.subarray(0, length));
      await setImmediate();
      reportProgress(done, delta.name, hooks);
    }
    const targetBytes = patcher.finish();
    base.assertUnchanged();
    return targetBytes;
  } finally {
    base.close();
  }
}

/** Copies come from any place of the base, so it cannot be a pipe. */
function requireFile(path: string): void {
  if (isFile(path)) return;
  throw new UpdateRepositoryError('IO', `${path}: expected a file, found something that cannot be read at any place`, {
    data: { path },
    hint: 'copy the basis of the patch to a file first',
  });
}

function isFile(path: string): boolean {
  try {
    return fs.statSync(path).isFile();
  } catch (error) {
    throw fromSystemError(error, 'open it', path);
  }
}
