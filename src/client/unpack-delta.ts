import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { SourceFile } from '../delta/source-file.js';
import { fromSystemError, hasCode, UpdateRepositoryError } from '../errors.js';
import { PUBLIC_FILE_MODE, syncDirectory, writeFileAtomic } from '../io/atomic-file.js';
import type { MetaDiff, MetaZst } from '../metadata/meta.js';
import { unpackZstdFile } from '../squashfs/zstd/frames.js';
import type { Device } from './device/device.js';
import { renderDownloadState } from './download/download-state.js';
import { performJob } from './job.js';
import { forgetPartial } from './patch-state.js';

/**
 * Unpacks a compressed delta that is whole in `partial/` to the delta beside it, and removes it when the delta is on the disk and
 * of the right sha256. What is there of the delta is written over, and counts as the beginning of a download meanwhile: a run
 * that is killed leaves one of the two whole. Resolves to the delta's path. Memory: 11 MiB.
 *
 * @throws UpdateRepositoryError FORMAT for frames that are damaged, unpack to more than the delta has, or need more memory,
 * VERIFICATION for another delta: both files are gone then; NO_SPACE, IO, INTERRUPTED
 */
export async function unpackDelta(
  device: Device,
  { delta, zst }: { readonly delta: MetaDiff; readonly zst: MetaZst },
): Promise<string> {
  const { place } = device;
  const path = place.partialPath(delta.filename);
  await forgetPartial(device, delta.filename);
  const state = renderDownloadState({ sha256: delta.sha256, sizeBytes: delta.size, sources: new Map() });
  await writeFileAtomic(place.partialRecordPath(delta.filename), state, place.temporaryPath('unpacked'));
  const job = { kind: 'unpack', path: delta.filename, totalBytes: delta.size } as const;
  return await performJob(device, job, async (onProgress) => {
    try {
      await unpack(place.partialPath(zst.filename), { path, delta, zst }, { signal: device.signal, onProgress });
    } catch (error) {
      if (hasCode(error, 'FORMAT') || hasCode(error, 'VERIFICATION')) {
        await forgetPartial(device, delta.filename);
        await forgetPartial(device, zst.filename);
      }
      throw error;
    }
    await syncDirectory(place.partialDir);
    await forgetPartial(device, zst.filename);
    return { result: path, sizeBytes: delta.size, detail: `from ${zst.size} bytes` };
  });
}

interface Unpacking {
  readonly path: string;
  readonly delta: MetaDiff;
  readonly zst: MetaZst;
}

async function unpack(
  zstPath: string,
  { path, delta, zst }: Unpacking,
  { signal, onProgress }: { readonly signal: AbortSignal; readonly onProgress: (doneBytes: number) => void },
): Promise<void> {
  const hash = createHash('sha256');
  const source = new SourceFile(zstPath);
  try {
    await using file = await open(path, 'wx', PUBLIC_FILE_MODE);
    let doneBytes = 0;
    for (const piece of unpackZstdFile(source, zst.filename, delta.size)) {
      if (signal.aborted) throw new UpdateRepositoryError('INTERRUPTED', 'interrupted', { cause: signal.reason });
      hash.update(piece);
      await file.appendFile(piece);
      doneBytes += piece.length;
      onProgress(doneBytes);
    }
    checkDigest(zst, delta.sha256, hash.digest('hex'));
    await file.sync();
  } catch (error) {
    throw fromSystemError(error, 'write it', path);
  } finally {
    source.close();
  }
}

function checkDigest({ filename }: MetaZst, expected: string, found: string): void {
  if (found === expected) return;
  const message = `${filename}: unpacked, expected sha256 ${expected}, found ${found}`;
  throw new UpdateRepositoryError('VERIFICATION', message, { data: { filename, expected, found } });
}
