import { UpdateRepositoryError } from '../../errors.js';
import type { ImageVersion } from '../../metadata/brands.js';
import { type Channel, MAX_CHANNEL_BYTES, parseChannel } from './channel.js';
import type { TargetWish } from './target-wish.js';

/** A {@link TargetWish} with what its channel file says, or what a bundle has. */
export type Wanted =
  | { readonly kind: 'latest' }
  | { readonly kind: 'version'; readonly version: ImageVersion }
  | { readonly kind: 'channel'; readonly path: string; readonly channel: Channel }
  /** Where a bundle leads. */
  | { readonly kind: 'bundle'; readonly path: string; readonly version: ImageVersion };

/** Reads a text file of the mirror by its path below the root; null where there is none. */
export type ReadMirrorText = (path: string, maxBytes: number, signal: AbortSignal) => Promise<string | null>;

/**
 * Finds out what is wanted: of a channel, its file is read.
 *
 * @throws UpdateRepositoryError NOT_FOUND for a channel without a file, FORMAT for a damaged one, and what `read` throws
 */
export async function readWanted(wish: TargetWish, read: ReadMirrorText, signal: AbortSignal): Promise<Wanted> {
  if (wish.kind !== 'channel') return wish;
  const { path } = wish;
  const text = await read(path, MAX_CHANNEL_BYTES, signal);
  if (text !== null) return { kind: 'channel', path, channel: parseChannel(text, path) };
  throw new UpdateRepositoryError('NOT_FOUND', `${path}: expected a channel file on the mirror, found none`, {
    data: { path },
    hint: 'check the name of the channel, or ask whoever runs the mirror',
  });
}
