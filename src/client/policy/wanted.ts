import { UpdateRepositoryError } from '../../errors.js';
import type { ImageVersion } from '../../metadata/brands.js';
import { type Channel, MAX_CHANNEL_BYTES, parseChannel } from '../../metadata/channel.js';
import type { TextSource } from '../catalog.js';
import type { TargetWish } from './target-wish.js';

/** A {@link TargetWish} with what its channel file says, or what a bundle has. */
export type Wanted =
  | { readonly kind: 'latest' }
  | { readonly kind: 'version'; readonly version: ImageVersion }
  | { readonly kind: 'channel'; readonly path: string; readonly channel: Channel }
  /** Where a bundle leads. */
  | { readonly kind: 'bundle'; readonly path: string; readonly version: ImageVersion };

/**
 * Finds out what is wanted: of a channel, its file is read.
 *
 * @throws UpdateRepositoryError NOT_FOUND for a channel without a file, FORMAT for a damaged one, and what `source` throws
 */
export async function readWanted(
  wish: TargetWish,
  source: Pick<TextSource, 'read'>,
  signal: AbortSignal,
): Promise<Wanted> {
  if (wish.kind !== 'channel') return wish;
  const { path } = wish;
  const channel = await source.read({ path, maxBytes: MAX_CHANNEL_BYTES }, parseChannel, signal);
  if (channel !== null) return { kind: 'channel', path, channel };
  throw new UpdateRepositoryError('NOT_FOUND', `${path}: expected a channel file on the mirror, found none`, {
    data: { path },
    hint: 'check the name of the channel, or ask whoever runs the mirror',
  });
}
