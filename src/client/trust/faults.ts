import { LengthOrHashMismatchError, UnsignedMetadataError } from '@tufjs/models/dist/error.js';
import { BadVersionError, ExpiredMetadataError } from 'tuf-js/dist/error.js';
import { UpdateRepositoryError } from '../../errors.js';

/** Why something of a mirror is not trusted: `data.reason` of the error. The names of attacks are those of TUF. */
export type TrustFault =
  /** Bytes that nobody signed. */
  | 'arbitrary-software'
  /** More bytes than were signed, or than any such file has. */
  | 'endless-data'
  /** A file that an update is to need, and that no role speaks of. */
  | 'extraneous-dependencies'
  /** A version that the repository could not follow any more. */
  | 'fast-forward'
  /** It has expired. */
  | 'freeze'
  /** A mirror without metadata, or without a part of it. */
  | 'missing-metadata'
  /** Files that were not together at any time. */
  | 'mix-and-match'
  /** An older version than this device has seen. */
  | 'rollback'
  /** Some keys of the role signed, but too few. */
  | 'threshold'
  /** No key of the role signed. */
  | 'wrong-key';

/** A metadata file, and whose it is. */
export interface MetadataPlace {
  /** Its URL or path; opens messages. */
  readonly file: string;
  readonly role: string;
}

/** The error for something that is not trusted. */
export function untrusted(
  reason: TrustFault,
  place: Pick<MetadataPlace, 'file'> | MetadataPlace,
  { expected, found, hint, cause }: { expected: string; found: string; hint?: string; cause?: unknown },
): UpdateRepositoryError {
  return new UpdateRepositoryError('VERIFICATION', `${place.file}: expected ${expected}, found ${found}`, {
    data: { ...place, reason },
    ...(hint === undefined ? {} : { hint }),
    ...(cause === undefined ? {} : { cause }),
  });
}

/** The error for a file with an older version than was seen before. */
export function rolledBack(
  place: MetadataPlace,
  what: string,
  { seen, found }: { seen: number; found: number | null },
) {
  const older = found === null ? 'it missing' : `version ${found}`;
  return untrusted('rollback', place, { expected: `${what} of version ${seen} or later`, found: older });
}

/** The error for a file that is too old to be believed. */
export function expired(place: MetadataPlace, expires: string): UpdateRepositoryError {
  return untrusted('freeze', place, {
    expected: 'metadata that is still good',
    found: `that it was good until ${expires}`,
    hint: 'try again later, another mirror or a newer bundle, or set the clock of this device',
  });
}

/**
 * What tuf-js says of a file, as an error of ours; `expires` is what the file says. All that it cannot read is FORMAT, as for
 * any other file of a mirror.
 */
export function faultOf(error: unknown, place: MetadataPlace, expires: () => string): UpdateRepositoryError {
  const { file, role } = place;
  const cause = error;
  if (error instanceof ExpiredMetadataError) return expired(place, expires());
  if (error instanceof UnsignedMetadataError) {
    const [, found = '0', threshold = ''] = /signed by (\d+)\/(\d+) keys/.exec(error.message) ?? [];
    const expected = `good signatures of ${threshold} of the keys of ${role}`;
    const reason = found === '0' ? 'wrong-key' : 'threshold';
    return untrusted(reason, place, { expected, found: found === '0' ? 'none' : found, cause });
  }
  if (error instanceof LengthOrHashMismatchError || error instanceof BadVersionError) {
    const expected = 'the file that the signed metadata above it names';
    return untrusted('mix-and-match', place, { expected, found: `another one (${error.message})`, cause });
  }
  const reason = error instanceof Error ? error.message : String(error);
  return new UpdateRepositoryError(
    'FORMAT',
    `${file}: expected TUF metadata of ${role}, found something else: ${oneLine(reason)}`,
    {
      data: { file, role },
      cause,
    },
  );
}

/** A parser may quote what it was given. */
function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').slice(0, 200);
}
