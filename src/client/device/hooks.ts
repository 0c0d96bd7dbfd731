import { UpdateRepositoryError } from '../../errors.js';
import type { EventSink } from '../../events.js';
import { runShell, type ShellOptions } from '../shell.js';

/** A shell command that runs before or after an image becomes current. */
export interface Hook {
  readonly name: 'pre-activate' | 'post-activate';
  /** For `/bin/sh -c`. */
  readonly command: string;
}

export interface HookSettings extends Pick<ShellOptions, 'env' | 'timeoutMs' | 'signal'> {
  readonly dir: string;
  readonly onEvent: EventSink;
}

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
  const onLine = noteLines(hook, onEvent);
  const { code, signalCode, timedOut } = await runShell(hook.command, { cwd: dir, env, timeoutMs, signal, onLine });
  signal.throwIfAborted();
  if (timedOut) throw failed(hook, `its end within ${timeoutMs / 1000} s`, 'it still running');
  if (signalCode !== null) throw failed(hook, 'exit code 0', `that ${signalCode} ended it`);
  if (code !== 0) throw failed(hook, 'exit code 0', String(code));
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
