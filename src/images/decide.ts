import { isSameInode, isUntouched } from '../io/file-identity.js';
import type { ImageRecord } from './records.js';
import type { DeltaStatus, ImageStatus } from './survey.js';

/**
 * What an image needs:
 * - `nothing`: it was read, and neither file has been touched since;
 * - `link`: the mirror does not have it yet;
 * - `read`: the mirror's file is the same inode, but what is known of it may be stale or was never written down;
 * - `compare`: the mirror's file is another one (a copy, or the image was replaced), and one of the two was touched;
 * - `read-base`: it is not published, and serves as the base of a delta;
 * - `missing`: a configuration lists it, and the directory does not have it.
 */
export type ImageDecision = 'nothing' | 'link' | 'read' | 'compare' | 'read-base' | 'missing';

export function decideImage({ file, publish, inMirror, record }: ImageStatus): ImageDecision {
  if (file === null) return 'missing';
  const sourceIsKnown = record !== null && isUntouched(record.source, file.identity);
  if (!publish) return sourceIsKnown ? 'nothing' : 'read-base';
  if (inMirror === null) return 'link';
  const mirrorIsKnown = record?.published != null && isUntouched(record.published, inMirror);
  if (sourceIsKnown && mirrorIsKnown) return 'nothing';
  return isSameInode(file.identity, inMirror) ? 'read' : 'compare';
}

/** What is known of an image that needs no work, or that is gone but still served just as it was published. */
export function knownRecord(status: ImageStatus): ImageRecord | null {
  const { record, inMirror, publishedSha256 } = status;
  const decision = decideImage(status);
  if (decision === 'nothing') return record;
  if (decision !== 'missing' || record?.published == null || inMirror === null) return null;
  return isUntouched(record.published, inMirror) && record.digests.sha256 === publishedSha256 ? record : null;
}

/**
 * What a delta needs:
 * - `nothing`: it is there and proven;
 * - `skip`: it is known to be too large to be worth publishing;
 * - `check`: a file is there under its name, and it is not known whether it leads from these bytes to those;
 * - `make`: there is none.
 */
export type DeltaDecision = 'nothing' | 'skip' | 'check' | 'make';

/** The bytes that a delta leads between, and the size from which on it is not published. */
export interface DeltaEnds {
  readonly baseSha256: string;
  readonly targetSha256: string;
  readonly limitBytes: number;
}

/** `ends` is null while an image of the two has not been read; then the answer is what it will most likely be. */
export function decideDelta({ inMirror, record }: DeltaStatus, ends: DeltaEnds | null): DeltaDecision {
  const isOfTheseBytes =
    record !== null &&
    ends !== null &&
    record.baseSha256 === ends.baseSha256 &&
    record.targetSha256 === ends.targetSha256;
  if (!isOfTheseBytes) return inMirror === null ? 'make' : 'check';
  const { outcome } = record;
  if (outcome.kind === 'too-large') return ends.limitBytes <= outcome.limitBytes ? 'skip' : 'make';
  if (outcome.published.sizeBytes > ends.limitBytes) return 'skip';
  if (inMirror === null) return 'make';
  return isUntouched(outcome.published, inMirror) ? 'nothing' : 'check';
}

/**
 * What the compressed form of a delta needs: as {@link DeltaDecision}, where `skip` means that it is not wanted or known to
 * save too little.
 */
export type CompressedDecision = DeltaDecision;

/** `deltaSha256` is null while the delta is not made yet. */
export function decideCompressed(
  { compressedInMirror, record }: Pick<DeltaStatus, 'compressedInMirror' | 'record'>,
  deltaSha256: string | null,
): CompressedDecision {
  const compressed = record?.compressed ?? null;
  if (compressed === null || compressed.deltaSha256 !== deltaSha256) {
    return compressedInMirror === null ? 'make' : 'check';
  }
  if (compressed.outcome.kind === 'not-worth-it') return 'skip';
  if (compressedInMirror === null) return 'make';
  return isUntouched(compressed.outcome.published, compressedInMirror) ? 'nothing' : 'check';
}

/** The largest size at which a delta to a target of `targetBytes` is published. */
export function deltaLimitBytes(targetBytes: number, maxDeltaRatio: number): number {
  return Math.floor(targetBytes * maxDeltaRatio);
}
