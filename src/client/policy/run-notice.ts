import { UpdateRepositoryError } from '../../errors.js';
import type { UpdateCheckEvent } from '../../events.js';
import { describeValue } from '../../metadata/describe-value.js';
import { runShell, type ShellEnding, type ShellOptions } from '../shell.js';

const TIMEOUT_MS = 60_000;

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
  let lastLine = '';
  const onLine: ShellOptions['onLine'] = (line, stream) => {
    if (stream === 'stderr') lastLine = line;
  };
  const ending = await runShell(command, { env: environmentOf(check), timeoutMs, signal, onLine });
  if (signal.aborted) throw interrupted();
  if (ending.timedOut) throw failed(command, `nothing after ${timeoutMs / 1000} s`);
  const outcome = outcomeOf(ending);
  if (outcome === null) return;
  throw failed(command, lastLine === '' ? outcome : `${outcome}, saying ${describeValue(lastLine)}`);
}

/** Null where it succeeded. */
function outcomeOf({ code, signalCode }: ShellEnding): string | null {
  return code === 0 ? null : (signalCode ?? `exit code ${code}`);
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

function failed(command: string, found: string): UpdateRepositoryError {
  return new UpdateRepositoryError('IO', `${command}: expected the notice to be taken, found ${found}`, {
    data: { command },
  });
}

function interrupted(): UpdateRepositoryError {
  return new UpdateRepositoryError('INTERRUPTED', 'interrupted');
}
