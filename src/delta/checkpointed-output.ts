import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fromSystemError, UpdateRepositoryError } from '../errors.js';
import { syncDirectory } from '../io/atomic-file.js';
import { sharedPages } from '../io/page-aligned.js';
import type { Sha256Stream } from '../io/sha256-stream.js';
import { Deliveries } from './deliveries.js';
import type { DeltaPlace } from './delta-place.js';
import { type DeltaHooks, reportProgress } from './hooks.js';
import { PositionedFile } from './positioned-file.js';
import { WrittenFile } from './written-file.js';

const READ_BYTES = 1048576;
const CHECKPOINT_EVERY_BYTES = 64 * 1024 * 1024;

/** How far a target that is being made is kept, and from where it goes on. */
export interface Checkpoints {
  /** What was kept last; left out, the target is made from the start. */
  readonly last?: DeltaPlace;
  /** Bytes of the target between two; left out, 64 MiB. */
  readonly everyBytes?: number;
  /** Keeps one: the target is on the disk up to it. It is called again only when that is done. */
  save(place: DeltaPlace): Promise<void> | void;
}

/**
 * A target that is made in several runs, any of which may be killed at any instant. What is written is put on the disk now
 * and then while the next pieces come, and only then is a checkpoint saved.
 */
export class CheckpointedOutput {
  readonly #path: string;
  readonly #handle: FileHandle;
  readonly #file: WrittenFile;
  readonly #checkpoints: Checkpoints;
  readonly #saving = new Deliveries();
  /** Up to where it is written, and up to where it is saved or about to be. */
  #written: DeltaPlace;
  #saved: DeltaPlace;

  private constructor(handle: FileHandle, file: WrittenFile, from: DeltaPlace, checkpoints: Checkpoints) {
    this.#path = file.path;
    this.#handle = handle;
    this.#file = file;
    this.#checkpoints = checkpoints;
    this.#written = from;
    this.#saved = from;
  }

  /**
   * Opens the file, or makes it where it is to begin at the start, and cuts off what is behind the place `from`.
   *
   * @throws UpdateRepositoryError FORMAT when the file has not even so much; NOT_FOUND (no such directory), NO_SPACE, IO
   */
  static async open(path: string, from: DeltaPlace, checkpoints: Checkpoints): Promise<CheckpointedOutput> {
    const handle = await failingAs('open it', path, open(path, constants.O_RDWR | constants.O_CREAT, 0o644));
    try {
      const { size } = await handle.stat();
      if (size < from.targetBytes) throw tooShort(path, from.targetBytes, size);
      await failingAs('cut it', path, handle.truncate(from.targetBytes));
      // A checkpoint of a file whose name is lost would be of no use.
      await failingAs('write it', path, syncDirectory(dirname(path)));
      const file = new WrittenFile(PositionedFile.open(path), from.targetBytes);
      return new CheckpointedOutput(handle, file, from, checkpoints);
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  /** Reads what there is into `digest`. @throws UpdateRepositoryError IO, INTERRUPTED */
  async digestInto(digest: Sha256Stream, hooks: DeltaHooks): Promise<void> {
    const sizeBytes = this.#written.targetBytes;
    // While one is digested the other one is read.
    const buffers = [0, 1].map(() => sharedPages(Math.min(READ_BYTES, sizeBytes)));
    const deliveries = new Deliveries();
    for (let position = 0, n = 0; position < sizeBytes; n += 1) {
      const buffer = buffers[n % 2]!;
      const length = Math.min(buffer.length, sizeBytes - position);
      const { bytesRead } = await failingAs('read it', this.#path, this.#handle.read(buffer, 0, length, position));
      if (bytesRead === 0) throw tooShort(this.#path, sizeBytes, position);
      deliveries.send(() => digest.update(buffer.subarray(0, bytesRead)));
      await deliveries.settle();
      position += bytesRead;
      reportProgress(position, this.#path, hooks);
    }
    await deliveries.end();
  }

  /**
   * Writes the next bytes of the target, which go up to `place`, and now and then begins to save how far it is.
   *
   * @throws UpdateRepositoryError NO_SPACE or IO; what the saving before threw
   */
  async write(bytes: Uint8Array, place: DeltaPlace): Promise<void> {
    this.#file.write(bytes);
    this.#written = place;
    const every = this.#checkpoints.everyBytes ?? CHECKPOINT_EVERY_BYTES;
    if (place.targetBytes - this.#saved.targetBytes < every) return;
    await this.#saving.end();
    this.#beginSaving();
  }

  /** Saves all that is written. @throws UpdateRepositoryError NO_SPACE or IO; what the saving throws */
  async save(): Promise<void> {
    if (this.#saved !== this.#written) this.#beginSaving();
    await this.#saving.end();
  }

  /** Makes all bytes durable. @throws UpdateRepositoryError NO_SPACE or IO; what the saving before threw */
  async complete(): Promise<void> {
    await this.#saving.end();
    await failingAs('write it', this.#path, this.#handle.sync());
  }

  async close(): Promise<void> {
    await this.#saving.rest();
    this.#file.close();
    await this.#handle.close();
  }

  #beginSaving(): void {
    const place = this.#written;
    this.#saved = place;
    this.#saving.send(async () => {
      await failingAs('write it', this.#path, this.#handle.datasync());
      await this.#checkpoints.save(place);
    });
  }
}

async function failingAs<T>(doing: string, path: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw fromSystemError(error, doing, path);
  }
}

function tooShort(path: string, expected: number, found: number): UpdateRepositoryError {
  const message = `${path}: expected at least the ${expected} bytes of its checkpoint, found ${found}`;
  return new UpdateRepositoryError('FORMAT', message, {
    data: { path, expected, found },
    hint: 'it has to be made from the start',
  });
}
