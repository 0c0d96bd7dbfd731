import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';

/** The top of the project: tests run from there. */
export const projectRoot = join(import.meta.dirname, '..', '..');

/** The program that the tests of the command line run. */
export const programPath = join(projectRoot, 'bin', 'update-repository.js');

/** What a run of the program left behind; `code` is null when a signal ended it. */
export interface CliResult {
  readonly stdout: string;
  readonly stderr: string;
  readonly code: number | null;
}

/** Runs the real, compiled program and waits for its end. Colors are as without FORCE_COLOR and NO_COLOR. */
export async function runCli(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<CliResult> {
  return await finishedCli(startCli(args, env));
}

/** Starts the program, for tests that stop it or close its output. */
export function startCli(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): ChildProcessWithoutNullStreams {
  const { FORCE_COLOR: _force, NO_COLOR: _no, ...inherited } = process.env;
  return spawn(process.execPath, [programPath, ...args], { env: { ...inherited, ...env }, cwd: projectRoot });
}

/** Waits for the end of a program that {@link startCli} started. */
export async function finishedCli(child: ChildProcessWithoutNullStreams): Promise<CliResult> {
  child.stdin.end();
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  return { stdout, stderr, code: child.exitCode };
}
