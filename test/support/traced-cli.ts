import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { expect } from 'vitest';
import { programPath } from '../cli/run.js';
import { type Instant, readInstants } from './kill-instants.js';

/** The system calls that change what a reader or a later run may find. */
const changes = 'rename,link,linkat,symlink,unlink,unlinkat,rmdir,mkdir,fchmod,ftruncate,fsync';

type Environment = Readonly<Record<string, string>>;

/** Every change that an undisturbed run of the program makes, which ends with `exitCode`; `log` is a file to note them in. */
export async function observeCli(
  log: string,
  args: readonly string[],
  env: Environment = {},
  exitCode = 0,
): Promise<Instant[]> {
  return await observeNode(log, [programPath, ...args], env, exitCode);
}

/** The same of any script of Node's. */
export async function observeNode(
  log: string,
  args: readonly string[],
  env: Environment = {},
  exitCode = 0,
): Promise<Instant[]> {
  const { code, stderr } = await tracedNode(['-o', log, '-e', `trace=${changes}`], args, env);
  expect(code, stderr).toBe(exitCode);
  return readInstants(readFileSync(log, 'utf8'));
}

/** Runs the program and has strace kill it as it enters a system call. */
export async function killCliAt(instant: Instant, args: readonly string[], env: Environment = {}): Promise<void> {
  await killNodeAt(instant, [], [programPath, ...args], env);
}

/** The same with any script of Node's; `trace` says which calls are counted. */
export async function killNodeAt(
  { call, count }: Instant,
  trace: readonly string[],
  args: readonly string[],
  env: Environment = {},
): Promise<void> {
  const inject = ['-e', `inject=${call}:signal=SIGKILL:when=${count}`];
  const { signal, stderr } = await tracedNode([...trace, ...inject], args, env);
  expect(signal, `${call} ${count}: ${stderr}`).toBe('SIGKILL');
}

/**
 * Runs Node under strace. One thread for all asynchronous calls, since strace counts the calls of each thread by itself.
 * Nothing waits for it synchronously: a server may be in the process of the test.
 */
export async function tracedNode(trace: readonly string[], args: readonly string[], env: Environment = {}) {
  const child = spawn('strace', ['-f', '-qq', ...trace, process.execPath, ...args], {
    env: { ...process.env, ...env, UV_THREADPOOL_SIZE: '1' },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const [stderr] = await Promise.all([text(child.stderr), once(child, 'close')]);
  return { code: child.exitCode, signal: child.signalCode, stderr };
}
