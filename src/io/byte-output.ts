import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import { fromSystemError, isSystemError, UpdateRepositoryError } from '../errors.js';
import { alreadyThere, placeOf, placeOutput } from './place-output.js';
import { waitAMoment } from './wait.js';

/** Where bytes go, from start to end. Either it is completed, or discarded, which takes back what can be taken back. */
export interface ByteOutput {
  /** How messages name it. */
  readonly name: string;
  /** @throws UpdateRepositoryError NO_SPACE or IO */
  write(bytes: Uint8Array): void;
  /** Says that all was written; a file is then durable. @throws UpdateRepositoryError NO_SPACE or IO */
  complete(): void;
  discard(): void;
}

/** How an output is opened. */
export interface OutputOptions {
  /** Whether a file that is there may be replaced. */
  readonly force: boolean;
  /** At most so many bytes are written at once. */
  readonly maxWriteBytes?: number;
}

/**
 * Opens the file `path`, or standard output where it is undefined. A file appears under its name only when it is
 * complete: until then it lies beside it under a temporary name that ends in `.tmp`. Standard output, and with `force`
 * a device or a pipe, get the bytes as they come.
 *
 * @throws UpdateRepositoryError NOT_FOUND (no such directory), or IO: also when something is there, without `force`
 */
export function openOutput(path: string | undefined, { force, maxWriteBytes }: OutputOptions): ByteOutput {
  const most = maxWriteBytes ?? Number.POSITIVE_INFINITY;
  if (path === undefined) return new DirectOutput('standard output', openStandardOutput(), most);
  if (path === '') throw new UpdateRepositoryError('NOT_FOUND', "expected the name of a file to write, found ''");
  const there = statOf(path);
  if (there !== undefined && !force) throw alreadyThere(path);
  if (there === undefined || there.isFile()) return new FileOutput(path, there, force, most);
  return new DirectOutput(path, openNew(path, 'w'), most);
}

/** Bytes that go where they belong at once. */
class DirectOutput implements ByteOutput {
  readonly name: string;
  readonly #fd: number;
  readonly #maxWriteBytes: number;

  constructor(name: string, fd: number, maxWriteBytes: number) {
    this.name = name;
    this.#fd = fd;
    this.#maxWriteBytes = maxWriteBytes;
  }

  write(bytes: Uint8Array): void {
    writeAll(this.#fd, bytes, this.#maxWriteBytes, this.name);
  }

  complete(): void {
    if (this.#fd === 1) return;
    try {
      fs.closeSync(this.#fd);
    } catch (error) {
      throw fromSystemError(error, 'write it', this.name);
    }
  }

  discard(): void {
    if (this.#fd !== 1) fs.closeSync(this.#fd);
  }
}

/** A file that takes its name when it is complete. */
class FileOutput implements ByteOutput {
  readonly name: string;
  readonly #temporaryPath: string;
  readonly #force: boolean;
  readonly #maxWriteBytes: number;
  readonly #fd: number;
  #open = true;

  constructor(path: string, there: fs.Stats | undefined, force: boolean, maxWriteBytes: number) {
    this.name = path;
    this.#temporaryPath = `${placeOf(path)}.${randomBytes(4).toString('hex')}.tmp`;
    this.#force = force;
    this.#maxWriteBytes = maxWriteBytes;
    this.#fd = openNew(this.#temporaryPath, 'wx', path);
    if (there !== undefined) fs.fchmodSync(this.#fd, there.mode & 0o7777);
  }

  write(bytes: Uint8Array): void {
    writeAll(this.#fd, bytes, this.#maxWriteBytes, this.name);
  }

  complete(): void {
    try {
      fs.fsyncSync(this.#fd);
      this.#open = false;
      fs.closeSync(this.#fd);
    } catch (error) {
      throw fromSystemError(error, 'write it', this.name);
    }
    placeOutput(this.#temporaryPath, this.name, { force: this.#force, sync: true });
  }

  discard(): void {
    if (this.#open) fs.closeSync(this.#fd);
    fs.rmSync(this.#temporaryPath, { force: true });
  }
}

/**
 * Standard output as a descriptor that waits for its reader. The one that Node has made non-blocking does not, so a pipe
 * is opened once more.
 */
function openStandardOutput(): number {
  try {
    if (fs.fstatSync(1).isFIFO()) return fs.openSync('/dev/stdout', 'w');
  } catch (error) {
    if (!isSystemError(error)) throw error;
  }
  return 1;
}

function openNew(path: string, flags: 'w' | 'wx', name = path): number {
  try {
    return fs.openSync(path, flags);
  } catch (error) {
    throw fromSystemError(error, 'create it', name);
  }
}

function statOf(path: string): fs.Stats | undefined {
  try {
    return fs.statSync(path, { throwIfNoEntry: false });
  } catch (error) {
    throw fromSystemError(error, 'examine it', path);
  }
}

function writeAll(fd: number, bytes: Uint8Array, maxWriteBytes: number, name: string): void {
  for (let at = 0; at < bytes.length; ) {
    try {
      at += fs.writeSync(fd, bytes, at, Math.min(bytes.length - at, maxWriteBytes));
    } catch (error) {
      if (!isSystemError(error, 'EAGAIN')) throw fromSystemError(error, 'write it', name);
      waitAMoment();
    }
  }
}
