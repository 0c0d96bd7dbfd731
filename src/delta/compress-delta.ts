import { setImmediate } from 'node:timers/promises';
import { UpdateRepositoryError } from '../errors.js';
import { readBuffer } from '../io/page-aligned.js';
import { type DeltaHooks, reportProgress } from './hooks.js';
import { OutputFile } from './output-file.js';
import type { DeltaEffort } from './parameters.js';
import { SourceFile } from './source-file.js';
import { FRAME_CONTENT_BYTES, frameParts } from './zst-frame.js';

export interface CompressDeltaRequest {
  readonly deltaPath: string;
  /** Where the packed delta goes; nothing may be there. */
  readonly zstPath: string;
  readonly effort: DeltaEffort;
  /** A packed delta that grows past it is given up with DELTA_TOO_LARGE. */
  readonly maxZstBytes?: number;
}

export interface CompressedDelta {
  readonly deltaBytes: number;
  readonly zstBytes: number;
}

/**
 * zstd's levels. Fast deltas are of images that are compressed already, and only tried; level 19 takes twenty times as
 * long as 9 and saves 18 % more (docs/decisions/delta-zst.md).
 */
const LEVELS: Record<DeltaEffort, number> = { fast: 3, normal: 9, max: 19 };

/**
 * Packs a delta, or any file, for `zstd -d`: see zst-frame.ts for the form. The bytes depend on the file, the effort and
 * the version of the zstd library alone. Progress counts bytes of the delta. Blocks for up to a few seconds at a time: it
 * is meant for a worker thread. Memory: 8 MiB of the delta, the same packed, and the library's 10, 30 or 100 MB for the
 * three efforts. Leaves no file behind when it fails.
 *
 * @throws UpdateRepositoryError DELTA_TOO_LARGE, CONFIG (no zstd library for this machine), CHANGED_WHILE_READ,
 * INTERRUPTED, NOT_FOUND, NO_SPACE, IO
 */
export async function compressDelta(request: CompressDeltaRequest, hooks: DeltaHooks = {}): Promise<CompressedDelta> {
  const pack = await loadPacker(LEVELS[request.effort]);
  const delta = new SourceFile(request.deltaPath);
  try {
    return await writeZstFile(delta, pack, request, hooks);
  } finally {
    delta.close();
  }
}

type Packer = (content: Buffer) => Uint8Array;

/** The library is loaded when it is needed: it has a binary for the commonest machines only. */
async function loadPacker(level: number): Promise<Packer> {
  try {
    const { Encoder } = await import('@toondepauw/node-zstd');
    const encoder = new Encoder(level);
    return (content) => encoder.encodeSync(content);
  } catch (error) {
    throw new UpdateRepositoryError(
      'CONFIG',
      `zstd: the library cannot be loaded on ${process.platform} ${process.arch}`,
      {
        hint: 'make the deltas without compressing them, or install the package without leaving out optional dependencies',
        cause: error,
      },
    );
  }
}

async function writeZstFile(
  delta: SourceFile,
  pack: Packer,
  { zstPath, maxZstBytes = Number.POSITIVE_INFINITY }: CompressDeltaRequest,
  hooks: DeltaHooks,
): Promise<CompressedDelta> {
  const output = new OutputFile(zstPath);
  try {
    let zstBytes = 0;
    for await (const part of packedParts(delta, pack, hooks)) {
      zstBytes += part.length;
      if (zstBytes > maxZstBytes) throw tooLarge(delta.path, maxZstBytes);
      output.write(part);
    }
    delta.assertUnchanged();
    output.complete();
    return { deltaBytes: delta.sizeBytes, zstBytes };
  } catch (error) {
    output.discard();
    throw error;
  }
}

async function* packedParts(delta: SourceFile, pack: Packer, hooks: DeltaHooks): AsyncGenerator<Uint8Array> {
  const buffer = readBuffer(Math.min(FRAME_CONTENT_BYTES, delta.sizeBytes));
  let done = 0;
  do {
    const content = buffer.subarray(0, Math.min(buffer.length, delta.sizeBytes - done));
    delta.read(content, 0, content.length, done);
    yield* frameParts(content, pack(content));
    done += content.length;
    reportProgress(done, delta.path, hooks);
    // What the library packed into is given back by the event loop only.
    await setImmediate();
  } while (done < delta.sizeBytes);
}

function tooLarge(path: string, maxBytes: number): UpdateRepositoryError {
  return new UpdateRepositoryError(
    'DELTA_TOO_LARGE',
    `${path}: expected at most ${maxBytes} bytes packed, found more`,
    {
      data: { path, maxBytes },
    },
  );
}
