import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  type KeyRing,
  Passphrase,
  type RefreshOptions,
  type RepositoryEvent,
  refreshMirror,
  rotateKey,
} from 'update-repository';
import { readFrom } from '../../../src/trust/tuf/metadata-directory.js';
import { type Repository, readRepository } from '../../../src/trust/tuf/repository.js';
import { quickKeys } from '../../trust/support/quick-keys.js';
import { build, makeWorkshop } from './workshop.js';

export const PASSPHRASE = new Passphrase('a phrase', 'the test');

/** A workshop whose mirror of two images is signed, and its keys. */
export async function signedWorkshop() {
  const workshop = await makeWorkshop(2);
  const keys = join(workshop.folder, 'keys');
  const ring = await quickKeys(keys, PASSPHRASE);
  const first = await build(workshop, { sign: ring });
  return { ...workshop, keys, ring, first };
}

/** Replaces the key of timestamp, and leaves the mirror as if that was killed before the one file or the other. */
export async function cutShort(
  { mirrorDir, ring }: { readonly mirrorDir: string; readonly ring: KeyRing },
  missing: 'timestamp.json' | '2.root.json',
): Promise<void> {
  const place = (path: string) => join(mirrorDir, path);
  const timestamp = readFileSync(place('metadata/timestamp.json'));
  const root = readFileSync(place('.update-repository/root.json'));
  await rotateKey({ mirrorDir, ring, onEvent: () => undefined }, { role: 'timestamp', keyid: null }, null);
  const path = `metadata/${missing}`;
  const files = [{ path, text: readFileSync(place(path), 'utf8') }];
  writeFileSync(place('.update-repository/unfinished-metadata.json'), JSON.stringify({ files }));
  writeFileSync(place('.update-repository/root.json'), root);
  if (missing === '2.root.json') rmSync(place(path));
  else writeFileSync(place(path), timestamp);
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
