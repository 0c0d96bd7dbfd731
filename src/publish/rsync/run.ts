import { spawn } from 'node:child_process';
import { StringDecoder } from 'node:string_decoder';
import { isSystemError, UpdateRepositoryError } from '../../errors.js';
import { childEnvironment } from '../../io/child-environment.js';

/** How one rsync ended. */
export interface RsyncEnd {
  /** Its exit code; null when a signal ended it. */
  readonly code: number | null;
  /** The beginning of what it complained of. */
  readonly complaints: string;
}

export interface RsyncRun {
  /** Goes to its standard input: names for `--files-from=-`, each ended by a zero byte. */
  readonly input: string;
  readonly signal: AbortSignal;
  readonly onLine: (line: string) => void;
}

const MAX_COMPLAINTS = 16_384;
/** Far above the longest path, escaped. */
const MAX_LINE = 65_536;

/**
 * Runs rsync to its end, whatever that is. After an abort it and its ssh are killed.
 *
 * @throws UpdateRepositoryError INTERRUPTED, NOT_FOUND where rsync is not installed
 */
export async function runRsync(args: readonly string[], { input, signal, onLine }: RsyncRun): Promise<RsyncEnd> {
  if (signal.aborted) throw interrupted();
  // A group of its own, so that a signal reaches its ssh too.
  const child = spawn('rsync', args, { detached: true, env: childEnvironment({ LC_ALL: 'C', TZ: 'UTC' }) });
  const stop = (): void => killGroup(child.pid);
  signal.addEventListener('abort', stop, { once: true });
  let complaints = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaints = (complaints + text).slice(0, MAX_COMPLAINTS);
  });
  const lines = lineSplitter(onLine);
  child.stdout.on('data', lines.push);
  // It may end before it has read all names; why is in its complaints.
  child.stdin.on('error', (error) => {
    complaints ||= error.message;
  });
  child.stdin.end(input);
  try {
    const code = await new Promise<number | null>((resolve, reject) => {
      child.on('error', (error) => reject(isSystemError(error, 'ENOENT') ? notInstalled(error) : error));
      child.on('close', resolve);
    });
    lines.end();
    if (signal.aborted) throw interrupted();
    return { code, complaints };
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

/** At once and for good: what they would clean up is in directories that are removed anyway. */
function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch (error) {
    if (!isSystemError(error, 'ESRCH')) throw error;
  }
}

/** Lines end with a newline or, where progress is shown, with a carriage return. */
function lineSplitter(onLine: (line: string) => void): { push(bytes: Buffer): void; end(): void } {
  const decoder = new StringDecoder('utf8');
  let rest = '';
  return {
    push: (bytes) => {
      const lines = (rest + decoder.write(bytes)).split(/[\r\n]/);
      rest = (lines.pop() ?? '').slice(0, MAX_LINE);
      lines.forEach(onLine);
    },
    end: () => {
      if (rest !== '') onLine(rest);
    },
  };
}

function interrupted(): UpdateRepositoryError {
  return new UpdateRepositoryError('INTERRUPTED', 'interrupted');
}

function notInstalled(cause: Error): UpdateRepositoryError {
  return new UpdateRepositoryError('NOT_FOUND', 'rsync: expected it to be installed here, found no such program', {
    cause,
    hint: 'install rsync 3.1 or newer',
  });
}
