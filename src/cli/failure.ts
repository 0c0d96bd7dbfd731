import { CommanderError } from 'commander';
import { fromSystemError, isSystemError, UpdateRepositoryError } from '../errors.js';
import type { Palette } from './render/colors.js';
import { printable } from './render/printable.js';

/**
 * Anything that a command threw, as an error of ours: what commander refuses becomes USAGE, a failed system call IO or
 * NO_SPACE, work that ended because `signal` was aborted INTERRUPTED, and anything else INTERNAL with its own stack.
 */
export function toFailure(error: unknown, signal: AbortSignal): UpdateRepositoryError {
  if (signal.aborted && isStopped(error)) return asInterrupted(signal.reason);
  if (error instanceof UpdateRepositoryError) return error;
  if (error instanceof CommanderError) return usageError(error);
  if (isSystemError(error)) return systemFailure(error);
  const message = error instanceof Error ? error.message : String(error);
  const failure = new UpdateRepositoryError('INTERNAL', message, { cause: error });
  if (error instanceof Error && error.stack !== undefined) failure.stack = error.stack;
  return failure;
}

/** The lines that tell the user of `failure`: what, then what to do about it; a bug brings its stack. */
export function failureLines(failure: UpdateRepositoryError, palette: Palette): string[] {
  const lines = [`${palette.error('update-repository:')} ${printable(failure.message)}`];
  if (failure.hint !== undefined) lines.push(`hint: ${printable(failure.hint)}`);
  if (failure.code !== 'INTERNAL') return lines;
  const stack = (failure.stack ?? '').split('\n').map(printable);
  return [...lines, ...stack, 'This is a bug in update-repository: please report it with these lines.'];
}

function isStopped(error: unknown): boolean {
  if (error instanceof UpdateRepositoryError) return error.code === 'INTERRUPTED';
  return error instanceof Error && error.name === 'AbortError';
}

function asInterrupted(reason: unknown): UpdateRepositoryError {
  return reason instanceof UpdateRepositoryError ? reason : new UpdateRepositoryError('INTERRUPTED', 'interrupted');
}

/** Commander writes `error: …`, and its suggestion in brackets on a line of its own. */
function usageError(error: CommanderError): UpdateRepositoryError {
  const message = error.message.replace(/^error: /, '').replace('\n(Did you mean', ' (did you mean');
  const isCallWrong = ['commander.missingArgument', 'commander.excessArguments'].includes(error.code);
  const hint = 'update-repository help shows how it is called, and help COMMAND a command';
  return new UpdateRepositoryError('USAGE', message, isCallWrong ? { hint } : {});
}

function systemFailure(error: Error & { code: string }): UpdateRepositoryError {
  const call = 'syscall' in error ? String(error.syscall) : 'use';
  const path = 'path' in error ? String(error.path) : 'a file';
  const failure = fromSystemError(error, call, path);
  return failure instanceof UpdateRepositoryError ? failure : new UpdateRepositoryError('IO', error.message);
}
