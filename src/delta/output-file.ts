import fs from 'node:fs';
import { placeOf, placeOutput } from '../io/place-output.js';
import { PositionedFile } from './positioned-file.js';
import { temporaryPathOf } from './temporary-path.js';
import { writingBehind } from './write-behind.js';
import { WrittenFile } from './written-file.js';

/** How a new file is made. */
export interface NewFileOptions {
  /** Whether it is on the disk before it gets its name; left out, it is. */
  readonly sync?: boolean;
  /** Whether a file that is there may be replaced; left out, it may. */
  readonly force?: boolean;
}

/**
 * Lets `write` make a file beside `path`, under a temporary name that ends in `.tmp`, and gives it its name once it is
 * complete and, unless `sync` is false, on the disk, which takes what there is whenever `write` lets the event loop run.
 * Leaves nothing behind when that fails. Resolves to what `write` does.
 *
 * @throws UpdateRepositoryError NOT_FOUND (no such directory), NO_SPACE, IO: also when a file is there, without `force`; and
 *   what `write` throws
 */
export async function writeNewFile<T>(
  path: string,
  write: (output: OutputFile) => Promise<T>,
  { sync = true, force = true }: NewFileOptions = {},
): Promise<T> {
  const output = new OutputFile(temporaryPathOf(placeOf(path)));
  try {
    const writing = write(output);
    const result = await (sync ? writingBehind(output.path, writing) : writing);
    if (sync) output.complete();
    else output.close();
    placeOutput(output.path, path, { force, sync });
    return result;
  } catch (error) {
    output.discard();
    throw error;
  }
}

/** A new file that is written from start to end and either completed or removed. */
export class OutputFile extends WrittenFile {
  /** @throws UpdateRepositoryError NOT_FOUND (no such directory), NO_SPACE, or IO: also when the file is there */
  constructor(path: string) {
    super(PositionedFile.create(path));
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
