import { join } from 'node:path';
import { UpdateRepositoryError } from '../../errors.js';
import { classifyImageName } from '../../metadata/image-name.js';
import type { Device } from './device.js';
import { isAsRecorded } from './image-records.js';
import { type Hooks, makeCurrent } from './make-current.js';
import { stateOf } from './plain-file.js';
import { compareImage } from './survey.js';
import { pendingSwitch } from './switch.js';

/** What {@link rollback} has done: file names in the device's directory. */
export interface Rollback {
  readonly current: string;
  readonly previous: string | null;
}

/**
 * Makes the previous image current again, and the current one the previous. It has to be as it was when it was
 * compared; one whose state has changed since is read again.
 *
 * @throws UpdateRepositoryError NOT_FOUND (there is no previous image), VERIFICATION (it has other bytes by now),
 *   HOOK, LOCKED, NO_SPACE, IO; the reason of an abort
 */
export async function rollback(device: Device, hooks: Hooks): Promise<Rollback> {
  const { dir, layout } = device;
  const fileName = await wantedImage(device);
  if (fileName === null) throw noPrevious(dir);
  const check = () => assertWhole(device, fileName);
  await check();
  noteUnknown(device, fileName);
  await makeCurrent(device, { kind: 'rollback', fileName, hooks, check });
  return { current: fileName, previous: (await layout.read()).previous };
}

/** The previous image; or the current one, where a rollback to it was killed before its last hook had ended. */
async function wantedImage(device: Device): Promise<string | null> {
  const { current, previous } = await device.layout.read();
  if ((await pendingSwitch(device))?.kind === 'rollback') return current;
  return previous === current ? null : previous;
}

/** What the records have lost can still be gone back to: nothing says that it has changed. */
function noteUnknown({ records, onEvent }: Device, fileName: string): void {
  if (records.get(fileName) !== undefined) return;
  const message = 'was never compared with its sha256 here: taken as it is';
  onEvent({ type: 'note', level: 'warning', subject: fileName, message });
}

async function assertWhole(device: Device, fileName: string): Promise<void> {
  const { dir, records } = device;
  const path = join(dir, fileName);
  const state = await stateOf(path);
  if (state === null || classifyImageName(fileName).kind !== 'image') throw gone(path);
  const record = records.get(fileName);
  if (record === undefined) return;
  if (isAsRecorded(record, state) && record.sha256 === record.publishedSha256) return;
  const { series, version, publishedSha256: sha256 } = record;
  const found = await compareImage(device, { series, version, filename: fileName, sha256, size: null });
  if (found !== null) return;
  throw new UpdateRepositoryError(
    'VERIFICATION',
    `${path}: expected the image with sha256 ${sha256}, found other bytes`,
    {
      data: { path, sha256 },
      hint: 'the current image stays; update to a version that the mirror has',
    },
  );
}

function noPrevious(dir: string): UpdateRepositoryError {
  return new UpdateRepositoryError('NOT_FOUND', `${dir}: expected a previous image to go back to, found none`, {
    data: { path: dir },
  });
}

function gone(path: string): UpdateRepositoryError {
  return new UpdateRepositoryError('NOT_FOUND', `${path}: expected the previous image, found no such image`, {
    data: { path },
    hint: 'the current image stays',
  });
}
