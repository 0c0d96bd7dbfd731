import { createHash } from 'node:crypto';
import { hasCode } from '../errors.js';
import type { ProblemEvent } from '../events.js';
import { isVouchedFor } from '../trust/tuf/contents.js';
import { METADATA_DIR, TIMESTAMP_FILE } from '../trust/tuf/documents.js';
import type { Expiry } from '../trust/tuf/expiries.js';
import type { Repository } from '../trust/tuf/repository.js';
import { expiriesIn, expiryMessage, expiryPath } from './metadata-expiries.js';
import { signedTargets } from './metadata-paths.js';
import { readSettledIndexes } from './settled-indexes.js';
import { isSignedMirror, readMetadata } from './sign-mirror.js';
import type { MirrorView } from './site.js';

/** The indexes of these that the metadata vouches for with other bytes, or not at all where it has to. */
export function unsignedIndexes(repository: Repository, texts: ReadonlyMap<string, string>): string[] {
  const signed = signedTargets(repository);
  return [...texts]
    .filter(([path]) => isVouchedFor(path))
    .filter(([path, text]) => signed.get(path)?.hashes.sha256 !== createHash('sha256').update(text).digest('hex'))
    .map(([path]) => path);
}

/** What is wrong with the metadata of a mirror, and between it and the indexes; nothing, where there is none. */
export async function metadataProblems(view: MirrorView): Promise<ProblemEvent[]> {
  if (!(await isSignedMirror(view))) return [];
  try {
    const repository = await readMetadata(view, null);
    if (repository === null) return [];
    const { texts } = await readSettledIndexes(view.mirrorDir, view.state);
    const unsigned = unsignedIndexes(repository, texts).map((path): ProblemEvent => {
      const message = `expected the bytes that ${METADATA_DIR}/${TIMESTAMP_FILE} leads to, found others`;
      return { type: 'problem', level: 'error', kind: 'inconsistent', path, message };
    });
    return [...unsigned, ...expiryProblems(await expiriesIn(view, repository))];
  } catch (error) {
    if (!hasCode(error, 'VERIFICATION') && !hasCode(error, 'FORMAT')) throw error;
    return [{ type: 'problem', level: 'error', kind: 'malformed', path: METADATA_DIR, message: error.message }];
  }
}

/** Clients refuse what is expired; what is due is signed anew by a refresh, or by people. */
function expiryProblems(expiries: readonly Expiry[]): ProblemEvent[] {
  return expiries.flatMap((expiry): ProblemEvent[] => {
    if (expiry.state === 'good') return [];
    const level = expiry.state === 'expired' ? 'error' : 'warning';
    return [{ type: 'problem', level, kind: 'stale', path: expiryPath(expiry), message: expiryMessage(expiry) }];
  });
}
