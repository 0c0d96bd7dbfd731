import { access, constants, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fromSystemError, hasCode, isSystemError, UpdateRepositoryError } from '../../errors.js';
import type { EventSink } from '../../events.js';
import { acquireLock, type FileLock } from '../../io/lock.js';
import { ImageRecords } from './image-records.js';
import type { Layout, LayoutLock } from './layout.js';
import { PrivateDirectory } from './private-directory.js';
import { recoverSwitch } from './switch.js';

/**
 * A device's directory of images, and the sole right to change it, until {@link Device.close}; of {@link lookAtDevice}
 * perhaps without that right.
 */
export interface Device {
  readonly dir: string;
  readonly place: PrivateDirectory;
  readonly layout: Layout;
  readonly records: ImageRecords;
  readonly signal: AbortSignal;
  readonly onEvent: EventSink;
  /** Whether this program has the sole right to change it. */
  readonly isHeld: boolean;
  /** The number of the next job that is told of. */
  nextJob(): number;
  /**
   * Throws LOCKED when the right was taken away, and the reason of an abort; asked before every step that others see.
   */
  assertMayGoOn(): Promise<void>;
  close(): Promise<void>;
}

export interface DeviceOptions {
  /** `plainLayout` or `puavoLayout`. */
  readonly layout: (dir: string) => Layout;
  /** Takes the lock from whoever has it; that of the layout is not ours to break. */
  readonly breakLock: boolean;
  readonly signal: AbortSignal;
  readonly onEvent: EventSink;
}

/**
 * Takes a directory of images for an update or a rollback: makes its private directory, takes its locks, and completes
 * or undoes a switch of the current image that a killed run has left. What earlier runs fetched stays.
 *
 * @throws UpdateRepositoryError NOT_FOUND or IO (no directory, or it cannot be written), LOCKED, CONFIG (the file
 *   system or what is in the directory does not fit the layout), NO_SPACE
 */
export async function openDevice(dir: string, options: DeviceOptions): Promise<Device> {
  await checkDirectory(dir);
  const place = new PrivateDirectory(dir);
  await place.prepare();
  const layout = options.layout(dir);
  const lock = await acquireLock(place.lockPath, { breakLock: options.breakLock });
  let layoutLock: LayoutLock | undefined;
  try {
    layoutLock = await layout.lock();
    const device = await assemble({ dir, place, layout, options, locks: { own: lock, ofLayout: layoutLock } });
    await layout.check(place.path);
    await recoverSwitch(device);
    await layout.read();
    return device;
  } catch (error) {
    await layoutLock?.release();
    await lock.release();
    throw error;
  }
}

/**
 * Opens a directory of images for questions. Who may take it does, as {@link openDevice}: what is read is remembered then.
 * Where this user may not write it, or somebody else has it, nothing in it is changed and no lock taken: what is there is
 * read, and the records of images that are compared last as long as this device. A note says so.
 *
 * @throws UpdateRepositoryError as {@link openDevice}, but neither LOCKED nor IO for what cannot be written
 */
export async function lookAtDevice(dir: string, options: DeviceOptions): Promise<Device> {
  try {
    return await openDevice(dir, options);
  } catch (error) {
    if (!isOnlyToLookAt(error)) throw error;
    const layout = options.layout(dir);
    await layout.read();
    const message = `${error.message} (it is only looked at, and nothing of that is remembered)`;
    options.onEvent({ type: 'note', level: 'info', message });
    return await assemble({ dir, place: new PrivateDirectory(dir), layout, options, locks: null });
  }
}

function isOnlyToLookAt(error: unknown): error is UpdateRepositoryError {
  if (hasCode(error, 'LOCKED')) return true;
  return hasCode(error, 'IO') && ['EACCES', 'EPERM', 'EROFS'].includes(String(error.data.errno));
}

/** What makes a {@link Device}. */
interface DeviceParts {
  readonly dir: string;
  readonly place: PrivateDirectory;
  readonly layout: Layout;
  readonly options: DeviceOptions;
  /** Null for a device that is only looked at. */
  readonly locks: { readonly own: FileLock; readonly ofLayout: LayoutLock } | null;
}

async function assemble({ dir, place, layout, options, locks }: DeviceParts): Promise<Device> {
  const { signal, onEvent } = options;
  const records = locks === null ? await ImageRecords.openUnsaved(place) : await ImageRecords.open(place);
  let jobs = 0;
  return {
    dir,
    place,
    layout,
    records,
    signal,
    onEvent,
    isHeld: locks !== null,
    nextJob: () => jobs++,
    async assertMayGoOn() {
      signal.throwIfAborted();
      locks?.ofLayout.assertHeld();
      await locks?.own.assertHeld();
    },
    async close() {
      await locks?.ofLayout.release();
      await locks?.own.release();
    },
  };
}

async function checkDirectory(dir: string): Promise<void> {
  try {
    if (!(await stat(join(dir, '.'))).isDirectory()) throw notADirectory(dir);
    await access(dir, constants.W_OK | constants.X_OK);
  } catch (error) {
    if (isSystemError(error, 'ENOTDIR')) throw notADirectory(dir);
    throw fromSystemError(error, 'keep images in it', dir);
  }
}

function notADirectory(dir: string): UpdateRepositoryError {
  return new UpdateRepositoryError('NOT_FOUND', `${dir}: expected a directory of images, found something else`, {
    data: { path: dir },
  });
}
