import { createHash } from 'node:crypto';
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { fromSystemError, UpdateRepositoryError } from '../errors.js';
import { type FileIdentity, identityOf, isUntouched } from './file-identity.js';
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

const CHUNK_BYTES = 1 << 20;

/**
 * Reads a file once and yields all its digests. Synchronous: it belongs in a worker. Memory: one chunk of 1 MiB and
 * its bit-reversed copy.
 *
 * @throws UpdateRepositoryError CHANGED_WHILE_READ when the file was written meanwhile; NOT_FOUND or IO when it cannot be
 *   read.
 */
export function digestFile(path: string, onProgress: (doneBytes: number) => void = () => undefined): DigestedFile {
  let file: number | undefined;
  try {
    file = openSync(path, 'r');
    const before = identityOf(fstatSync(file, { bigint: true }));
    const digests = digestDescriptor(file, before.sizeBytes, onProgress);
    checkUntouched(path, before, identityOf(fstatSync(file, { bigint: true })));
    return { identity: before, digests };
  } catch (error) {
    throw fromSystemError(error, 'read it', path);
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

/** Fails when a file is not what it was: the digests or the delta made of it describe no state that it ever had. */
export function checkUntouched(path: string, before: FileIdentity, after: FileIdentity): void {
  if (isUntouched(before, after)) return;
  throw new UpdateRepositoryError(
    'CHANGED_WHILE_READ',
    `${path}: changed while it was read: ${describe(before)} before, ${describe(after)} after`,
    { data: { path }, hint: 'wait until the image is complete, then run it again' },
  );
}

/** Reads no more than `sizeBytes`: a file that grows as fast as it is read would never end. */
function digestDescriptor(file: number, sizeBytes: number, onProgress: (doneBytes: number) => void): RawDigests {
  const cksum = new PosixCksum();
  const sha256 = createHash('sha256');
  const sha512 = createHash('sha512');
  const buffer = new Uint8Array(CHUNK_BYTES);
  for (let position = 0; position < sizeBytes; ) {
    const length = readSync(file, buffer, 0, Math.min(CHUNK_BYTES, sizeBytes - position), position);
    if (length === 0) break;
    const chunk = buffer.subarray(0, length);
    cksum.update(chunk);
    sha256.update(chunk);
    sha512.update(chunk);
    position += length;
    onProgress(position);
  }
  return { cksum: cksum.digest(), sha256: sha256.digest('hex'), sha512: sha512.digest('hex') };
}

function describe(identity: FileIdentity): string {
  return `${identity.sizeBytes} bytes written at ${new Date(Number(BigInt(identity.mtimeNs) / 1_000_000n)).toISOString()}`;
}
