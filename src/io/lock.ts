import { link, open, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { fromSystemError, isSystemError, UpdateRepositoryError } from '../errors.js';
import { livenessOf, ownIdentity, type ProcessIdentity } from './process-identity.js';

/** A lock that this process holds until {@link FileLock.release}. */
export interface FileLock {
  release(): Promise<void>;
}

interface LockHolder extends ProcessIdentity {
  readonly since: string;
}

const HEARTBEAT_MS = 15_000;
/** A holder that cannot be seen from here and gave no sign of life for so long is taken for dead. */
const SILENCE_MS = 20 * HEARTBEAT_MS;
const ATTEMPTS = 5;

/**
 * Takes the lock at `path`, or fails at once with LOCKED, naming the holder. The lock is a file that appears complete or
 * not at all (link of a written file), says who holds it and has its mtime renewed. That of a dead process is taken
 * over: on this host by pid, start time and boot, elsewhere by silence.
 */
export async function acquireLock(path: string, options: { readonly breakLock: boolean }): Promise<FileLock> {
  const holder: LockHolder = { ...ownIdentity(), since: new Date().toISOString() };
  const text = `${JSON.stringify(holder)}\n`;
  const claimPath = `${path}.${holder.pid}`;
  try {
    await writeFile(claimPath, text);
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      if (await claim(claimPath, path, text)) return hold(path, text);
      await clearTheDead(path, claimPath, options.breakLock);
    }
    throw new UpdateRepositoryError('LOCKED', `${path}: other processes keep taking the lock`, { data: { path } });
  } catch (error) {
    throw fromSystemError(error, 'take the lock', path);
  } finally {
    await rm(claimPath, { force: true });
  }
}

async function claim(claimPath: string, path: string, text: string): Promise<boolean> {
  try {
    await link(claimPath, path);
    return true;
  } catch (error) {
    if (isSystemError(error, 'EEXIST')) return false;
    if (!isSystemError(error, 'EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS')) throw error;
    return claimWithoutLinks(path, text);
  }
}

async function claimWithoutLinks(path: string, text: string): Promise<boolean> {
  try {
    const file = await open(path, 'wx');
    await file.writeFile(text).finally(() => file.close());
    return true;
  } catch (error) {
    if (isSystemError(error, 'EEXIST')) return false;
    throw error;
  }
}

/** Removes the lock file when its holder is dead; fails with LOCKED when it is not. */
async function clearTheDead(path: string, claimPath: string, breakLock: boolean): Promise<void> {
  const text = await readIfThere(path);
  if (text === null) return;
  const holder = parseHolder(text);
  if (!breakLock && !(await isDead(path, claimPath, holder))) throw lockedBy(path, holder);
  // Renaming before removing: of several processes that found the same dead holder, each learns what it took away.
  const removedPath = `${claimPath}.removed`;
  try {
    await rename(path, removedPath);
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return;
    throw error;
  }
  const removed = await readIfThere(removedPath);
  if (removed !== text) await putBack(removedPath, path);
  await rm(removedPath, { force: true });
}

async function putBack(removedPath: string, path: string): Promise<void> {
  try {
    await link(removedPath, path);
  } catch (error) {
    if (!isSystemError(error, 'EEXIST')) throw error;
  }
}

async function isDead(path: string, claimPath: string, holder: LockHolder | null): Promise<boolean> {
  const liveness = holder === null ? 'unknown' : livenessOf(holder);
  if (liveness !== 'unknown') return liveness === 'dead';
  // Both times come from the file system's clock, which on a network share is not ours.
  const [lock, claimed] = await Promise.all([statIfThere(path), stat(claimPath)]);
  return lock !== null && claimed.mtimeMs - lock.mtimeMs > SILENCE_MS;
}

function hold(path: string, text: string): FileLock {
  const heartbeat = setInterval(() => {
    const now = new Date();
    utimes(path, now, now).catch((error: unknown) => {
      if (!isSystemError(error)) throw error;
    });
  }, HEARTBEAT_MS);
  heartbeat.unref();
  return {
    async release() {
      clearInterval(heartbeat);
      // After --break-lock the file may be somebody else's.
      if ((await readIfThere(path)) === text) await rm(path, { force: true });
    },
  };
}

function lockedBy(path: string, holder: LockHolder | null): UpdateRepositoryError {
  const who = holder === null ? 'somebody unknown' : `process ${holder.pid} on ${holder.host} since ${holder.since}`;
  return new UpdateRepositoryError('LOCKED', `${path}: held by ${who}`, {
    data: { path, ...(holder === null ? {} : { pid: holder.pid, host: holder.host, since: holder.since }) },
    hint: 'wait for it to end, or, if you are sure that it is gone, use --break-lock',
  });
}

function parseHolder(text: string): LockHolder | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  if (typeof value !== 'object' || value === null) return null;
  const { host, pid, since, bootId, pidNamespace, startTicks } = value as Record<string, unknown>;
  if (typeof host !== 'string' || typeof since !== 'string') return null;
  if (typeof pid !== 'number' || !Number.isSafeInteger(pid) || pid <= 0) return null;
  return {
    host,
    pid,
    since,
    bootId: stringOrNull(bootId),
    pidNamespace: stringOrNull(pidNamespace),
    startTicks: stringOrNull(startTicks),
  };
}

function stringOrNull(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}

async function readIfThere(path: string): Promise<string | null> {
  return readFile(path, 'utf8').catch(nullWhenMissing);
}

async function statIfThere(path: string): Promise<{ mtimeMs: number } | null> {
  return stat(path).catch(nullWhenMissing);
}

function nullWhenMissing(error: unknown): null {
  if (isSystemError(error, 'ENOENT')) return null;
  throw error;
}
