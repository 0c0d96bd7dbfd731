import { UpdateRepositoryError } from '../errors.js';
import type { ImageVersion, SeriesName } from '../metadata/brands.js';
import { type Channel, type Channels, channelPath } from '../metadata/channel.js';

/** The images of a series: a meta file is one. */
export interface SeriesVersions {
  readonly series: SeriesName;
  readonly images: readonly { readonly version: ImageVersion }[];
}

/** What there is in the place of the version that a channel names, as a noun phrase; null where that is there. */
export function findChannelFault({ series, version }: Channel, offers: readonly SeriesVersions[]): string | null {
  const offer = offers.find((one) => one.series === series);
  if (offer === undefined) return `series ${listed(offers.map((one) => one.series))}`;
  const versions = offer.images.map((image) => image.version);
  return versions.includes(version) ? null : listed(versions);
}

/**
 * Refuses a build that would take an image away which a channel names: devices that follow the channel could not go on.
 *
 * @throws UpdateRepositoryError CONFIG
 */
export function requireChannelVersions(channels: Channels, offers: readonly SeriesVersions[]): void {
  for (const [name, channel] of channels) {
    const found = findChannelFault(channel, offers);
    if (found === null) continue;
    const path = channelPath(name);
    const expected = `version ${channel.version} of series ${channel.series}, which it names, among what is built`;
    throw new UpdateRepositoryError('CONFIG', `${path}: expected ${expected}, found ${found}`, {
      data: { path, series: channel.series, version: channel.version },
      hint: 'let the channel name another version first, by `channel set`, or end it by `channel remove`',
    });
  }
}

/** The last ones, which are the newest where they are versions. */
export function listed(names: readonly string[]): string {
  const shown = names.toSorted().slice(-MOST_LISTED);
  const more = names.length - shown.length;
  return names.length === 0 ? 'none' : `${more > 0 ? `${more} others and ` : ''}${shown.join(', ')}`;
}

const MOST_LISTED = 10;
