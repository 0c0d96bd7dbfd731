import { acquireLock, type FileLock } from '../io/lock.js';
import { MirrorState } from './state.js';

/**
 * Does `work` as the mirror's only writer, and cleans up behind it: files in the making that killed builds have left go
 * before, those of this one after, unless another process has become the writer.
 */
export async function withLock<T>(
  mirrorDir: string,
  options: { readonly breakLock: boolean },
  work: (lock: FileLock, state: MirrorState) => Promise<T>,
): Promise<T> {
  const state = new MirrorState(mirrorDir);
  await state.prepare();
  const lock = await acquireLock(state.lockPath, options);
  try {
    await state.clearTemporary();
    return await work(lock, state);
  } catch (error) {
    // Losing the lock explains whatever else went wrong.
    await lock.assertHeld();
    throw error;
  } finally {
    try {
      if (await lock.isHeld()) await state.clearTemporary();
    } finally {
      await lock.release();
    }
  }
}
