import { type BigIntStats, statSync } from 'node:fs';
import { fromSystemError } from '../errors.js';

/**
 * What tells one state of a file from another without reading it. Nanoseconds, inode and device are decimal strings:
 * they pass 2^53 on real file systems.
 */
export interface FileIdentity {
  readonly sizeBytes: number;
  readonly mtimeNs: string;
  readonly ctimeNs: string;
  readonly inode: string;
  readonly device: string;
}

export function identityOf(stats: BigIntStats): FileIdentity {
  return {
    sizeBytes: Number(stats.size),
    mtimeNs: String(stats.mtimeNs),
    ctimeNs: String(stats.ctimeNs),
    inode: String(stats.ino),
    device: String(stats.dev),
  };
}

/** The state of the file at `path`, links followed. Synchronous: it belongs in a worker. Throws NOT_FOUND or IO. */
export function identityOfPath(path: string): FileIdentity {
  try {
    return identityOf(statSync(path, { bigint: true }));
  } catch (error) {
    throw fromSystemError(error, 'look at it', path);
  }
}

/** Whether nothing at all has happened to the file: what was learnt from its bytes still holds. */
export function isUntouched(before: FileIdentity, now: FileIdentity): boolean {
  return before.ctimeNs === now.ctimeNs && isUnwritten(before, now);
}

/**
 * Whether the file has the same inode, size and mtime. Its ctime may differ: link, rename and chmod change it and
 * leave the bytes alone.
 */
export function isUnwritten(before: FileIdentity, now: FileIdentity): boolean {
  return before.sizeBytes === now.sizeBytes && before.mtimeNs === now.mtimeNs && isSameInode(before, now);
}

export function isSameInode(a: FileIdentity, b: FileIdentity): boolean {
  return a.inode === b.inode && a.device === b.device;
}

/** Reads back a {@link FileIdentity} from JSON; null when it is none. */
export function parseFileIdentity(value: unknown): FileIdentity | null {
  if (typeof value !== 'object' || value === null) return null;
  const { sizeBytes, mtimeNs, ctimeNs, inode, device } = value as Partial<Record<keyof FileIdentity, unknown>>;
  if (typeof sizeBytes !== 'number' || !Number.isSafeInteger(sizeBytes)) return null;
  if (typeof mtimeNs !== 'string' || typeof ctimeNs !== 'string') return null;
  if (typeof inode !== 'string' || typeof device !== 'string') return null;
  return { sizeBytes, mtimeNs, ctimeNs, inode, device };
}
