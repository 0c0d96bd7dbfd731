import { type ChildProcessByStdio, spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import { fromSystemError, isSystemError, UpdateRepositoryError } from '../../errors.js';
import type { EventSink } from '../../events.js';
import { eachLine } from './lines.js';

/** A shell command that runs before or after an image becomes current. */
export interface Hook {
  readonly name: 'pre-activate' | 'post-activate';
  /** For `/bin/sh -c`. */
  readonly command: string;
}

export interface HookSettings {
  readonly dir: string;
  /** Joins the environment of this process. */
  readonly env: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  readonly onEvent: EventSink;
}

/** How long a hook that is asked to end has for it. */
const GRACE_MS = 5_000;
/** How long what it wrote is waited for when it has ended, but something that it started still has its output. */
const DRAIN_MS = 500;
const MAX_LINES = 1_000;

/**
 * Runs a hook in the device's directory to its end; its output becomes notes. After the time limit or an abort it and
 * what it has started are asked to end, and killed when they do not.
 *
 * @throws UpdateRepositoryError HOOK when it fails, is killed or takes too long; the reason of an abort
 */
export async function runHook(hook: Hook, settings: HookSettings): Promise<void> {
  const { dir, env, signal, timeoutMs, onEvent } = settings;
  signal.throwIfAborted();
  // A group of its own, so that a signal reaches what it starts; a terminal's Ctrl-C comes by way of the abort.
  const child = spawn('/bin/sh', ['-c', hook.command], {
    cwd: dir,
    env: { ...process.env, ...env },
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let timedOut = false;
  const stopper = new GroupStopper(child.pid);
  const onAbort = (): void => stopper.stop();
  signal.addEventListener('abort', onAbort, { once: true });
  const limit = setTimeout(() => {
    timedOut = true;
    stopper.stop();
  }, timeoutMs);
  try {
    const { code, signalCode } = await ending(child, noteLines(hook, onEvent));
    signal.throwIfAborted();
    if (timedOut) throw failed(hook, `its end within ${timeoutMs / 1000} s`, 'it still running');
    if (signalCode !== null) throw failed(hook, 'exit code 0', `that ${signalCode} ended it`);
    if (code !== 0) throw failed(hook, 'exit code 0', String(code));
  } finally {
    clearTimeout(limit);
    signal.removeEventListener('abort', onAbort);
    stopper.end();
  }
}

type Child = ChildProcessByStdio<null, Readable, Readable>;

interface Ending {
  readonly code: number | null;
  readonly signalCode: NodeJS.Signals | null;
}

async function ending(child: Child, onLine: (line: string) => void): Promise<Ending> {
  eachLine(child.stdout, onLine);
  eachLine(child.stderr, onLine);
  return new Promise((resolve, reject) => {
    child.on('error', (error) => reject(fromSystemError(error, 'run a hook with it', '/bin/sh')));
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
}

function noteLines({ name }: Hook, onEvent: EventSink): (line: string) => void {
  let count = 0;
  return (line) => {
    count++;
    if (count > MAX_LINES + 1) return;
    const message = count > MAX_LINES ? `more than ${MAX_LINES} lines, the rest is left out` : line;
    onEvent({ type: 'note', level: 'info', subject: name, message });
  };
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

function failed({ name, command }: Hook, expected: string, found: string): UpdateRepositoryError {
  return new UpdateRepositoryError(
    'HOOK',
    `${name} hook: expected ${expected}, found ${found}: ${firstLine(command)}`,
    {
      data: { hook: name },
    },
  );
}

function firstLine(command: string): string {
  const line = command.trim().split('\n', 1)[0] ?? '';
  return line.length > 200 ? `${line.slice(0, 200)}…` : line;
}
