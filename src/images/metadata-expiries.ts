import type { EventSink } from '../events.js';
import { metadataPath } from '../trust/tuf/documents.js';
import { type Expiry, listExpiries } from '../trust/tuf/expiries.js';
import type { Repository } from '../trust/tuf/repository.js';
import { rememberedLifetimes } from './signing-settings.js';
import type { MirrorView } from './site.js';

/** When the metadata of a mirror ends, and what of it is due as the mirror remembers lifetimes. */
export async function expiriesIn({ state }: Pick<MirrorView, 'state'>, repository: Repository): Promise<Expiry[]> {
  return listExpiries(repository, await rememberedLifetimes(state), new Date());
}

/** Tells what is to be signed anew and was not, since its keys are elsewhere. */
export function warnOfExpiries(expiries: readonly Expiry[], onEvent: EventSink): void {
  for (const expiry of expiries) {
    if (expiry.state === 'good') continue;
    onEvent({ type: 'note', level: 'warning', subject: expiryPath(expiry), message: expiryMessage(expiry) });
  }
}

/** The file that ends. */
export function expiryPath({ role, version }: Expiry): string {
  return metadataPath(role, version);
}

/** When it ends, and who can do something about it. */
export function expiryMessage({ role, expires, state }: Expiry): string {
  return `${state === 'expired' ? 'expired' : 'expires'} at ${expires}: sign it anew with the keys of ${role}`;
}
