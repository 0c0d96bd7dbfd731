import type { Fallback, Policy } from './policy.js';
import { isOpen } from './time-window.js';

/** Whether an update may run at this time over this connection, and what it may fetch. */
export type Permission =
  | {
      readonly kind: 'now';
      /** Whether a whole image may be fetched. */
      readonly wholeImage: Fallback;
    }
  | { readonly kind: 'later'; readonly reason: string };

/**
 * Whether an update may run at `now`.
 *
 * @param isMetered null where nobody knows: as good as not metered
 */
export function mayRunNow(
  { windows, metered, fallback }: Pick<Policy, 'windows' | 'metered' | 'fallback'>,
  now: Date,
  isMetered: boolean | null,
): Permission {
  if (windows.length > 0 && !windows.some((window) => isOpen(window, now))) {
    return { kind: 'later', reason: `outside of the time windows: ${windows.map(({ text }) => text).join(', ')}` };
  }
  if (isMetered !== true || metered === 'full') return { kind: 'now', wholeImage: fallback };
  if (metered === 'deltas-only') return { kind: 'now', wholeImage: 'never' };
  return { kind: 'later', reason: 'the connection is metered' };
}
