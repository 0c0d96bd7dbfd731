import type { Writable } from 'node:stream';

/** A stream that may be a terminal, as process.stdout is. */
export interface OutputStream extends Writable {
  readonly isTTY?: boolean;
  /** The size of the terminal in characters; undefined elsewhere. */
  readonly columns?: number;
  readonly rows?: number;
}

/** Where output goes, and the environment that has a say in how it looks. */
export interface Streams {
  readonly stdout: OutputStream;
  readonly stderr: OutputStream;
  readonly env: Readonly<Record<string, string | undefined>>;
}
