import { createHash } from 'node:crypto';
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { fromSystemError, UpdateRepositoryError } from '../errors.js';
import { type FileIdentity, identityOf, isUntouched, isUnwritten } from './file-identity.js';
import { PosixCksum } from './posix-cksum.js';

/** The three checksums of a mirror's files: decimal POSIX cksum, lower-case hex sha256 and sha512. */
export interface RawDigests {
  readonly cksum: string;
  readonly sha256: string;
  readonly sha512: string;
}

export interface DigestedFile {
  /** The file as it was before and after it was read. */
  readonly identity: FileIdentity;
  readonly digests: RawDigests;
}

/**
 * Reads a file once and yields all its digests. Synchronous: it belongs in a worker. Memory: one chunk of 256 KiB
 * a thread, and some KiB.
 *
 * @throws UpdateRepositoryError CHANGED_WHILE_READ when the file was written meanwhile; NOT_FOUND or IO when it cannot be
 *   read.
 */
export function digestFile(path: string, onProgress: (doneBytes: number) => void = () => undefined): DigestedFile {
  let file: number | undefined;
  try {
    file = openSync(path, 'r');
    return digestUntouched(path, file, onProgress);
  } catch (error) {
    throw fromSystemError(error, 'read it', path);
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

/**
 * A ctime that moves alone tells of a link or a mode, or of a write whose mtime was set back: a second reading tells
 * which.
 */
function digestUntouched(path: string, file: number, onProgress: (doneBytes: number) => void): DigestedFile {
  let earlier: RawDigests | null = null;
  for (;;) {
    const before = identityOf(fstatSync(file, { bigint: true }));
    const digests = digestDescriptor(file, before.sizeBytes, onProgress);
    const after = identityOf(fstatSync(file, { bigint: true }));
    checkUnwritten(path, before, after);
    if (isUntouched(before, after) || earlier?.sha512 === digests.sha512) return { identity: after, digests };
    if (earlier !== null) throw changedWhileRead(path, before, after);
    earlier = digests;
  }
}

/** Fails when a file was written: the digests or the delta made of it describe no state that it ever had. */
export function checkUnwritten(path: string, before: FileIdentity, after: FileIdentity): void {
  if (!isUnwritten(before, after)) throw changedWhileRead(path, before, after);
}

function changedWhileRead(path: string, before: FileIdentity, after: FileIdentity): UpdateRepositoryError {
  return new UpdateRepositoryError(
    'CHANGED_WHILE_READ',
    `${path}: changed while it was read: ${describe(before)} before, ${describe(after)} after`,
    { data: { path }, hint: 'wait until the image is complete, then run it again' },
  );
}

/** Reads no more than `sizeBytes`: a file that grows as fast as it is read would never end. */
function digestDescriptor(file: number, sizeBytes: number, onProgress: (doneBytes: number) => void): RawDigests {
  const cksum = new PosixCksum();
  const { room } = cksum;
  const sha256 = createHash('sha256');
  const sha512 = createHash('sha512');
  for (let position = 0; position < sizeBytes; ) {
    const length = readSync(file, room, 0, Math.min(room.length, sizeBytes - position), position);
    if (length === 0) break;
    const chunk = room.subarray(0, length);
    sha256.update(chunk);
    sha512.update(chunk);
    // The last, because it leaves other bytes in the room.
    cksum.take(length);
    position += length;
    onProgress(position);
  }
  return { cksum: cksum.digest(), sha256: sha256.digest('hex'), sha512: sha512.digest('hex') };
}

function describe(identity: FileIdentity): string {
  return `${identity.sizeBytes} bytes written at ${new Date(Number(BigInt(identity.mtimeNs) / 1_000_000n)).toISOString()}`;
}
