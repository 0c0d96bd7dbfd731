import { hasCode } from '../errors.js';
import type { EventSink } from '../events.js';
import { KEY_FILE } from '../trust/openpgp/sign-lists.js';
import { type ListSigning, readSignatures } from './list-signatures.js';
import type { MirrorView } from './site.js';

/**
 * What there is to say of the end of an OpenPGP key, where that is near or past; null where it is not.
 *
 * @throws UpdateRepositoryError FORMAT where it is no single public key
 */
export async function keyEndMessage(keyBytes: Uint8Array): Promise<string | null> {
  // Loading the OpenPGP library takes a tenth of a second: only who has a key waits for it.
  const { parsePublicKey } = await import('../trust/openpgp/public-key.js');
  const { endingSoon, formatEnd } = await import('../trust/openpgp/key-end.js');
  const now = new Date();
  const end = await endingSoon(await parsePublicKey(keyBytes, KEY_FILE), now);
  if (end === null) return null;
  const verb = end > now ? 'expires' : 'expired';
  return `${verb} at ${formatEnd(end)}: put the end off, or sign with another key, and give devices what KEY.gpg is then`;
}

/** Warns of the end of the key that signs the lists, or else of the one that the mirror has. */
export async function warnOfKeyEnd(
  mirror: Pick<MirrorView, 'mirrorDir'>,
  signing: ListSigning | undefined,
  onEvent: EventSink,
): Promise<void> {
  if (signing === 'none') return;
  const bytes = signing?.publicKey.binary ?? (await readSignatures(mirror, [])).get(KEY_FILE);
  const message = bytes === undefined ? null : await keyEndMessage(bytes).catch(nullWhenDamaged);
  if (message !== null) onEvent({ type: 'note', level: 'warning', subject: KEY_FILE, message });
}

/** That is for `verify` to tell. */
function nullWhenDamaged(error: unknown): null {
  if (hasCode(error, 'FORMAT')) return null;
  throw error;
}
