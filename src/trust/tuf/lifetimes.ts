import { isKeyRole, type KeyRole } from './role-names.js';

/** How long the metadata of a role is good, and how long before its end it is signed anew. */
export interface Lifetime {
  readonly days: number;
  /** Metadata with fewer days left than this is due. */
  readonly renewDays: number;
}

/** By role; `series` is for the roles of all series. */
export type Lifetimes = Readonly<Record<KeyRole, Lifetime>>;

/** How many milliseconds the metadata of roles is to be good; a role that is not in it has its default. */
export type ChosenLifetimes = Readonly<Partial<Record<KeyRole, number>>>;

/** What can be chosen: who signs more often than each hour is at it all day, and longer than a century nobody checks. */
export const SHORTEST_LIFETIME_MS = 3_600_000;
export const LONGEST_LIFETIME_MS = 36_500 * 86_400_000;

/**
 * Root and targets are signed by people, once a year with two months to do it. What a machine signs every day lives a
 * month, which is how long a client can be fed an old snapshot by one who stole the timestamp key; without that key an
 * old mirror passes for new for a week, and a timer may fail for four days before clients refuse.
 */
export const DEFAULT_LIFETIMES: Lifetimes = {
  root: { days: 365, renewDays: 60 },
  targets: { days: 365, renewDays: 60 },
  series: { days: 30, renewDays: 15 },
  mirror: { days: 30, renewDays: 15 },
  snapshot: { days: 30, renewDays: 15 },
  timestamp: { days: 7, renewDays: 4 },
};

const DAY_MS = 86_400_000;

/** Lifetimes as they are chosen; metadata is due when the same share of its lifetime is left as by default. */
export function lifetimesOf(chosen: ChosenLifetimes): Lifetimes {
  const of = (role: KeyRole): Lifetime => {
    const usual = DEFAULT_LIFETIMES[role];
    const days = (chosen[role] ?? usual.days * DAY_MS) / DAY_MS;
    return { days, renewDays: (days * usual.renewDays) / usual.days };
  };
  return {
    root: of('root'),
    targets: of('targets'),
    series: of('series'),
    mirror: of('mirror'),
    snapshot: of('snapshot'),
    timestamp: of('timestamp'),
  };
}

/** The lifetime of any role's metadata. */
export function lifetimeOf(role: string, lifetimes: Lifetimes): Lifetime {
  return lifetimes[isKeyRole(role) ? role : 'series'];
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
