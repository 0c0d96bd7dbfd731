import type { LeftOutReason, PathReason } from '../../events.js';
import { formatBytes, formatPercent } from '../bytes.js';
import { count } from './count.js';

/** Why a path is where it is in a plan, in words. */
export function pathReasonText(reason: PathReason): string {
  switch (reason.kind) {
    case 'present':
      return 'already here';
    case 'cheapest':
      return 'cheapest';
    case 'more-download':
      return `${formatBytes(reason.bytes)} more to download`;
    case 'more-work':
      return `${formatBytes(reason.bytes)} more to read and write`;
    case 'more-hops':
      return `${count(reason.hops, 'hop')} more`;
    case 'same-cost':
      return 'costs the same';
  }
}

/** Why something has no part in a plan, in words. */
export function leftOutText(reason: LeftOutReason): string {
  switch (reason.kind) {
    case 'needs-space':
      return `needs ${formatBytes(reason.neededBytes)} of disk, ${formatBytes(reason.freeBytes)} are free`;
    case 'failed':
      return 'failed in this run';
    case 'other-bytes':
      return 'is not the image that the mirror has under this version';
    case 'delta-share':
      return `delta is ${formatPercent(reason.share, 1)} of the image`;
    case 'whole-images-off':
      return 'whole images are not allowed';
    case 'no-base':
      return `its base ${reason.base} is neither here nor on the mirror`;
  }
}
