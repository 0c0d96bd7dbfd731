import { type ChildProcess, spawn } from 'node:child_process';
import { isSystemError, UpdateRepositoryError } from '../../../errors.js';
import { childEnvironment } from '../../../io/child-environment.js';
import type { LayoutLock } from '../layout.js';

/** How flock ends when somebody else has the lock; no other program of the two ends so. */
const BUSY = 75;
/** For a lock whose holder was killed and is about to let go. */
const WAIT_SECONDS = 2;
/** For a machine that hangs. */
const TIMEOUT_MS = 30_000;

/**
 * Takes a lock of flock(2) on a file by util-linux' `flock`, since Node has no call for it. The lock is a child's that
 * ends when its input does: so it lasts as long as this process, however that ends.
 *
 * @throws UpdateRepositoryError LOCKED, NOT_FOUND (flock is not installed), IO
 */
export async function takeFlock(path: string): Promise<LayoutLock> {
  const options = ['--timeout', String(WAIT_SECONDS), '--conflict-exit-code', String(BUSY), '--no-fork'];
  const args = [...options, path, 'sh', '-c', 'echo; exec cat'];
  // A session of its own: a Ctrl-C on the terminal must not end the lock before the work.
  const child = spawn('flock', args, { detached: true, env: childEnvironment(), stdio: ['pipe', 'pipe', 'pipe'] });
  const ended = new Promise<void>((resolve) => child.on('close', () => resolve()));
  child.stdin.on('error', () => undefined);
  await holding(child, path);
  // The lock must not keep this process alive.
  child.stdout.destroy();
  child.stderr.destroy();
  child.unref();
  return {
    assertHeld() {
      if (child.exitCode === null && child.signalCode === null) return;
      throw new UpdateRepositoryError('LOCKED', `${path}: was lost while this process worked`, { data: { path } });
    },
    async release() {
      child.ref();
      child.stdin.end();
      await ended;
    },
  };
}

/** Waits until the child says that it has the lock. */
function holding(child: ChildProcess, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    let complaint = '';
    const limit = setTimeout(() => child.kill('SIGKILL'), TIMEOUT_MS);
    child.stdout?.once('data', () => {
      clearTimeout(limit);
      resolve();
    });
    child.stderr?.on('data', (text: Buffer) => {
      complaint = (complaint + text.toString()).slice(0, 1_000);
    });
    child.on('error', (error) => {
      clearTimeout(limit);
      reject(isSystemError(error, 'ENOENT') ? notInstalled(error) : error);
    });
    child.on('exit', (code) => {
      clearTimeout(limit);
      reject(code === BUSY ? busy(path) : broken(path, complaint));
    });
  });
}

function busy(path: string): UpdateRepositoryError {
  return new UpdateRepositoryError('LOCKED', `${path}: held by another process, such as one of Puavo's own clients`, {
    data: { path },
    hint: 'wait for it to end',
  });
}

function broken(path: string, complaint: string): UpdateRepositoryError {
  const found = complaint.trim().split('\n', 1)[0] || 'its end';
  return new UpdateRepositoryError('IO', `${path}: expected flock to lock it, found ${found}`, { data: { path } });
}

function notInstalled(cause: Error): UpdateRepositoryError {
  return new UpdateRepositoryError('NOT_FOUND', 'flock: expected it to be installed here, found no such program', {
    cause,
    hint: 'install util-linux',
  });
}
