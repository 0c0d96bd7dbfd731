import { fstatSync, readSync } from 'node:fs';
import { Socket } from 'node:net';
import { isatty } from 'node:tty';
import { fromSystemError, UpdateRepositoryError } from '../errors.js';
import { PASSPHRASE_VARIABLE } from '../io/child-environment.js';
import { readHiddenLine, type Terminal } from './hidden-line.js';

export { PASSPHRASE_VARIABLE } from '../io/child-environment.js';

const MAX_PASSPHRASE_BYTES = 1024;

/** A passphrase, which nothing shows by accident: no template, no JSON and no `util.inspect`. */
export class Passphrase {
  readonly #text: string;

  /** @throws UpdateRepositoryError CONFIG when it is empty, too long or of several lines; `source` opens the message */
  constructor(text: string, source: string) {
    const fault = findFault(text);
    if (fault !== null) {
      throw new UpdateRepositoryError('CONFIG', `${source}: expected a passphrase of one line, found ${fault}`);
    }
    this.#text = text;
  }

  /** For the one who unlocks or locks a key with it. */
  reveal(): string {
    return this.#text;
  }

  isSameAs(other: Passphrase): boolean {
    return this.#text === other.#text;
  }

  toString(): string {
    return '[passphrase]';
  }
}

/** Where a passphrase may come from. The first that is there is asked, and no other. */
export interface PassphraseSources {
  /** An open pipe or file, of which the first line counts; it is at its end then, or closed. */
  readonly fd: number | null;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Null where nobody can be asked. */
  readonly terminal: Terminal | null;
}

export interface PassphraseRequest {
  /** What it is of, for the prompt and for messages: `the key DIR/mirror.asc`. */
  readonly subject: string;
  /** Whether it is to lock something from now on: who is asked on a terminal, is asked twice. */
  readonly isNew: boolean;
}

/**
 * Gets a passphrase from a file descriptor, from the environment or from a terminal. One newline at its end does not
 * belong to it.
 *
 * @throws UpdateRepositoryError CONFIG when there is none, or when it cannot be one; IO; INTERRUPTED
 */
export async function getPassphrase(
  { subject, isNew }: PassphraseRequest,
  { fd, env, terminal }: PassphraseSources,
  signal: AbortSignal,
): Promise<Passphrase> {
  if (fd !== null) return new Passphrase(await readFirstLine(fd, signal), `file descriptor ${fd}`);
  const given = env[PASSPHRASE_VARIABLE];
  if (given !== undefined) return new Passphrase(withoutNewline(given), PASSPHRASE_VARIABLE);
  if (terminal === null) {
    throw new UpdateRepositoryError('CONFIG', `${subject}: expected a passphrase, found no way to get one`, {
      hint: `give it by --passphrase-fd N or in ${PASSPHRASE_VARIABLE}, or run it on a terminal, where it is asked for`,
    });
  }
  const ask = async (prompt: string) => {
    return new Passphrase(await readHiddenLine(prompt, terminal, MAX_PASSPHRASE_BYTES, signal), subject);
  };
  const passphrase = await ask(`Passphrase of ${subject}: `);
  if (isNew && !passphrase.isSameAs(await ask('The same once more: '))) {
    throw new UpdateRepositoryError('CONFIG', `${subject}: expected the same passphrase twice, found another one`);
  }
  return passphrase;
}

function findFault(text: string): string | null {
  if (text === '') return 'an empty one';
  const bytes = Buffer.byteLength(text);
  if (bytes > MAX_PASSPHRASE_BYTES) return `more than ${MAX_PASSPHRASE_BYTES} bytes`;
  if (/[\n\r\0]/u.test(text)) return 'a line break or a NUL in it';
  return text.includes('\uFFFD') ? 'bytes that are not UTF-8' : null;
}

function withoutNewline(text: string): string {
  return text.replace(/\r?\n$/u, '');
}

async function readFirstLine(fd: number, signal: AbortSignal): Promise<string> {
  const where = `file descriptor ${fd}`;
  try {
    if (isatty(fd)) {
      throw new UpdateRepositoryError('CONFIG', `${where}: expected a pipe or a file, found a terminal`, {
        hint: 'leave --passphrase-fd out, and it is asked for without being shown',
      });
    }
    const stats = fstatSync(fd);
    // A read of a pipe in Node's thread pool cannot be given up: the process would wait for it at its end.
    const bytes = stats.isFIFO() || stats.isSocket() ? await readPipe(fd, signal) : readFile(fd);
    const end = bytes.indexOf(0x0a);
    return withoutNewline(bytes.subarray(0, end === -1 ? bytes.length : end + 1).toString('utf8'));
  } catch (error) {
    throw fromSystemError(error, 'read the passphrase', where);
  }
}

/** Enough of a line to tell that it is too long. */
const MAX_LINE_BYTES = MAX_PASSPHRASE_BYTES + 2;

function readFile(fd: number): Buffer {
  const buffer = Buffer.alloc(MAX_LINE_BYTES);
  let length = 0;
  for (;;) {
    const count = readSync(fd, buffer, length, buffer.length - length, null);
    length += count;
    if (count === 0 || length === buffer.length) return buffer.subarray(0, length);
  }
}

async function readPipe(fd: number, signal: AbortSignal): Promise<Buffer> {
  const socket = new Socket({ fd, readable: true, writable: false });
  const chunks: Buffer[] = [];
  const stop = () => socket.destroy(new UpdateRepositoryError('INTERRUPTED', 'interrupted'));
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  try {
    for await (const chunk of socket) {
      chunks.push(chunk);
      const length = chunks.reduce((sum, { byteLength }) => sum + byteLength, 0);
      if (chunk.includes(0x0a) || length > MAX_LINE_BYTES) break;
    }
  } finally {
    signal.removeEventListener('abort', stop);
    socket.destroy();
  }
  return Buffer.concat(chunks);
}
