import { hasCode } from '../../errors.js';
import type { PutCondition, PutRequest, StoredObject } from '../storage.js';
import type { Bucket } from './bucket.js';
import { hasStatus } from './failure.js';
import { lookAt } from './look.js';
import { pause, TRIES } from './persistently.js';

/** A condition as a request has it. */
export interface ConditionHeaders {
  readonly IfNoneMatch?: string;
  readonly IfMatch?: string;
}

type Conditional = Pick<PutRequest, 'path' | 'sha256'> & { readonly condition: PutCondition };

/**
 * Stores an object on a condition; null where it does not hold. `send` makes the request once.
 *
 * Servers differ in whether an ETag in a condition has its quotes: Amazon's are sent as HTTP has them (RFC 9110, 13.1.1),
 * Ceph wants them bare. And a request that met another one may have failed with 500 or 409 and yet have taken effect: the
 * object itself tells.
 */
export async function putOnCondition(
  bucket: Bucket,
  { path, sha256, condition }: Conditional,
  signal: AbortSignal,
  send: (condition: ConditionHeaders) => Promise<StoredObject>,
): Promise<StoredObject | null> {
  let quoted = true;
  let uncertain = false;
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await send(headersOf(condition, quoted));
    } catch (error) {
      if (hasStatus(error, 412, 404)) {
        const found = await lookAt(bucket, path, signal);
        if (uncertain && found?.sha256 === sha256) return found;
        const mayBeBare = quoted && condition.kind === 'revision' && found?.revision === condition.revision;
        if (!mayBeBare) return null;
        quoted = false;
        continue;
      }
      if (!hasCode(error, 'NETWORK') || attempt >= TRIES) throw error;
      uncertain = true;
    }
    await pause(attempt, signal);
  }
}

function headersOf(condition: PutCondition, quoted: boolean): ConditionHeaders {
  if (condition.kind === 'absent') return { IfNoneMatch: '*' };
  return { IfMatch: quoted ? `"${condition.revision}"` : condition.revision };
}
