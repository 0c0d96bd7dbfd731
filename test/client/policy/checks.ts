import type { UpdateCheckEvent } from '../../../src/events.js';
import { series, version } from './offers.js';

/** A new version, of the third day, for a device that runs that of the first. */
export const newVersion: UpdateCheckEvent = {
  type: 'update-check',
  series,
  current: version(1),
  version: version(3),
  wanted: version(5),
  isNew: true,
  downloadBytes: 629_101_112,
  reason: `is a barrier on the way to ${version(5)}, which is the newest`,
};

export const nothingNew: UpdateCheckEvent = {
  ...newVersion,
  current: version(5),
  version: version(5),
  isNew: false,
  downloadBytes: 0,
  reason: 'is the newest',
};
