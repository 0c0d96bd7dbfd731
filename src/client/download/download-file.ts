import { hasCode, UpdateRepositoryError } from '../../errors.js';
import type { EventSink } from '../../events.js';
import { GrowingDigest } from './growing-digest.js';
import type { Mirrors } from './mirrors.js';
import { PartialFile, removePartial } from './partial-file.js';
import type { RemoteFile } from './remote-file.js';
import { type Suppliers, unlessMirrorsFailed, whomToAvoid } from './wrong-bytes.js';

/** How often a file is begun anew that changes on the server while it is fetched. */
const MAX_CHANGES = 2;

export interface DownloadOptions {
  /** Where the file is made; see {@link PartialFile}. */
  readonly directory: string;
  readonly signal: AbortSignal;
  readonly onEvent: EventSink;
  /** Bytes of the file that are on disk. */
  readonly onProgress?: (doneBytes: number) => void;
}

/** A file that is complete, on the disk, and has the right sha256. */
export interface Downloaded {
  readonly path: string;
  /** Bytes that were there from an earlier run and did not come again. */
  readonly keptBytes: number;
}

/**
 * Fetches a file into `directory`, from where an earlier run got to. A file with a wrong sha256 is dropped, and fetched once
 * more from the mirrors that it did not come from, or from those that most of it did not come from; where there is but one, only
 * if not all of it was fetched by this run.
 * Memory: 1 MiB and some pieces of 64 KiB.
 *
 * @throws UpdateRepositoryError VERIFICATION for wrong bytes, which are gone then; NO_SPACE, IO, INTERRUPTED and all that
 * {@link Mirrors.bytes} throws leave what is there for the next run
 */
export async function downloadFile(mirrors: Mirrors, file: RemoteFile, options: DownloadOptions): Promise<Downloaded> {
  const first = await downloadUnchanged(mirrors, file, options, new Set());
  if (first.isRight) return first;
  await discard(mirrors, file, options, first);
  const wrong = wrongBytes(file, first);
  const avoid = whomToAvoid(mirrors, file, first);
  if (avoid.size === 0 && first.keptBytes === 0) throw wrong;
  tell(options, file, `${wrong.message}; fetching it again${avoid.size > 0 ? ' from another mirror' : ''}`);
  const second = await again(mirrors, file, options, avoid, wrong);
  if (second.isRight) return second;
  await discard(mirrors, file, options, second);
  throw wrongBytes(file, second);
}

/** A whole file, whatever its bytes. */
interface Whole extends Downloaded, Suppliers {
  readonly isRight: boolean;
  readonly sha256: string;
}

async function again(
  mirrors: Mirrors,
  file: RemoteFile,
  options: DownloadOptions,
  avoid: ReadonlySet<string>,
  wrong: UpdateRepositoryError,
): Promise<Whole> {
  try {
    return await downloadUnchanged(mirrors, file, options, avoid);
  } catch (error) {
    throw unlessMirrorsFailed(wrong, error);
  }
}

async function downloadUnchanged(
  mirrors: Mirrors,
  file: RemoteFile,
  options: DownloadOptions,
  avoid: ReadonlySet<string>,
): Promise<Whole> {
  for (let changes = 0; ; changes += 1) {
    try {
      return await download(mirrors, file, options, avoid);
    } catch (error) {
      if (!hasCode(error, 'CHANGED_WHILE_READ') || changes === MAX_CHANGES) throw error;
      tell(options, file, `${error.message}; fetching it from the start`);
      await removePartial(options.directory, file);
    }
  }
}

async function download(
  mirrors: Mirrors,
  file: RemoteFile,
  { directory, signal, onProgress }: DownloadOptions,
  avoid: ReadonlySet<string>,
): Promise<Whole> {
  await using part = await PartialFile.open(directory, file);
  const keptBytes = part.sizeBytes;
  await using digest = new GrowingDigest(part.handle, part.path, keptBytes);
  onProgress?.(keptBytes);
  const listener = { signal, onSource: part.from.bind(part) };
  for await (const piece of mirrors.bytes({ ...file, validators: part.sources }, keptBytes, listener, avoid)) {
    await part.append(piece);
    digest.grewBy(piece);
    onProgress?.(part.sizeBytes);
  }
  const sha256 = await digest.hex(signal);
  const isRight = sha256 === file.sha256;
  if (isRight) await part.sync();
  const { path, mainSource } = part;
  return { path, keptBytes, isRight, sha256, sources: new Set(part.sources.keys()), mainSource };
}

async function discard(mirrors: Mirrors, file: RemoteFile, { directory }: DownloadOptions, whole: Whole) {
  mirrors.blame(whole.sources, file);
  await removePartial(directory, file);
}

function tell({ onEvent }: DownloadOptions, { path }: RemoteFile, message: string): void {
  onEvent({ type: 'note', level: 'warning', subject: path, message });
}

function wrongBytes({ path, sha256 }: RemoteFile, { sha256: found, sources }: Whole): UpdateRepositoryError {
  const from = [...sources];
  const message = `${path}: expected sha256 ${sha256}, found ${found}, from ${from.join(' and ')}`;
  return new UpdateRepositoryError('VERIFICATION', message, { data: { path, expected: sha256, found, sources: from } });
}
