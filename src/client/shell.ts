import { spawn } from 'node:child_process';
import { fromSystemError, isSystemError } from '../errors.js';
import { childEnvironment } from '../io/child-environment.js';
import { TimeLimit } from '../io/time-limit.js';
import { eachLine } from './lines.js';

export interface ShellOptions {
  /** Left out, that of this process. */
  readonly cwd?: string;
  /** Joins the environment of this process, from which the passphrase of keys is left out. */
  readonly env: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** Gets each line of its output and of its errors that is not empty; in which order those of both come is not known. */
  readonly onLine: (line: string, stream: 'stdout' | 'stderr') => void;
}

/** How a command ended; its exit code is null where a signal ended it. */
export interface ShellEnding {
  readonly code: number | null;
  readonly signalCode: NodeJS.Signals | null;
  /** Whether it was asked to end because it took too long. */
  readonly timedOut: boolean;
}

/** How long a command that is asked to end has for it. */
const GRACE_MS = 5_000;
/** How long what it wrote is waited for when it has ended, but something that it started still has its output. */
const DRAIN_MS = 500;

/**
 * Runs a command by `/bin/sh -c` to its end. After the time limit or an abort it and what it has started are asked to end, and
 * killed when they do not.
 *
 * @throws UpdateRepositoryError IO when the shell cannot be run
 */
export async function runShell(command: string, options: ShellOptions): Promise<ShellEnding> {
  const { cwd, env, timeoutMs, signal, onLine } = options;
  // A group of its own, so that a signal reaches what it starts; a terminal's Ctrl-C comes by way of the abort.
  const child = spawn('/bin/sh', ['-c', command], {
    ...(cwd === undefined ? {} : { cwd }),
    env: childEnvironment(env),
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const stopper = new GroupStopper(child.pid);
  using limit = new TimeLimit(signal, timeoutMs);
  const stop = () => stopper.stop();
  limit.signal.addEventListener('abort', stop, { once: true });
  eachLine(child.stdout, (line) => onLine(line, 'stdout'));
  eachLine(child.stderr, (line) => onLine(line, 'stderr'));
  try {
    const ending = await new Promise<Omit<ShellEnding, 'timedOut'>>((resolve, reject) => {
      child.on('error', (error) => reject(fromSystemError(error, 'run a command with it', '/bin/sh')));
      child.on('exit', (code, signalCode) => {
        const drain = setTimeout(() => {
          child.stdout.destroy();
          child.stderr.destroy();
        }, DRAIN_MS);
        child.on('close', () => {
          clearTimeout(drain);
          resolve({ code, signalCode });
        });
      });
    });
    return { ...ending, timedOut: limit.signal.aborted && !signal.aborted };
  } finally {
    limit.signal.removeEventListener('abort', stop);
    stopper.end();
  }
}

/** Asks a process group to end, and kills it when it has not after a while. */
class GroupStopper {
  readonly #pid: number | undefined;
  #kill: NodeJS.Timeout | undefined;

  constructor(pid: number | undefined) {
    this.#pid = pid;
  }

  stop(): void {
    this.#signal('SIGTERM');
    this.#kill ??= setTimeout(() => this.#signal('SIGKILL'), GRACE_MS);
  }

  /** The group's leader has ended: what it left running after it was stopped goes at once. */
  end(): void {
    if (this.#kill === undefined) return;
    clearTimeout(this.#kill);
    this.#signal('SIGKILL');
  }

  #signal(name: NodeJS.Signals): void {
    if (this.#pid === undefined) return;
    try {
      process.kill(-this.#pid, name);
    } catch (error) {
      if (!isSystemError(error, 'ESRCH')) throw error;
    }
  }
}
