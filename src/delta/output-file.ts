import fs from 'node:fs';
import { placeFile, placeFileQuickly } from '../io/atomic-file.js';
import { temporaryPathOf } from './temporary-path.js';
import { type WriteOptions, WrittenFile } from './written-file.js';

/** How a new file is made. */
export interface NewFileOptions extends WriteOptions {
  /** Whether it is on the disk before it gets its name; left out, it is. */
  readonly sync?: boolean;
}

/**
 * Lets `write` make a file beside `path`, under a temporary name that ends in `.tmp`, and puts it in place of what is
 * there once it is complete and, unless `sync` is false, on the disk. Leaves nothing behind when that fails. Resolves to what `write` does.
 *
 * @throws UpdateRepositoryError NOT_FOUND (no such directory), NO_SPACE, IO, and what `write` throws
 */
export async function writeNewFile<T>(
  path: string,
  write: (output: OutputFile) => Promise<T>,
  { sync = true, ...options }: NewFileOptions = {},
): Promise<T> {
  const output = new OutputFile(temporaryPathOf(path), options);
  try {
    const result = await write(output);
    if (sync) output.complete();
    else output.close();
    await (sync ? placeFile : placeFileQuickly)(output.path, path);
    return result;
  } catch (error) {
    output.discard();
    throw error;
  }
}

/** A new file that is written from start to end and either completed or removed. */
export class OutputFile extends WrittenFile {
  /** @throws UpdateRepositoryError NOT_FOUND (no such directory), NO_SPACE, or IO: also when the file is there */
  constructor(path: string, options: WriteOptions = {}) {
    super(path, 'wx', options);
  }

  /** Makes the bytes durable and closes the file. */
  complete(): void {
    this.sync();
    this.close();
  }

  /** Closes and removes the file. */
  discard(): void {
    this.close();
    fs.rmSync(this.path, { force: true });
  }
}
