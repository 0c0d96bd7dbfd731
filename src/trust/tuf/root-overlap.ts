import type { Envelope, RootDocument, TufDocument } from './documents.js';
import { type Repository, topSigners } from './repository.js';
import { addSignatures, isSigned, type Signers } from './signatures.js';
import type { MetadataSigner } from './signing-key.js';

/*
 * No two files of a static mirror change at once. What the keys of two roots signed is good to a client that has not seen
 * the newer root, and to one that has: so it can be there before that root is.
 */

/** The metadata that a root says the keys of. */
export type TopMetadata = Pick<Repository, 'targets' | 'snapshot' | 'timestamp'>;

/**
 * A document that is signed as a new root asks, signed as the root before it asks, too, where the keys at hand suffice; else
 * as it was given.
 *
 * @param before who signed for the role by the root before
 */
export function signForBoth<Document extends TufDocument>(
  envelope: Envelope<Document>,
  before: Signers,
  keys: readonly MetadataSigner[],
): Envelope<Document> {
  if (isSigned(envelope, before)) return envelope;
  const joined = addSignatures(envelope, keys, before.roleKeys.keyids);
  return isSigned(joined, before) ? joined : envelope;
}

/** Whether a client that has seen this root, and none after it, takes this metadata. */
export function isGoodUnder(root: RootDocument, metadata: TopMetadata): boolean {
  return (['targets', 'snapshot', 'timestamp'] as const).every((role) => {
    return isSigned(metadata[role], topSigners(root, role));
  });
}

/**
 * How many of the roots, from the first on, a client has to have seen so that it takes this metadata, whether or not it has
 * seen the others.
 *
 * @param roots all of them, in the order of their versions
 */
export function rootsNeeded(roots: readonly RootDocument[], metadata: TopMetadata): number {
  return roots.findLastIndex((root) => !isGoodUnder(root, metadata)) + 2;
}
