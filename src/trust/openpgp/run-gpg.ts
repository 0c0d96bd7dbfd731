import { type ChildProcessByStdio, spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { isSystemError, UpdateRepositoryError } from '../../errors.js';
import { childEnvironment } from '../../io/child-environment.js';
import { TimeLimit } from '../../io/time-limit.js';
import { describeValue } from '../../metadata/describe-value.js';
import type { Passphrase } from '../passphrase.js';

export interface GpgSettings {
  /** For gpg's agent, by a file descriptor; null where the agent has it, asks for it or needs none. */
  readonly passphrase: Passphrase | null;
  /** Someone may have to type a PIN, or touch a card. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** A signature has some hundred bytes, a key with many user ids some thousand. */
const MAX_OUTPUT_BYTES = 1024 * 1024;
const MAX_TAIL_CHARACTERS = 4_096;
const PASSPHRASE_FD = 3;

/**
 * Runs gpg in batch mode on `input` and returns what it writes. Its home, and by that its keys and its agent, are those
 * of the environment. One that takes too long is ended together with what it started, but for the agent, which is on
 * its own.
 *
 * @throws UpdateRepositoryError IO when it cannot be run, fails, takes too long or writes too much, with the last line
 *   of what it says; INTERRUPTED
 */
export async function runGpg(
  args: readonly string[],
  input: Uint8Array,
  { passphrase, timeoutMs, signal }: GpgSettings,
): Promise<Uint8Array> {
  if (signal.aborted) throw interrupted();
  const loopback = ['--pinentry-mode', 'loopback', '--passphrase-fd', String(PASSPHRASE_FD)];
  const child = spawn('gpg', ['--batch', '--no-tty', ...(passphrase === null ? [] : loopback), ...args], {
    env: childEnvironment(),
    stdio: ['pipe', 'pipe', 'pipe', passphrase === null ? 'ignore' : 'pipe'],
    // The leader of a group, so that a signal reaches what it starts.
    detached: true,
  }) as Gpg;
  using limit = new TimeLimit(signal, timeoutMs);
  const end = () => {
    killGroup(child.pid);
    // What it started may have left the group, and still hold them.
    for (const stream of child.stdio) stream?.destroy();
  };
  limit.signal.addEventListener('abort', end, { once: true });
  try {
    feed(child.stdin, input);
    if (passphrase !== null) feed(child.stdio[PASSPHRASE_FD] as Writable, `${passphrase.reveal()}\n`);
    const { output, failure } = await outcomeOf(child);
    if (signal.aborted) throw interrupted();
    if (limit.signal.aborted) throw failed(`nothing after ${timeoutMs / 1000} s`);
    if (failure !== null) throw failed(failure);
    return output;
  } finally {
    limit.signal.removeEventListener('abort', end);
  }
}

type Gpg = ChildProcessByStdio<Writable, Readable, Readable>;

/** A gpg that ends before it has read everything says why by itself: EPIPE says nothing more. */
function feed(stream: Writable, bytes: Uint8Array | string): void {
  stream.on('error', () => stream.destroy()).end(bytes);
}

interface Outcome {
  readonly output: Uint8Array;
  /** As a noun phrase; null where it succeeded. */
  readonly failure: string | null;
}

async function outcomeOf(child: Gpg): Promise<Outcome> {
  const chunks: Buffer[] = [];
  let length = 0;
  child.stdout.on('data', (chunk: Buffer) => {
    length += chunk.byteLength;
    if (length > MAX_OUTPUT_BYTES) killGroup(child.pid);
    else chunks.push(chunk);
  });
  const tail = collectTail(child.stderr);
  const how = await new Promise<string | null>((resolve) => {
    child.on('error', (error) => resolve(isSystemError(error, 'ENOENT') ? 'no such program' : error.message));
    child.on('close', (code, killedBy) => resolve(code === 0 ? null : (killedBy ?? `exit code ${code}`)));
  });
  const output = Buffer.concat(chunks);
  if (length > MAX_OUTPUT_BYTES) return { output, failure: `more than ${MAX_OUTPUT_BYTES} bytes` };
  const lastLine = tail().trimEnd().split('\n').at(-1) ?? '';
  return { output, failure: how === null || lastLine === '' ? how : `${how}, saying ${describeValue(lastLine)}` };
}

function collectTail(stream: Readable): () => string {
  let tail = '';
  stream.setEncoding('utf8').on('data', (text: string) => {
    tail = (tail + text).slice(-MAX_TAIL_CHARACTERS);
  });
  return () => tail;
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch (error) {
    // All of them have ended by themselves.
    if (!isSystemError(error, 'ESRCH')) throw error;
  }
}

function failed(found: string): UpdateRepositoryError {
  return new UpdateRepositoryError('IO', `gpg: expected it to succeed, found ${found}`);
}

function interrupted(): UpdateRepositoryError {
  return new UpdateRepositoryError('INTERRUPTED', 'interrupted');
}
