import { basename, dirname } from 'node:path';
import { UpdateRepositoryError } from '../errors.js';
import { syncDirectory } from '../io/atomic-file.js';
import type { ImageVersion } from '../metadata/brands.js';
import { classifyImageName, parseRdiffName } from '../metadata/image-name.js';
import { type MirrorIndex, parseIndexJson } from '../metadata/index-json.js';
import { INDEX_FILE, metaPath, RDIFFS_DIR, rdiffPath, zstFileName } from '../metadata/mirror-paths.js';
import { readDiskIndexes } from './disk-indexes.js';
import { signedTargets } from './metadata-paths.js';
import { isMetadata, oldMetadata } from './old-metadata.js';
import { isSignedMirror, readMetadata } from './sign-mirror.js';
import { type MirrorSite, type MirrorView, removeFromMirror, sitePath } from './site.js';
import { identify } from './survey.js';

/** A file of the mirror that no index names, and no metadata needs. */
export interface PruneCandidate {
  readonly path: string;
  /** ISO 8601. */
  readonly since: string;
  readonly sizeBytes: number;
}

/**
 * The files that are ours and unused: those that indexes named once, and those that builds made and no index ever
 * named, which count as unused from `now` on; and metadata that what is signed now does not need. What metadata vouches
 * for is in use, and so is an image of a version that a channel names.
 */
export async function pruneCandidates(site: MirrorView, now: number): Promise<PruneCandidate[]> {
  const indexes = await readDiskIndexes(site.mirrorDir);
  const dropped = await site.state.readDropped();
  const repository = (await isSignedMirror(site)) ? await readMetadata(site, null) : null;
  // A build that was killed before it signed leaves metadata that vouches for what no index names any more.
  const signed = repository === null ? new Map() : signedTargets(repository);
  const old = new Set(repository === null ? [] : await oldMetadata(site, repository));
  const versions = new Set([...(await site.state.readChannels()).values()].map(({ version }) => version));
  const paths = new Set([...dropped.keys(), ...(await recordedPaths(site)), ...old]);
  const candidates: PruneCandidate[] = [];
  for (const path of paths) {
    if (indexes.named.has(path) || signed.has(path) || isOfVersion(path, versions)) continue;
    if (!isPrunable(path) && !old.has(path)) continue;
    const identity = await identify(sitePath(site, path));
    if (identity === null) continue;
    const since = dropped.get(path) ?? new Date(now).toISOString();
    candidates.push({ path, since, sizeBytes: identity.sizeBytes });
  }
  return candidates.sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** Whether it is an image of one of these versions, of whatever series. */
function isOfVersion(path: string, versions: ReadonlySet<ImageVersion>): boolean {
  const image = classifyImageName(path);
  return image.kind === 'image' && versions.has(image.name.version);
}

/** Removes the file and what is remembered of it: its name is free again. */
export async function removeCandidate(site: MirrorSite, { path }: PruneCandidate): Promise<void> {
  if (!isMetadata(path)) await site.state.forget(dirname(path) === RDIFFS_DIR ? 'deltas' : 'images', basename(path));
  await removeFromMirror(site, path);
  await syncDirectory(dirname(sitePath(site, path)));
}

/** The files that builds have put into the mirror. */
async function recordedPaths({ state }: MirrorView): Promise<string[]> {
  const paths: string[] = [];
  for (const fileName of await state.recorded('images')) {
    if ((await state.readImage(fileName))?.published != null) paths.push(fileName);
  }
  for (const fileName of await state.recorded('deltas')) {
    const record = await state.readDelta(fileName);
    if (record?.outcome.kind === 'published') paths.push(rdiffPath(fileName));
    if (record?.compressed?.outcome.kind === 'published') paths.push(rdiffPath(zstFileName(fileName)));
  }
  return paths;
}

/** Whatever dropped.json and old checksum lists say: only images at the root and deltas in their directory. */
function isPrunable(path: string): boolean {
  const name = basename(path);
  if (path === rdiffPath(name)) return parseRdiffName(name.replace(/\.zst$/, '')) !== null;
  return path === name && classifyImageName(name).kind === 'image';
}

/**
 * Refuses to go by indexes that are missing or half-written: every file would seem unused.
 *
 * @throws UpdateRepositoryError CONFIG.
 */
export async function checkIndexes(site: MirrorView): Promise<void> {
  const indexes = await readDiskIndexes(site.mirrorDir);
  const refuse = (found: string): UpdateRepositoryError =>
    new UpdateRepositoryError(
      'CONFIG',
      `${site.mirrorDir}: nothing is removed: expected complete indexes, found ${found}`,
      {
        data: { path: site.mirrorDir },
        hint: 'build the mirror again first',
      },
    );
  if ((await identify(site.state.publishingPath)) !== null) throw refuse('those of a build that was interrupted');
  const text = indexes.texts.get(INDEX_FILE);
  if (text === undefined) throw refuse(`no ${INDEX_FILE}`);
  const { series }: MirrorIndex = parseIndexJson(text, INDEX_FILE);
  const present = new Set(indexes.metas.map((meta) => metaPath(meta.series)));
  const missing = series.find(({ meta }) => !present.has(meta));
  if (missing !== undefined) throw refuse(`no sound ${missing.meta}`);
  if (series.length === 0) throw refuse('no series');
}
