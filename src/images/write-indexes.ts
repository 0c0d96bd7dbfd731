import { rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { makeDirectory, syncDirectory, writeFileAtomic } from '../io/atomic-file.js';
import type { SeriesMeta } from '../metadata/meta.js';
import { META_DIR } from '../metadata/mirror-paths.js';
import { KEY_FILE, signaturesBeside } from '../trust/openpgp/sign-lists.js';
import { namedFiles, renderIndexes } from './contents.js';
import { readDiskIndexes, staleIndexes } from './disk-indexes.js';
import { makeSignatures, removeStrays, strayPaths, writeTogether } from './list-signatures.js';
import { type MirrorSite, removeFromMirror, sitePath } from './site.js';
import { identify } from './survey.js';

/**
 * Makes the mirror's indexes name just what `metas` name, and say until when they are good; every file of theirs is in place
 * already. Meta files first,
 * then CKSUMS, the lists of SHA-256 checksums and index.json, each replaced at once, and what is gone last: the meta files
 * of series that are not wanted any more, and the list of the deltas where none is left. At no time does any of them name a
 * file that is not there. What differs between them meanwhile is excused by a marker, which `verify` knows. Where the lists
 * are signed, a list and its signatures, made before, are replaced one right after the other. Nothing is written where
 * nothing changes.
 *
 * @returns whether anything was written.
 */
export async function writeIndexes(
  site: MirrorSite,
  metas: readonly SeriesMeta[],
  bestBefore: Date | null,
): Promise<boolean> {
  const onDisk = await readDiskIndexes(site.mirrorDir);
  const texts = renderIndexes(metas, bestBefore);
  const changed = new Map([...texts].filter(([path, text]) => onDisk.texts.get(path) !== text));
  const stale = staleIndexes(onDisk, texts);
  const isInterrupted = (await identify(site.state.publishingPath)) !== null;
  const signatures = site.signer === undefined ? new Map() : await makeSignatures(site, texts, site.signer);
  const strays = site.signer === undefined ? [] : await strayPaths(site);
  if (changed.size + stale.length + signatures.size + strays.length === 0 && !isInterrupted) return false;

  await site.lock.assertHeld();
  await rememberDropped(site, onDisk.named, namedFiles(metas));
  await writeFileAtomic(site.state.publishingPath, '', site.state.temporaryPath('publishing'));
  await makeDirectory(sitePath(site, META_DIR));
  for (const path of [KEY_FILE, ...texts.keys()]) {
    await writeTogether(site, filesAt(path, changed, signatures));
  }
  for (const { path, why } of stale) {
    await removeFromMirror(site, path);
    await syncDirectory(dirname(sitePath(site, path)));
    const level = path.startsWith(`${META_DIR}/`) ? 'warning' : 'info';
    site.onEvent({ type: 'note', level, subject: path, message: `removed: ${why}` });
  }
  if (site.signer !== undefined) await removeStrays(site);
  await rm(site.state.publishingPath, { force: true });
  await syncDirectory(dirname(site.state.publishingPath));
  return true;
}

/** What is to be written at a path, with what lies beside it. */
function filesAt(path: string, ...files: readonly ReadonlyMap<string, string | Uint8Array>[]) {
  return [path, ...signaturesBeside(path).map((beside) => beside.path)].flatMap((one) => {
    const bytes = files.map((some) => some.get(one)).find((found) => found !== undefined);
    return bytes === undefined ? [] : [[one, bytes] as const];
  });
}

/**
 * Notes since when no index names a file any more, for the grace period of `prune`. Written before the indexes change:
 * a file may be listed as dropped and still be named, never the other way round.
 */
async function rememberDropped(
  site: MirrorSite,
  before: ReadonlySet<string>,
  after: ReadonlySet<string>,
): Promise<void> {
  const known = await site.state.readDropped();
  const now = new Date().toISOString();
  const dropped = new Map([...known].filter(([path]) => !after.has(path)));
  for (const path of before) if (!after.has(path) && !dropped.has(path)) dropped.set(path, now);
  const isSame = dropped.size === known.size && [...dropped.keys()].every((path) => known.has(path));
  if (!isSame) await site.state.writeDropped(dropped);
}
