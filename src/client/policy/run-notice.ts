import { type ChildProcessByStdio, spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import { UpdateRepositoryError } from '../../errors.js';
import type { UpdateCheckEvent } from '../../events.js';
import { TimeLimit } from '../../io/time-limit.js';
import { describeValue } from '../../metadata/describe-value.js';

const TIMEOUT_MS = 60_000;
/** For what a command has printed last, where something that it left behind keeps its standard error open. */
const PARTING_MS = 500;
const MAX_TAIL_CHARACTERS = 4_096;

/**
 * Runs a command by the shell that is to tell somebody of a new version. It finds what was found in its environment:
 * UPDATE_REPOSITORY_SERIES, _CURRENT (empty where nothing is installed), _VERSION, _WANTED, _BYTES (to download, empty
 * where that is not known) and _REASON. One that takes too long is ended together with all that it started.
 *
 * @throws UpdateRepositoryError IO when it cannot be run, fails or takes too long; INTERRUPTED
 */
export async function runNotice(
  command: string,
  check: UpdateCheckEvent,
  signal: AbortSignal,
  timeoutMs = TIMEOUT_MS,
): Promise<void> {
  if (signal.aborted) throw interrupted();
  const child = spawn('/bin/sh', ['-c', command], {
    env: { ...process.env, ...environmentOf(check) },
    stdio: ['ignore', 'ignore', 'pipe'],
    detached: true,
  });
  using limit = new TimeLimit(signal, timeoutMs);
  const ended = limit.signal;
  const end = () => killGroup(child.pid);
  ended.addEventListener('abort', end, { once: true });
  try {
    const outcome = await outcomeOf(child);
    if (signal.aborted) throw interrupted();
    if (ended.aborted) throw failed(command, `nothing after ${timeoutMs / 1000} s`);
    if (outcome !== null) throw failed(command, outcome);
  } finally {
    ended.removeEventListener('abort', end);
  }
}

function environmentOf(check: UpdateCheckEvent): Record<string, string> {
  return {
    UPDATE_REPOSITORY_SERIES: check.series,
    UPDATE_REPOSITORY_CURRENT: check.current ?? '',
    UPDATE_REPOSITORY_VERSION: check.version,
    UPDATE_REPOSITORY_WANTED: check.wanted,
    UPDATE_REPOSITORY_BYTES: check.downloadBytes === null ? '' : String(check.downloadBytes),
    UPDATE_REPOSITORY_REASON: check.reason,
  };
}

/** How a command ended, with the last line of its standard error; null where it succeeded. */
async function outcomeOf(child: ChildProcessByStdio<null, null, Readable>): Promise<string | null> {
  let tail = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    tail = (tail + text).slice(-MAX_TAIL_CHARACTERS);
  });
  const how = await new Promise<string | null>((resolve) => {
    child.on('error', (error) => resolve(error.message));
    child.on('exit', (code, killedBy) => {
      const outcome = code === 0 ? null : (killedBy ?? `exit code ${code}`);
      const parting = setTimeout(() => resolve(outcome), PARTING_MS);
      child.on('close', () => {
        clearTimeout(parting);
        resolve(outcome);
      });
    });
  });
  child.stderr.destroy();
  const lastLine = tail.trimEnd().split('\n').at(-1) ?? '';
  return how === null || lastLine === '' ? how : `${how}, saying ${describeValue(lastLine)}`;
}

/** Of a command that was started as the leader of a group. */
function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch (error) {
    // ESRCH: all of them have ended by themselves.
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}

function failed(command: string, found: string): UpdateRepositoryError {
  return new UpdateRepositoryError('IO', `${command}: expected the notice to be taken, found ${found}`, {
    data: { command },
  });
}

function interrupted(): UpdateRepositoryError {
  return new UpdateRepositoryError('INTERRUPTED', 'interrupted');
}
