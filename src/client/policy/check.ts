import type { UpdateCheckEvent } from '../../events.js';
import type { ImageVersion, SeriesName } from '../../metadata/brands.js';
import type { Target } from './choose-target.js';

/**
 * What there is to be said of `target` where nothing is done about it.
 *
 * @param downloadBytes what the cheapest path to it takes; null where that is not known
 */
export function checkOf(
  series: SeriesName,
  current: ImageVersion | null,
  target: Target,
  downloadBytes: number | null,
): UpdateCheckEvent {
  const { reason } = target;
  const about = { type: 'update-check', series, current, reason } as const;
  return target.kind === 'stay'
    ? { ...about, version: target.version, wanted: target.version, isNew: false, downloadBytes: 0 }
    : { ...about, version: target.image.version, wanted: target.wanted, isNew: true, downloadBytes };
}
