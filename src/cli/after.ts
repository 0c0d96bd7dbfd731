import { spawn } from 'node:child_process';
import { UpdateRepositoryError } from '../errors.js';
import type { PublishSummaryEvent } from '../events.js';
import { childEnvironment } from '../io/child-environment.js';

/**
 * Runs a command of the operator's by the shell, when a target has something new. It finds the target's address and the
 * number of the generation in its environment, and what it prints goes to standard error.
 *
 * @throws UpdateRepositoryError IO when it cannot be run or fails, INTERRUPTED
 */
export async function runAfter(command: string, summary: PublishSummaryEvent, signal: AbortSignal): Promise<void> {
  const env = childEnvironment({
    UPDATE_REPOSITORY_TARGET: summary.target,
    UPDATE_REPOSITORY_GENERATION: String(summary.generation),
  });
  const outcome = await new Promise<string | null>((resolve) => {
    const child = spawn('/bin/sh', ['-c', command], { env, stdio: ['ignore', process.stderr, process.stderr], signal });
    child.on('error', (error) => resolve(error.message));
    child.on('close', (code, killedBy) => resolve(code === 0 ? null : (killedBy ?? `exit code ${code}`)));
  });
  if (signal.aborted) throw new UpdateRepositoryError('INTERRUPTED', 'interrupted');
  if (outcome === null) return;
  throw new UpdateRepositoryError(
    'IO',
    `${summary.target}: published, but ${command}: expected success, found ${outcome}`,
    {
      data: { target: summary.target, command },
    },
  );
}
