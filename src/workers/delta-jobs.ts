import { createHash } from 'node:crypto';
import { chmodSync } from 'node:fs';
import { applyDelta } from '../delta/apply.js';
import { UpdateRepositoryError } from '../errors.js';
import { PUBLIC_FILE_MODE } from '../io/atomic-file.js';
import { checkUnwritten } from '../io/digest.js';
import { identityOfPath, isUntouched } from '../io/file-identity.js';
import { digestPath } from './digest-path.js';
import type { CheckDeltaJob, CheckInputsJob, DeltaInput, DigestedPath, ProveDeltaJob } from './jobs.js';

/** Proves a delta that was just made: whoever has the base gets the target's sha256 out of it. */
export function proveDelta(job: ProveDeltaJob, onProgress: (doneBytes: number) => void): DigestedPath {
  const { base, target, path } = job;
  try {
    chmodSync(path, PUBLIC_FILE_MODE);
    const checked = checkDelta({ kind: 'check-delta', path, base, target }, onProgress);
    // The proof holds for the base as it is now, which has to be the one that clients have.
    checkInput(base);
    return checked;
  } catch (error) {
    // An input that changed explains a wrong result better than the wrong result does.
    checkInputs(job);
    throw error;
  }
}

/** @throws UpdateRepositoryError CHANGED_WHILE_READ when either is not what it was */
export function checkInputs({ base, target }: Pick<CheckInputsJob, 'base' | 'target'>): void {
  checkInput(base);
  checkInput(target);
}

/** @throws UpdateRepositoryError VERIFICATION when the delta does not make the target, FORMAT when it is no delta. */
export function checkDelta(job: CheckDeltaJob, onProgress: (doneBytes: number) => void): DigestedPath {
  const { base, target, path } = job;
  const sha256 = createHash('sha256');
  let doneBytes = 0;
  applyDelta({ basePath: base.path, deltaPath: path, targetBytes: target.sizeBytes }, (bytes) => {
    sha256.update(bytes);
    doneBytes += bytes.length;
    onProgress(doneBytes);
  });
  const found = sha256.digest('hex');
  if (found !== target.sha256) {
    throw new UpdateRepositoryError(
      'VERIFICATION',
      `${path}: applied to ${base.path}, expected sha256 ${target.sha256}, found ${found}`,
      { data: { path, base: base.path, expected: target.sha256, found } },
    );
  }
  return digestPath(path, () => undefined);
}

/** A ctime that moves alone tells of a link or a mode, or of a write whose mtime was set back: the bytes tell which. */
function checkInput({ path, identity, sha256: expected }: DeltaInput): void {
  const now = identityOfPath(path);
  checkUnwritten(path, identity, now);
  if (isUntouched(identity, now)) return;
  const found = digestPath(path, () => undefined).digests.sha256;
  if (found === expected) return;
  throw new UpdateRepositoryError(
    'CHANGED_WHILE_READ',
    `${path}: changed while it was read: expected sha256 ${expected}, found ${found}`,
    { data: { path, expected, found }, hint: 'wait until the image is complete, then run it again' },
  );
}
