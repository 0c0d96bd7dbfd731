import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { UpdateRepositoryError } from '../errors.js';

/** The sha256 of bytes that come piece by piece. */
export interface Sha256Stream {
  /** Takes the next bytes, which are to stay as they are until it is done with them. */
  update(bytes: Uint8Array): Promise<void>;
  /** Lower-case hex, of all bytes; the last that is asked of it. */
  digest(): Promise<string>;
  close(): Promise<void>;
}

/** Below this a thread takes longer to start than it saves. */
const THREAD_MIN_BYTES = 32 * 1024 * 1024;

/** What the thread runs: as text, because a thread of Node 20 loads no TypeScript, and a bundled program has no such file. */
const threadSource = `
const { createHash } = require('node:crypto');
const { parentPort } = require('node:worker_threads');
const hash = createHash('sha256');
parentPort.on('message', (bytes) => parentPort.postMessage(bytes === null ? hash.digest('hex') : hash.update(bytes) && ''));
`;

/**
 * Of some `sizeBytes` bytes: if they are many, on a thread of its own, so that the caller's has time for other work. That one
 * gets bytes in shared memory without a copy. Where no thread can be had, the caller's does it.
 */
export async function openSha256(sizeBytes: number): Promise<Sha256Stream> {
  if (sizeBytes < THREAD_MIN_BYTES) return onThisThread();
  const worker = new Worker(threadSource, { eval: true });
  try {
    await once(worker, 'online');
  } catch {
    return onThisThread();
  }
  return new ThreadedSha256(worker);
}

function onThisThread(): Sha256Stream {
  const hash = createHash('sha256');
  return {
    update: async (bytes) => void hash.update(bytes),
    digest: async () => hash.digest('hex'),
    close: () => Promise.resolve(),
  };
}

interface Waiting {
  readonly resolve: (answer: string) => void;
  readonly reject: (error: unknown) => void;
}

class ThreadedSha256 implements Sha256Stream {
  readonly #worker: Worker;
  /** Those who wait for an answer, which come in order. */
  readonly #waiting: Waiting[] = [];

  constructor(worker: Worker) {
    this.#worker = worker;
    worker.on('message', (answer: string) => this.#waiting.shift()?.resolve(answer));
    worker.on('error', (error) => this.#fail(error));
    worker.on('exit', (code) =>
      this.#fail(new UpdateRepositoryError('INTERNAL', `sha256: its thread ended with ${code}`)),
    );
  }

  async update(bytes: Uint8Array): Promise<void> {
    await this.#ask(bytes);
  }

  digest(): Promise<string> {
    return this.#ask(null);
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
  }

  #ask(message: Uint8Array | null): Promise<string> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      this.#worker.postMessage(message);
    });
  }

  #fail(error: unknown): void {
    for (const { reject } of this.#waiting.splice(0)) reject(error);
  }
}
