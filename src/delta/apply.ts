import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import { dirname } from 'node:path';
import { fromSystemError, isSystemError } from '../errors.js';
import { type DeltaHooks, reportProgress } from './hooks.js';
import { OutputFile } from './output-file.js';
import { DeltaPatcher } from './patch.js';
import { SourceFile } from './source-file.js';

const CHUNK_MAX_BYTES = 262144;

export interface ApplyRequest {
  readonly basePath: string;
  readonly deltaPath: string;
  /** Size that the target must have. */
  readonly targetBytes: number;
}

export interface ApplyToFileRequest {
  readonly basePath: string;
  readonly deltaPath: string;
  /** Where the target goes; what is there is replaced. */
  readonly targetPath: string;
  /** Size that the target must have; left out, any. A delta of a few bytes can ask for a target of any size. */
  readonly targetBytes?: number;
}

/**
 * Applies a delta and hands the target to `sink`, in order, in pieces of up to 1 MiB that are valid until the sink
 * returns. Progress counts bytes of the target. Blocks until it is done; holds about 1.3 MiB. The bytes are those that
 * the delta says: compare their digest with the target's before they are used.
 *
 * @throws UpdateRepositoryError FORMAT for a delta that is malformed, reaches past the base or yields another size;
 * CHANGED_WHILE_READ, INTERRUPTED, NOT_FOUND, IO
 */
export function applyDelta(request: ApplyRequest, sink: (bytes: Uint8Array) => void, hooks: DeltaHooks = {}): void {
  streamTarget(request, sink, hooks);
}

/**
 * Applies a delta into a file: written beside `targetPath` under a temporary name that ends in `.tmp`, fsynced and
 * renamed. Leaves nothing behind when it fails. Returns the size of the target; else like {@link applyDelta}.
 *
 * @throws UpdateRepositoryError as {@link applyDelta}, and NO_SPACE
 */
export function applyDeltaToFile(request: ApplyToFileRequest, hooks: DeltaHooks = {}): number {
  const { targetPath } = request;
  const output = new OutputFile(`${targetPath}.${randomBytes(4).toString('hex')}.tmp`);
  try {
    const targetBytes = streamTarget(request, (bytes) => output.write(bytes), hooks);
    output.complete();
    placeFile(output.path, targetPath);
    return targetBytes;
  } catch (error) {
    output.discard();
    throw error;
  }
}

function streamTarget(
  request: Omit<ApplyToFileRequest, 'targetPath'>,
  sink: (bytes: Uint8Array) => void,
  hooks: DeltaHooks,
): number {
  const delta = new SourceFile(request.deltaPath);
  try {
    const base = new SourceFile(request.basePath);
    try {
      return feedPatcher(delta, base, request.targetBytes, sink, hooks);
    } finally {
      base.close();
    }
  } finally {
    delta.close();
  }
}

function feedPatcher(
  delta: SourceFile,
  base: SourceFile,
  targetBytes: number | undefined,
  sink: (bytes: Uint8Array) => void,
  hooks: DeltaHooks,
): number {
  let done = 0;
  const size = targetBytes === undefined ? {} : { targetBytes };
  const patcher = new DeltaPatcher({ base, deltaName: delta.path, ...size }, (bytes) => {
    sink(bytes);
    done += bytes.length;
    reportProgress(done, delta.path, hooks);
  });
  const chunk = new Uint8Array(Math.min(CHUNK_MAX_BYTES, delta.sizeBytes));
  for (let position = 0; position < delta.sizeBytes; position += chunk.length) {
    const length = Math.min(chunk.length, delta.sizeBytes - position);
    delta.read(chunk, 0, length, position);
    patcher.push(chunk.subarray(0, length));
  }
  const written = patcher.finish();
  base.assertUnchanged();
  delta.assertUnchanged();
  return written;
}

function placeFile(temporaryPath: string, path: string): void {
  try {
    fs.renameSync(temporaryPath, path);
    syncDirectory(dirname(path));
  } catch (error) {
    throw fromSystemError(error, 'put it in place', path);
  }
}

function syncDirectory(path: string): void {
  const fd = fs.openSync(path, 'r');
  try {
    fs.fsyncSync(fd);
  } catch (error) {
    // Some network file systems have no fsync for directories; their rename is as durable as it gets.
    if (!isSystemError(error, 'EINVAL', 'ENOTSUP')) throw error;
  } finally {
    fs.closeSync(fd);
  }
}
