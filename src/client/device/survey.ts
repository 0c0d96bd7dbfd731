import { join } from 'node:path';
import { hasCode, UpdateRepositoryError } from '../../errors.js';
import type { ImageVersion, SeriesName, Sha256Hex } from '../../metadata/brands.js';
import { parseRdiffName } from '../../metadata/image-name.js';
import type { SeriesMeta } from '../../metadata/meta.js';
import type { LocalImage } from '../local-image.js';
import type { Device } from './device.js';
import { hashFile } from './file-sha256.js';
import { listImageNames } from './image-names.js';
import { type ImageRecord, isAsRecorded, isWhole } from './image-records.js';
import { stateOf } from './plain-file.js';

/** An image of a series, as the mirror tells of it or told of it once. */
export interface PublishedImage {
  readonly series: SeriesName;
  readonly version: ImageVersion;
  readonly filename: string;
  readonly sha256: Sha256Hex;
  /** Bytes; null where only the sha256 is known. */
  readonly size: number | null;
}

/**
 * The whole images of the directory that `meta` lists, or listed when they were last compared, oldest first. Files
 * whose state is the same as then are not read. One with other bytes than the mirror's is told of in a note and left
 * alone.
 *
 * @throws UpdateRepositoryError IO; the reason of an abort
 */
export async function surveyImages(device: Device, meta: SeriesMeta): Promise<readonly LocalImage[]> {
  const published = publishedImages(device, meta);
  const present: LocalImage[] = [];
  for (const fileName of await listImageNames(device.dir)) {
    const image = published.get(fileName);
    const found = image === undefined ? null : await compareImage(device, image);
    if (found !== null) present.push(found);
  }
  return present.sort((a, b) => (a.version < b.version ? -1 : 1));
}

/**
 * Compares one image of the directory with what was published: null when it is not there, no plain file or has other
 * bytes, which a note tells.
 */
export async function compareImage(device: Device, image: PublishedImage): Promise<LocalImage | null> {
  const { dir, records } = device;
  const { filename, series, version, sha256: publishedSha256 } = image;
  const path = join(dir, filename);
  const state = await stateOf(path);
  if (state === null) return null;
  if (image.size !== null && state.sizeBytes !== image.size) {
    return noteWrong(device, filename, `${image.size} bytes`, `${state.sizeBytes} bytes`);
  }
  const known = records.get(filename);
  const isKnown = known !== undefined && isAsRecorded(known, state);
  const read = isKnown ? { sha256: known.sha256, state } : await readImage(device, filename, state.sizeBytes);
  if (read === null) return null;
  const record: ImageRecord = { series, version, publishedSha256, ...read };
  if (!isKnown || known.publishedSha256 !== publishedSha256) await records.change(new Map([[filename, record]]));
  if (!isWhole(record)) return noteWrong(device, filename, `sha256 ${publishedSha256}`, record.sha256);
  return { version, filename, path, sizeBytes: read.state.sizeBytes, sha256: publishedSha256 };
}

/**
 * Makes sure that nothing has happened to an image since it was compared; to be asked right before it is used. Costs a
 * look at the file's state.
 *
 * @throws UpdateRepositoryError VERIFICATION
 */
export async function assertUnchanged({ dir, records }: Device, { filename, sha256 }: LocalImage): Promise<void> {
  const record = records.get(filename);
  const path = join(dir, filename);
  const state = await stateOf(path);
  if (record !== undefined && state !== null && record.sha256 === sha256 && isAsRecorded(record, state)) return;
  throw new UpdateRepositoryError(
    'VERIFICATION',
    `${path}: expected the file that was compared with sha256 ${sha256}, found ${state === null ? 'none' : 'it changed since'}`,
    { data: { path, sha256 }, hint: 'run it again: what is there is compared first' },
  );
}

/** What the mirror lists, and what it listed when the images were compared that are of use with it. */
function publishedImages({ records }: Device, meta: SeriesMeta): ReadonlyMap<string, PublishedImage> {
  const published = new Map<string, PublishedImage>();
  const bases = baseNames(meta);
  for (const [filename, { series, version, publishedSha256 }] of records.entries()) {
    if (series !== meta.series && !bases.has(filename)) continue;
    published.set(filename, { series, version, filename, sha256: publishedSha256, size: null });
  }
  for (const { filename, version, sha256, size } of meta.images) {
    published.set(filename, { series: meta.series, version, filename, sha256, size });
  }
  return published;
}

/** The file names of the images that the deltas of a series start from: some are of another series. */
function baseNames(meta: SeriesMeta): ReadonlySet<string> {
  const names = meta.images.flatMap(({ diffs }) => diffs.map(({ filename }) => parseRdiffName(filename)));
  return new Set(
    names.filter((name) => name !== null).map((name) => imageFileName(name.stem, name.baseStamp, name.arch)),
  );
}

function imageFileName(stem: string, stamp: string, arch: string): string {
  return `${stem}-${stamp}-${arch}.img`;
}

type ReadImage = Pick<ImageRecord, 'sha256' | 'state'>;

/**
 * Reads an image, as a job that is told of; null for one that cannot be read or is being written, which a note tells.
 */
async function readImage(device: Device, filename: string, totalBytes: number): Promise<ReadImage | null> {
  const { dir, onEvent, signal } = device;
  const job = device.nextJob();
  const started = performance.now();
  onEvent({ type: 'job-started', job, kind: 'digest', path: filename, totalBytes });
  try {
    const read = await hashFile(join(dir, filename), {
      signal,
      onProgress: (doneBytes) => onEvent({ type: 'job-progress', job, doneBytes }),
    });
    const durationMs = Math.round(performance.now() - started);
    const end = { kind: 'digest', path: filename, sizeBytes: read.state.sizeBytes, detail: 'sha256' } as const;
    onEvent({ type: 'job-finished', job, ...end, durationMs });
    return read;
  } catch (error) {
    if (!(error instanceof UpdateRepositoryError) || signal.aborted) throw error;
    onEvent({ type: 'job-failed', job, kind: 'digest', path: filename, error: error.toJSON(), fatal: false });
    if (hasCode(error, 'INTERRUPTED')) throw error;
    return null;
  }
}

function noteWrong({ onEvent }: Device, filename: string, expected: string, found: string): null {
  onEvent({
    type: 'note',
    level: 'warning',
    subject: filename,
    message: `expected ${expected}, as published, found ${found}: not used`,
  });
  return null;
}
