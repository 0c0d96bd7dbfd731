import { readdir, rm } from 'node:fs/promises';
import { fromSystemError, hasCode, isSystemError } from '../../errors.js';
import { readTextFile, syncDirectory } from '../../io/atomic-file.js';
import type { SeriesMeta } from '../../metadata/meta.js';
import { findNameFault } from '../../metadata/safe-name.js';
import type { Device } from './device.js';
import { type PartialRecord, type PatchRecord, parsePartialRecord } from './partial-record.js';
import { stateOf } from './plain-file.js';

/** What an earlier run has left of a file. */
export interface Partial {
  readonly record: PartialRecord;
  /** How many bytes are of use: those that are there, or that the checkpoint counts. */
  readonly bytes: number;
}

/** The partial files of a device by the name of the file that they are to become. */
export type Partials = ReadonlyMap<string, Partial>;

/** What of the partial files is of use with a series. */
export interface UsefulPartials {
  /** Valid bytes on the disk of images, deltas and compressed deltas, by file name. */
  readonly bytes: ReadonlyMap<string, number>;
  /** Images that are being made from deltas, by file name. */
  readonly patches: ReadonlyMap<string, PatchRecord>;
}

/**
 * What earlier runs have left. Files without a record that can be read, records without a file, and files that have
 * more or fewer bytes than their record allows, are passed over, as is all that is no plain file.
 *
 * @throws UpdateRepositoryError IO
 */
export async function partials({ place }: Device): Promise<Partials> {
  const found = new Map<string, Partial>();
  for (const fileName of await listPartials(place.partialDir)) {
    if (findNameFault(fileName) !== null || (await stateOf(place.partialRecordPath(fileName))) === null) continue;
    const record = await readRecord(place.partialRecordPath(fileName));
    const state = await stateOf(place.partialPath(fileName));
    const bytes = record === null || state === null ? null : usefulBytes(record, state.sizeBytes);
    if (record !== null && bytes !== null) found.set(fileName, { record, bytes });
  }
  return found;
}

/** Those that still are what `meta` lists under their name. */
export function partialsOf(found: Partials, meta: SeriesMeta): UsefulPartials {
  const bytes = new Map<string, number>();
  const patches = new Map<string, PatchRecord>();
  const deltas = meta.images.flatMap(({ diffs }) => diffs);
  const deltaSums = new Set<string>(deltas.map(({ sha256 }) => sha256));
  const compressed = deltas.flatMap(({ zst }) => (zst === undefined ? [] : [zst]));
  for (const { filename, sha256, size } of [...meta.images, ...deltas, ...compressed]) {
    const partial = found.get(filename);
    if (partial === undefined) continue;
    const { record } = partial;
    if (record.kind === 'download') {
      if (record.sha256 === sha256 && record.sizeBytes === size) bytes.set(filename, partial.bytes);
    } else if (record.targetSha256 === sha256 && partial.bytes <= size && deltaSums.has(record.deltaSha256)) {
      patches.set(filename, record);
    }
  }
  return { bytes, patches };
}

/** How many bytes earlier runs have left, but for the files that are to become those in `keep`, with their records. */
export async function bytesOfPartials({ place }: Device, keep: ReadonlySet<string>): Promise<number> {
  let bytes = 0;
  for (const name of await listPartials(place.partialDir)) {
    if (!isSpared(name, keep)) bytes += (await stateOf(place.partialPath(name)))?.sizeBytes ?? 0;
  }
  return bytes;
}

/** Removes what earlier runs have left, but for the files that are to become those in `keep`, with their records. */
export async function discardPartials({ place, onEvent }: Device, keep: ReadonlySet<string>): Promise<void> {
  let removed = false;
  for (const name of await listPartials(place.partialDir)) {
    if (isSpared(name, keep)) continue;
    const path = place.partialPath(name);
    const sizeBytes = (await stateOf(path))?.sizeBytes ?? 0;
    try {
      await rm(path, { recursive: true, force: true });
    } catch (error) {
      throw fromSystemError(error, 'remove it', path);
    }
    removed = true;
    onEvent({ type: 'file-removed', path, sizeBytes });
  }
  if (removed) await syncDirectory(place.partialDir);
}

function isSpared(name: string, keep: ReadonlySet<string>): boolean {
  return keep.has(name) || (name.endsWith('.json') && keep.has(name.slice(0, -'.json'.length)));
}

/** A device that was only ever looked at has no such directory. */
async function listPartials(dir: string): Promise<string[]> {
  try {
    return (await readdir(dir)).sort();
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return [];
    throw fromSystemError(error, 'list it', dir);
  }
}

function usefulBytes(record: PartialRecord, sizeBytes: number): number | null {
  if (record.kind === 'download') return sizeBytes <= record.sizeBytes ? sizeBytes : null;
  return record.checkpoint.targetBytes <= sizeBytes ? record.checkpoint.targetBytes : null;
}

/** A server's validators are short; a record is far below this. */
const MAX_RECORD_BYTES = 1 << 20;

async function readRecord(path: string): Promise<PartialRecord | null> {
  try {
    const text = await readTextFile(path, MAX_RECORD_BYTES);
    return text === null ? null : parsePartialRecord(text, path);
  } catch (error) {
    if (hasCode(error, 'FORMAT')) return null;
    throw error;
  }
}
