import type { CompressedOutcome, DeltaRecord, ImageRecord } from '../../../src/images/records.js';
import type { DeltaStatus, ImageStatus } from '../../../src/images/survey.js';
import type { FileIdentity } from '../../../src/io/file-identity.js';
import { parseSha256Hex, parseSha512Hex } from '../../../src/metadata/brands.js';
import type { Digests } from '../../../src/metadata/digests.js';
import { type ImageName, rdiffFileName } from '../../../src/metadata/image-name.js';

/** The state of a file, told by its inode and by how often something happened to it. */
export function identity(inode: number, changes: Partial<FileIdentity> = {}): FileIdentity {
  return { sizeBytes: 1000, mtimeNs: '1', ctimeNs: '1', inode: String(inode), device: '7', ...changes };
}

/** Digests that are told apart by one hexadecimal digit. */
export function digests(digit: string): Digests {
  const sha256 = parseSha256Hex(digit.repeat(64), 'test');
  return { cksum: String(digit.charCodeAt(0)), sha256, sha512: parseSha512Hex(digit.repeat(128), 'test') };
}

/** An image that was read, is served as a hard link and has not been touched since, with what a test changes of it. */
export function publishedImage(name: ImageName, digit: string, changes: Partial<ImageStatus> = {}): ImageStatus {
  const file = { name, path: `/images/${name.fileName}`, identity: identity(1), mode: 0o644 };
  const record = imageRecord(digit);
  return { name, file, publish: true, inMirror: identity(1), record, publishedSha256: null, ...changes };
}

export function imageRecord(digit: string, changes: Partial<ImageRecord> = {}): ImageRecord {
  const known = { source: identity(1), published: identity(1), digests: digests(digit) };
  return { ...known, kind: 'raw', innerName: null, puavoConf: {}, ...changes };
}

/** A delta that was made between the bytes of two digits, is served and has not been touched since. */
export function publishedDelta(
  base: ImageName,
  target: ImageName,
  record: DeltaRecord,
  changes: Partial<DeltaStatus> = {},
): DeltaStatus {
  return {
    base,
    target,
    fileName: rdiffFileName(base, target),
    inMirror: identity(2),
    compressedInMirror: null,
    record,
    ...changes,
  };
}

export function deltaRecord(baseDigit: string, targetDigit: string, sizeBytes = 100): DeltaRecord {
  return {
    baseSha256: digests(baseDigit).sha256,
    targetSha256: digests(targetDigit).sha256,
    outcome: { kind: 'published', published: identity(2, { sizeBytes }), digests: digests('d') },
    compressed: null,
  };
}

/** A delta that was made and compressed, or what else came of it. */
export function compressedRecord(
  baseDigit: string,
  targetDigit: string,
  outcome: CompressedOutcome = { kind: 'published', published: identity(3, { sizeBytes: 50 }), digests: digests('e') },
): DeltaRecord {
  return { ...deltaRecord(baseDigit, targetDigit), compressed: { deltaSha256: digests('d').sha256, outcome } };
}

/** The verdict that a delta between the bytes of two digits was larger than `limitBytes`. */
export function tooLargeRecord(baseDigit: string, targetDigit: string, limitBytes: number): DeltaRecord {
  return { ...deltaRecord(baseDigit, targetDigit), outcome: { kind: 'too-large', limitBytes } };
}
