import { readdir } from 'node:fs/promises';
import { isDeepStrictEqual } from 'node:util';
import { fromSystemError, isSystemError } from '../errors.js';
import { requirePlainDirectories } from '../io/plain-file.js';
import { META_DIR } from '../metadata/mirror-paths.js';
import { METADATA_DIR } from '../trust/tuf/documents.js';
import type { Repository } from '../trust/tuf/repository.js';
import { metadataPaths } from './metadata-paths.js';
import { type MirrorView, sitePath } from './site.js';

/** `N.<role>.json`, but of root: clients follow all roots, from the first on. */
const OLD_VERSION = /^\d+\.(?!root\.json$).+\.json$/;
const COPY = /^[0-9a-f]{64}\../;
/** Where copies of indexes are. */
const DIRECTORIES = [METADATA_DIR, `${METADATA_DIR}/${META_DIR}`, `${METADATA_DIR}/channels`];

/** Whether a path of the mirror is one of its metadata. */
export function isMetadata(path: string): boolean {
  return path.startsWith(`${METADATA_DIR}/`);
}

/** The files of metadata that nothing needs which is signed now: what was newest once, and what killed builds left. */
export async function oldMetadata(view: Pick<MirrorView, 'mirrorDir'>, repository: Repository): Promise<string[]> {
  const needed = new Set(metadataPaths(repository));
  const old: string[] = [];
  for (const directory of DIRECTORIES) {
    await requirePlainDirectories(view.mirrorDir, directory);
    for (const name of await fileNames(sitePath(view, directory))) {
      const isOurs = COPY.test(name) || (directory === METADATA_DIR && OLD_VERSION.test(name));
      const path = `${directory}/${name}`;
      if (isOurs && !needed.has(path)) old.push(path);
    }
  }
  return old;
}

/**
 * Notes since when nothing needs what `before` needs and `after` does not, for the grace period of `prune`: who has read
 * the timestamp before may still be fetching it. Written before the timestamp changes.
 */
export async function noteOldMetadata(
  { state }: MirrorView,
  before: Repository | null,
  after: Repository,
): Promise<void> {
  const needed = new Set(metadataPaths(after));
  const now = new Date().toISOString();
  const known = await state.readDropped();
  const dropped = new Map([...known].filter(([path]) => !needed.has(path)));
  for (const path of before === null ? [] : metadataPaths(before)) if (!needed.has(path)) dropped.set(path, now);
  if (!isDeepStrictEqual(dropped, known)) await state.writeDropped(dropped);
}

async function fileNames(directory: string): Promise<string[]> {
  try {
    const entries = await readdir(directory, { withFileTypes: true });
    return entries.filter((entry) => entry.isFile()).map(({ name }) => name);
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return [];
    throw fromSystemError(error, 'list it', directory);
  }
}
