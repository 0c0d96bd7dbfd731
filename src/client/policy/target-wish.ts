import { type ImageVersion, isImageVersion } from '../../metadata/brands.js';
import { findRelativePathFault } from '../../metadata/safe-name.js';

/** Which version a device wants: the newest, a certain one, or the one that a channel file names. */
export type TargetWish =
  | { readonly kind: 'latest' }
  | { readonly kind: 'version'; readonly version: ImageVersion }
  | {
      readonly kind: 'channel';
      /** Relative to the mirror's root. */
      readonly path: string;
    };

/** How a message calls the form of a {@link TargetWish}. */
export const TARGET_FORM = '"latest", a version of 14 digits, or "channel:" and a name or a path of a .json file';

const CHANNEL = 'channel:';

/** Reads `latest`, a version, `channel:<name>` (a file of `channels/`) or `channel:<path>.json`; null for anything else. */
export function readTargetWish(text: string): TargetWish | null {
  if (text === 'latest') return { kind: 'latest' };
  if (isImageVersion(text)) return { kind: 'version', version: text };
  if (!text.startsWith(CHANNEL)) return null;
  const channel = text.slice(CHANNEL.length);
  const path = channel.endsWith('.json') ? channel : `channels/${channel}.json`;
  const isName = channel.endsWith('.json') || !channel.includes('/');
  return isName && channel !== '' && findRelativePathFault(path) === null ? { kind: 'channel', path } : null;
}
