import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fromSystemError, isSystemError, UpdateRepositoryError } from '../errors.js';
import { type FileIdentity, identityOf } from '../io/file-identity.js';
import { rdiffPath, zstFileName } from '../metadata/mirror-paths.js';
import type { BuildRequest, WantedImage } from './build-request.js';
import type { WantedDelta } from './delta-policy.js';
import { type DiskIndexes, publishedImages, readDiskIndexes } from './disk-indexes.js';
import type { DeltaRecord, ImageRecord, MirrorSettings } from './records.js';
import type { MirrorState } from './state.js';

/** What there is of what is wanted. */
export interface Survey {
  readonly settings: MirrorSettings;
  readonly indexes: DiskIndexes;
  /** Whether a build was killed while it rewrote the indexes. */
  readonly interrupted: boolean;
  /** By file name. */
  readonly images: ReadonlyMap<string, ImageStatus>;
  /** By file name. */
  readonly deltas: ReadonlyMap<string, DeltaStatus>;
}

export interface ImageStatus extends WantedImage {
  /** The file in the mirror under the image's name. */
  readonly inMirror: FileIdentity | null;
  readonly record: ImageRecord | null;
  /** The sha256 under which the name was published, by the mirror's meta or by what is remembered. */
  readonly publishedSha256: string | null;
}

export interface DeltaStatus extends WantedDelta {
  readonly inMirror: FileIdentity | null;
  readonly compressedInMirror: FileIdentity | null;
  readonly record: DeltaRecord | null;
}

/** Looks at the mirror with stat and reads its indexes and records; reads no image and no delta. */
export async function surveyMirror(mirrorDir: string, state: MirrorState, request: BuildRequest): Promise<Survey> {
  const indexes = await readDiskIndexes(mirrorDir);
  const published = publishedImages(indexes.metas);
  const images = new Map<string, ImageStatus>();
  for (const [fileName, wanted] of request.images) {
    const record = await state.readImage(fileName);
    const inMirror = wanted.publish ? await identify(join(mirrorDir, fileName)) : null;
    const remembered = record?.published == null ? null : record.digests.sha256;
    const publishedSha256 = published.get(fileName)?.sha256 ?? remembered;
    images.set(fileName, { ...wanted, inMirror, record, publishedSha256 });
  }
  return {
    settings: await state.readSettings(),
    indexes,
    interrupted: (await identify(state.publishingPath)) !== null,
    images,
    deltas: await surveyDeltas(mirrorDir, state, request),
  };
}

/** The deltas alone: replaced images take theirs away. */
export async function surveyDeltas(
  mirrorDir: string,
  state: MirrorState,
  request: BuildRequest,
): Promise<ReadonlyMap<string, DeltaStatus>> {
  const deltas = new Map<string, DeltaStatus>();
  for (const wanted of [...request.deltas.values()].flat()) {
    const { fileName } = wanted;
    const inMirror = await identify(join(mirrorDir, rdiffPath(fileName)));
    const compressedInMirror = await identify(join(mirrorDir, rdiffPath(zstFileName(fileName))));
    deltas.set(fileName, { ...wanted, inMirror, compressedInMirror, record: await state.readDelta(fileName) });
  }
  return deltas;
}

/** The state of a file; null when there is none. */
export async function identify(path: string): Promise<FileIdentity | null> {
  try {
    return identityOf(await stat(path, { bigint: true }));
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return null;
    throw fromSystemError(error, 'look at it', path);
  }
}

/** The state of a file that must be there. */
export async function identifyExisting(path: string): Promise<FileIdentity> {
  const identity = await identify(path);
  if (identity === null)
    throw new UpdateRepositoryError('CHANGED_WHILE_READ', `${path}: vanished while it was worked on`);
  return identity;
}
