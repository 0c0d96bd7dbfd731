import { randomBytes } from 'node:crypto';
import { type FileHandle, link, open, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fromSystemError, isSystemError, UpdateRepositoryError } from '../errors.js';
import { livenessOf, ownIdentity, type ProcessIdentity } from './process-identity.js';

/** A lock that this process holds until {@link FileLock.release}. */
export interface FileLock {
  /**
   * Fails with LOCKED when the lock was taken away: by `--break-lock`, or by a process that took this one for dead.
   * To be asked before every step that others can see.
   */
  assertHeld(): Promise<void>;
  isHeld(): Promise<boolean>;
  release(): Promise<void>;
}

interface LockHolder extends ProcessIdentity {
  readonly since: string;
  /** Tells two holders apart that are alike in all else. */
  readonly token: string;
}

const HEARTBEAT_MS = 15_000;
/** A holder that cannot be seen from here and gave no sign of life for so long is taken for dead. */
const SILENCE_MS = 20 * HEARTBEAT_MS;
/** For a lock that is being taken over or released this very moment. */
const ATTEMPTS = 50;
const PAUSE_MS = 20;

/**
 * Takes the lock at `path`, or fails at once with LOCKED, naming the holder. The lock is a file that appears complete or
 * not at all (link of a written file), says who holds it and has its mtime renewed. That of a dead process is taken
 * over: on this host by pid, start time and boot, elsewhere by silence.
 */
export async function acquireLock(path: string, options: { readonly breakLock: boolean }): Promise<FileLock> {
  const holder: LockHolder = {
    ...ownIdentity(),
    since: new Date().toISOString(),
    token: randomBytes(8).toString('hex'),
  };
  const claim = await writeClaim(`${path}.${holder.token}`, `${JSON.stringify(holder)}\n`);
  try {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      if (await place(claim, path)) return await hold(claim, path);
      if (await takeOver(claim, path, options.breakLock)) return await hold(claim, path);
      await setTimeout(PAUSE_MS);
    }
    throw new UpdateRepositoryError('LOCKED', `${path}: other processes keep taking the lock`, { data: { path } });
  } catch (error) {
    await claim.file.close();
    throw fromSystemError(error, 'take the lock', path);
  } finally {
    await rm(claim.path, { force: true });
  }
}

/** A written lock file under a name of its own. */
interface Claim {
  readonly path: string;
  readonly text: string;
  readonly file: FileHandle;
}

async function writeClaim(path: string, text: string): Promise<Claim> {
  let file: FileHandle | undefined;
  try {
    file = await open(path, 'wx');
    await file.writeFile(text);
    return { path, text, file };
  } catch (error) {
    await file?.close();
    if (file !== undefined) await rm(path, { force: true });
    throw fromSystemError(error, 'take the lock', path);
  }
}

/** Gives a claim the lock's name, unless somebody has it. */
async function place(claim: Claim, path: string): Promise<boolean> {
  return takeName(claim, path, () => rename(claim.path, path));
}

/**
 * Gives a claim a name that nobody has, which appears with the claim's text at once. A file system without hard links
 * has the name taken by an empty file first, which `fill` then gives the text.
 */
async function takeName(claim: Claim, name: string, fill: () => Promise<void>): Promise<boolean> {
  try {
    await link(claim.path, name);
    return true;
  } catch (error) {
    if (isSystemError(error, 'EEXIST')) return false;
    if (!isSystemError(error, 'EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS')) throw error;
  }
  try {
    await (await open(name, 'wx')).close();
  } catch (error) {
    if (isSystemError(error, 'EEXIST')) return false;
    throw error;
  }
  await fill();
  return true;
}

/**
 * Puts the claim in the place of a dead holder's lock; fails with LOCKED when the holder is alive. False when another
 * process does the same, or was faster. The dead lock stays until it is replaced, so that nobody finds the name free.
 */
async function takeOver(claim: Claim, path: string, breakLock: boolean): Promise<boolean> {
  const text = await readIfThere(path);
  if (text === null) return false;
  const holder = parseHolder(text);
  if (!breakLock && !(await isDead(path, claim, holder))) throw lockedBy(path, holder);
  const turnPath = `${path}.takeover`;
  if (!(await takeTurn(claim, turnPath))) return false;
  try {
    if ((await readIfThere(path)) !== text) return false;
    await rename(claim.path, path);
    return true;
  } finally {
    await rm(turnPath, { force: true });
  }
}

/** One process at a time takes over; one that died over it gives its turn to the next. */
async function takeTurn(claim: Claim, turnPath: string): Promise<boolean> {
  if (await takeName(claim, turnPath, () => writeFile(turnPath, claim.text))) return true;
  const text = await readIfThere(turnPath);
  if (text !== null && (await isDead(turnPath, claim, parseHolder(text)))) await rm(turnPath, { force: true });
  return false;
}

async function isDead(path: string, claim: Claim, holder: LockHolder | null): Promise<boolean> {
  const liveness = holder === null ? 'unknown' : livenessOf(holder);
  if (liveness !== 'unknown') return liveness === 'dead';
  // Both times come from the file system's clock, which on a network share is not ours.
  const [lock, claimed] = await Promise.all([statIfThere(path), claim.file.stat()]);
  return lock !== null && claimed.mtimeMs - lock.mtimeMs > SILENCE_MS;
}

async function hold({ file, text }: Claim, path: string): Promise<FileLock> {
  // Writing the same bytes lets the file system stamp the time; the open file stays ours whoever has the name.
  const heartbeat = setInterval(() => {
    file.write(text, 0).catch((error: unknown) => {
      if (!isSystemError(error)) throw error;
    });
  }, HEARTBEAT_MS);
  heartbeat.unref();
  const isHeld = async (): Promise<boolean> => (await readIfThere(path)) === text;
  await clearOldClaims(path);
  return {
    isHeld,
    async assertHeld() {
      if (await isHeld()) return;
      throw new UpdateRepositoryError('LOCKED', `${path}: was taken away while this process worked`, {
        data: { path },
      });
    },
    async release() {
      clearInterval(heartbeat);
      await file.close();
      if (await isHeld()) await rm(path, { force: true });
    },
  };
}

/** Claims live for an instant; older ones are of processes that were killed then. */
async function clearOldClaims(path: string): Promise<void> {
  const names = (await readdir(dirname(path))).filter((name) => name.startsWith(`${basename(path)}.`));
  for (const old of names.map((name) => join(dirname(path), name))) {
    const stats = await statIfThere(old);
    if (stats !== null && Date.now() - stats.mtimeMs > SILENCE_MS) await rm(old, { force: true });
  }
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
  const { host, pid, since, token, bootId, pidNamespace, startTicks } = value as Record<string, unknown>;
  if (typeof host !== 'string' || typeof since !== 'string' || typeof token !== 'string') return null;
  if (typeof pid !== 'number' || !Number.isSafeInteger(pid) || pid <= 0) return null;
  return {
    host,
    pid,
    since,
    token,
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
