import { hasCode, UpdateRepositoryError } from '../errors.js';
import type { ProblemEvent } from '../events.js';
import { mediaTypeOf } from '../publish/media-type.js';
import { bytesObject, type ReleaseObject } from '../publish/release.js';
import { findFaults, KEY_FILE, type SignatureFault, signaturesBeside } from '../trust/openpgp/sign-lists.js';
import { keyEndMessage } from './key-end.js';
import type { SettledIndexes } from './settled-indexes.js';

type Signed = Pick<SettledIndexes, 'texts' | 'signatures'>;

/**
 * What is wrong with the signatures of a mirror, by its own KEY.gpg: that it is the right key is for those to know who got it
 * in another way. Nothing, where there is neither a key nor a signature.
 *
 * @param interrupted whether a build was killed while it rewrote the lists: then they may be of others
 */
export async function signatureProblems({ texts, signatures, interrupted }: SettledIndexes): Promise<ProblemEvent[]> {
  const problem = (level: ProblemEvent['level'], kind: ProblemEvent['kind'], path: string, message: string) =>
    ({ type: 'problem', level, kind, path, message }) as const;
  const key = signatures.get(KEY_FILE);
  if (key === undefined) {
    const message = 'there is none: the signatures beside the lists are not checked';
    return signatures.size === 0 ? [] : [problem('warning', 'missing', KEY_FILE, message)];
  }
  try {
    const faults = await findFaults(texts, signatures, key, new Date());
    const [level, because] = interrupted
      ? (['warning', ' (a build was interrupted: run it again)'] as const)
      : ['error' as const, ''];
    const end = await keyEndMessage(key);
    return [
      ...faults.map((fault) =>
        problem(level, fault.found === null ? 'missing' : 'mismatch', fault.path, `${describe(fault)}${because}`),
      ),
      ...(end === null ? [] : [problem('warning', 'stale', KEY_FILE, end)]),
    ];
  } catch (error) {
    if (!hasCode(error, 'FORMAT')) throw error;
    return [problem('error', 'malformed', KEY_FILE, error.message)];
  }
}

/** What a mirror publishes with each of its lists. */
export interface SignatureRelease {
  /** None where the lists are not signed. */
  readonly key: readonly ReleaseObject[];
  /** The signatures beside a file. */
  beside(path: string): ReleaseObject[];
}

/**
 * The signatures of a mirror; none where it has no key.
 *
 * @throws UpdateRepositoryError CONFIG where one is missing, or no good one by that key; FORMAT where the key is none
 */
export async function releaseOfSignatures(mirrorDir: string, { texts, signatures }: Signed): Promise<SignatureRelease> {
  const key = signatures.get(KEY_FILE);
  if (key === undefined) return { key: [], beside: () => [] };
  const [fault] = await findFaults(texts, signatures, key, new Date());
  if (fault !== undefined) {
    throw new UpdateRepositoryError('CONFIG', `${mirrorDir}/${fault.path}: ${describe(fault)}`, {
      data: { path: fault.path },
      hint: 'complete it by a build with --pgp-key FILE or --gpg-key ID',
    });
  }
  const object = (path: string) => bytesObject(path, signatures.get(path) ?? new Uint8Array(), mediaTypeOf(path));
  return { key: [object(KEY_FILE)], beside: (path) => signaturesBeside(path).map((beside) => object(beside.path)) };
}

function describe({ over, found }: SignatureFault): string {
  return `expected a good signature over ${over} by ${KEY_FILE}, found ${found ?? 'none'}`;
}
