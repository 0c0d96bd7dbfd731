import { open } from 'node:fs/promises';
import type { IncomingDelta } from '../../delta/apply-as-it-comes.js';
import { fromSystemError, UpdateRepositoryError } from '../../errors.js';
import { PUBLIC_FILE_MODE, syncDirectory } from '../../io/atomic-file.js';
import type { Device } from '../device/device.js';
import { type DeltaHop, fileNameOf, fileOf, type Hop } from '../hop.js';
import type { HopFiles } from '../hop-files.js';
import { performJob } from '../job.js';
import { forgetPartial } from '../patch-state.js';
import { filePieces } from './file-pieces.js';
import type { BundleManifest } from './manifest.js';
import { type BundleMember, type OpenBundle, openBundle } from './read-bundle.js';

/**
 * The files of a path from a bundle, which is read once from its start to its end. Files that are not asked for are compared
 * and passed over. What is in `partial/` of a file that is fetched gives way to it. Memory: some MiB beside the manifest.
 */
export class BundleFiles implements HopFiles, AsyncDisposable {
  readonly #path: string;
  readonly #device: Device;
  readonly #bundle: OpenBundle;
  readonly #members: AsyncIterator<BundleMember>;

  private constructor(path: string, device: Device, bundle: OpenBundle) {
    this.#path = path;
    this.#device = device;
    this.#bundle = bundle;
    this.#members = bundle.files[Symbol.asyncIterator]();
  }

  /** Reads the manifest and the metadata of the bundle at `path`. @throws UpdateRepositoryError FORMAT, VERIFICATION, NOT_FOUND, IO */
  static async open(path: string, device: Device): Promise<BundleFiles> {
    return new BundleFiles(path, device, await openBundle(filePieces(path), path));
  }

  get manifest(): BundleManifest {
    return this.#bundle.manifest;
  }

  get metadata(): ReadonlyMap<string, string> {
    return this.#bundle.metadata;
  }

  async fetch(hop: Hop, onBytes?: (doneBytes: number) => void): Promise<string> {
    const { filename, size } = fileOf(hop);
    const path = this.#device.place.partialPath(filename);
    const member = await this.#member(hop);
    await forgetPartial(this.#device, filename);
    const job = { kind: 'download', path: filename, totalBytes: size } as const;
    return await performJob(this.#device, job, async (onProgress) => {
      try {
        await this.#copy(member, path, (doneBytes) => {
          onBytes?.(doneBytes);
          onProgress(doneBytes);
        });
      } catch (error) {
        await forgetPartial(this.#device, filename);
        throw error;
      }
      return { result: path, sizeBytes: size, detail: 'from the bundle' };
    });
  }

  stream(hop: DeltaHop): IncomingDelta {
    const name = `${this.#path}: ${fileNameOf(hop)}`;
    return { name, bytesFrom: (position) => this.#bytes(hop, position) };
  }

  /** Compares all that was not asked for. @throws UpdateRepositoryError FORMAT, VERIFICATION, IO */
  async readToEnd(): Promise<void> {
    while ((await this.#members.next()).done !== true) this.#device.signal.throwIfAborted();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#bundle.close();
  }

  async #member(hop: Hop): Promise<BundleMember> {
    for (;;) {
      const next = await this.#members.next();
      if (next.done === true) {
        throw new UpdateRepositoryError('INTERNAL', `${this.#path}: ${fileNameOf(hop)} was asked for out of order`);
      }
      if (fileNameOf(next.value.hop) === fileNameOf(hop)) return next.value;
    }
  }

  async #copy({ bytes }: BundleMember, path: string, onProgress: (doneBytes: number) => void): Promise<void> {
    const { signal, place } = this.#device;
    try {
      await using file = await open(path, 'wx', PUBLIC_FILE_MODE);
      let doneBytes = 0;
      for await (const piece of bytes) {
        signal.throwIfAborted();
        await file.appendFile(piece);
        doneBytes += piece.length;
        onProgress(doneBytes);
      }
      await file.sync();
      await syncDirectory(place.partialDir);
    } catch (error) {
      throw fromSystemError(error, 'write it', path);
    }
  }

  async *#bytes(hop: DeltaHop, position: number): AsyncIterable<Uint8Array> {
    const { bytes } = await this.#member(hop);
    let left = position;
    for await (const piece of bytes) {
      if (left < piece.length) yield piece.subarray(left);
      left = Math.max(0, left - piece.length);
    }
  }
}
