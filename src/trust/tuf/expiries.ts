import { isDue, type Lifetimes, lifetimeOf, remainingMs } from './lifetimes.js';
import type { Repository } from './repository.js';

/** When the metadata of a role ends. */
export interface Expiry {
  readonly role: string;
  readonly version: number;
  /** YYYY-MM-DDTHH:MM:SSZ, UTC. */
  readonly expires: string;
  /** None left, or fewer, for what is expired. */
  readonly remainingMs: number;
  /** `due`: still good, and to be signed anew. */
  readonly state: 'good' | 'due' | 'expired';
}

/** When each file of metadata ends that clients need, what ends first before the others. */
export function listExpiries(repository: Repository, lifetimes: Lifetimes, now: Date): Expiry[] {
  const { root, targets, snapshot, timestamp, roles } = repository;
  const all = [...Object.entries({ root, targets, snapshot, timestamp }), ...roles];
  return all
    .map(([role, { signed }]): Expiry => {
      const { version, expires } = signed;
      const left = remainingMs(expires, now);
      const state = left <= 0 ? 'expired' : isDue(expires, now, lifetimeOf(role, lifetimes)) ? 'due' : 'good';
      return { role, version, expires, remainingMs: left, state };
    })
    .sort((a, b) => a.remainingMs - b.remainingMs);
}
