import { rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { EventSink } from '../events.js';
import { makeDirectory, placeFile } from '../io/atomic-file.js';
import type { FileLock } from '../io/lock.js';
import type { Signer } from '../trust/openpgp/signer.js';
import type { MirrorState } from './state.js';

/** A mirror as a place to look at. */
export interface MirrorView {
  readonly mirrorDir: string;
  readonly state: MirrorState;
}

/** A mirror that this process may write: it holds the lock. */
export interface MirrorSite extends MirrorView {
  readonly lock: FileLock;
  readonly onEvent: EventSink;
  /** Who signs the lists when they are written; undefined where they are not signed. */
  readonly signer?: Signer | undefined;
}

/** The absolute place of a mirror path. */
export function sitePath(site: Pick<MirrorSite, 'mirrorDir'>, path: string): string {
  return join(site.mirrorDir, path);
}

/** Gives a complete file its name in the mirror. Fails with LOCKED when another process has become the writer. */
export async function placeInMirror(site: MirrorSite, temporaryPath: string, path: string): Promise<void> {
  await site.lock.assertHeld();
  await makeDirectory(dirname(sitePath(site, path)));
  await placeFile(temporaryPath, sitePath(site, path));
}

/** Removes a file of the mirror. Fails with LOCKED when another process has become the writer. */
export async function removeFromMirror(site: MirrorSite, path: string): Promise<void> {
  await site.lock.assertHeld();
  await rm(sitePath(site, path), { force: true });
}
