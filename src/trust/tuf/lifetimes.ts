import type { TopRole } from './documents.js';

/** How long the metadata of a role is good, and how long before its end it is signed anew. */
export interface Lifetime {
  readonly days: number;
  /** Metadata with fewer days left than this is due. */
  readonly renewDays: number;
}

/** By role; `delegated` is for the roles of series and of the mirror's indexes. */
export type Lifetimes = Readonly<Record<TopRole | 'delegated', Lifetime>>;

/**
 * Root and targets are signed by people, once a year with two months to do it. What a machine signs every day lives a
 * month, which is how long a client can be fed an old snapshot by one who stole the timestamp key; without that key an
 * old mirror passes for new for a week, and a timer may fail for four days before clients refuse.
 */
export const DEFAULT_LIFETIMES: Lifetimes = {
  root: { days: 365, renewDays: 60 },
  targets: { days: 365, renewDays: 60 },
  delegated: { days: 30, renewDays: 15 },
  snapshot: { days: 30, renewDays: 15 },
  timestamp: { days: 7, renewDays: 4 },
};

const DAY_MS = 86_400_000;

/** The lifetime of any role's metadata. */
export function lifetimeOf(role: string, lifetimes: Lifetimes): Lifetime {
  switch (role) {
    case 'root':
    case 'targets':
    case 'snapshot':
    case 'timestamp':
      return lifetimes[role];
    default:
      return lifetimes.delegated;
  }
}

/** When metadata ends that is signed now, as TUF writes it: UTC, without milliseconds. */
export function expiresAt(now: Date, { days }: Lifetime): string {
  return new Date(now.getTime() + days * DAY_MS).toISOString().replace(/\.\d{3}Z$/, 'Z');
}

/** How many milliseconds are left; none, or fewer, when it is expired. */
export function remainingMs(expires: string, now: Date): number {
  return Date.parse(expires) - now.getTime();
}

/** Whether metadata is to be signed anew. */
export function isDue(expires: string, now: Date, { renewDays }: Lifetime): boolean {
  return remainingMs(expires, now) < renewDays * DAY_MS;
}
