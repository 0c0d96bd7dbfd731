import type { KeyId } from './documents.js';
import { type NextRepository, nextRepository, type RepositoryChange, type Signing } from './next-repository.js';
import type { Repository } from './repository.js';
import type { MetadataSigner } from './signing-key.js';

/** Which keys the next state of a repository takes, and which role's metadata is written. */
export interface Rehearsal {
  readonly keyids: readonly KeyId[];
  readonly next: NextRepository;
}

/**
 * Makes the next state of a repository without a private key: its signatures are zeros. It tells which keys to unlock,
 * and null when there is nothing to do. `change` has no drafts, since whether they are complete is not told by zeros.
 *
 * @throws UpdateRepositoryError as {@link nextRepository}.
 */
export function rehearse(
  current: Repository,
  change: RepositoryChange,
  keyids: readonly KeyId[],
  { lifetimes, now }: Omit<Signing, 'keys'>,
): Rehearsal | null {
  const keys = keyids.map((id) => new HollowSigner(id));
  const next = nextRepository(current, change, { keys, lifetimes, now });
  return next && { keyids: keys.filter(({ asked }) => asked).map(({ id }) => id), next };
}

class HollowSigner implements MetadataSigner {
  readonly id: KeyId;
  asked = false;

  constructor(id: KeyId) {
    this.id = id;
  }

  sign(): string {
    this.asked = true;
    return '00'.repeat(64);
  }
}
