import { join } from 'node:path';
import {
  DEFAULT_LIFETIMES,
  KeyRing,
  makeKeys,
  Passphrase,
  type RefreshOptions,
  type RepositoryEvent,
  refreshMirror,
} from 'update-repository';
import { readFrom } from '../../../src/trust/tuf/metadata-directory.js';
import { type Repository, readRepository } from '../../../src/trust/tuf/repository.js';
import { build, makeWorkshop } from './workshop.js';

export const PASSPHRASE = new Passphrase('a phrase', 'the test');

/** A workshop whose mirror of two images is signed, and its keys. */
export async function signedWorkshop() {
  const workshop = await makeWorkshop(2);
  const keys = join(workshop.folder, 'keys');
  const plan = { type: 'ed25519', rootKeys: 1, threshold: 1 } as const;
  await makeKeys(keys, plan, PASSPHRASE, { lifetimes: DEFAULT_LIFETIMES, now: new Date() });
  const ring = await KeyRing.open(keys, PASSPHRASE);
  const first = await build(workshop, { sign: ring });
  return { ...workshop, keys, ring, first };
}

/** The verified metadata of a mirror. */
export async function metadataOf(mirrorDir: string): Promise<Repository> {
  const repository = await readRepository(readFrom(mirrorDir), null);
  if (repository === null) throw new Error('no metadata');
  return repository;
}

/** Refreshes the mirror. */
export async function refresh(mirrorDir: string, ring: KeyRing, changes: Partial<RefreshOptions> = {}) {
  const events: RepositoryEvent[] = [];
  const onEvent = (event: RepositoryEvent) => void events.push(event);
  const { signal } = new AbortController();
  const summary = await refreshMirror({ mirrorDir, ring, breakLock: false, signal, onEvent, ...changes });
  return { summary, events };
}
