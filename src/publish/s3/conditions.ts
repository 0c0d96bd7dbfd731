import { persistently } from '../../net/persistently.js';
import type { PutCondition, PutRequest, StoredObject } from '../storage.js';
import type { Bucket } from './bucket.js';
import { hasStatus } from './failure.js';
import { lookAt } from './look.js';

/** A condition as a request has it. */
export interface ConditionHeaders {
  readonly IfNoneMatch?: string;
  readonly IfMatch?: string;
}

type Conditional = Pick<PutRequest, 'path' | 'sha256'> & { readonly condition: PutCondition };

/**
 * Stores an object on a condition; null where it does not hold. `send` makes the request.
 *
 * Servers differ in whether an ETag in a condition has its quotes: Amazon's are sent as HTTP has them (RFC 9110, 13.1.1),
 * Ceph wants them bare. And a request that met another one may have failed with 500 or 409 and yet have taken effect: the
 * object itself tells.
 */
export async function putOnCondition(
  bucket: Bucket,
  { path, sha256, condition }: Conditional,
  signal: AbortSignal,
  send: (once: Bucket, condition: ConditionHeaders) => Promise<StoredObject>,
): Promise<StoredObject | null> {
  const once = bucket.withoutRetries();
  let quoted = true;
  return await persistently(bucket.address.name, bucket.retries, signal, async (attempt) => {
    for (;;) {
      try {
        return await send(once, headersOf(condition, quoted));
      } catch (error) {
        if (!hasStatus(error, 412, 404)) throw error;
        const found = await lookAt(once, path, signal);
        if (attempt > 1 && found?.sha256 === sha256) return found;
        const mayBeBare = quoted && condition.kind === 'revision' && found?.revision === condition.revision;
        if (!mayBeBare) return null;
        quoted = false;
      }
    }
  });
}

function headersOf(condition: PutCondition, quoted: boolean): ConditionHeaders {
  if (condition.kind === 'absent') return { IfNoneMatch: '*' };
  return { IfMatch: quoted ? `"${condition.revision}"` : condition.revision };
}
