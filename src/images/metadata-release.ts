import { UpdateRepositoryError } from '../errors.js';
import type { EventSink } from '../events.js';
import { mediaTypeOf } from '../publish/media-type.js';
import { type Published, type ReleaseObject, textObject } from '../publish/release.js';
import { isRootPath, METADATA_DIR, type RootDocument, TIMESTAMP_FILE } from '../trust/tuf/documents.js';
import { readFrom } from '../trust/tuf/metadata-directory.js';
import { parseEnvelope } from '../trust/tuf/parse-document.js';
import { rootsNeeded } from '../trust/tuf/root-overlap.js';
import { MAX_INDEX_BYTES } from './disk-indexes.js';
import { signedChannels, unsignedIndexes } from './metadata-claims.js';
import { expiriesIn, warnOfExpiries } from './metadata-expiries.js';
import { metadataPaths } from './metadata-paths.js';
import { requireNewerMetadata } from './newer-metadata.js';
import { isSignedMirror, readMetadata } from './sign-mirror.js';
import { type MirrorView, sitePath } from './site.js';

/** What a signed mirror publishes below `metadata/`. */
export interface MetadataRelease {
  /** Their names never get other bytes. */
  readonly immutables: readonly ReleaseObject[];
  /** In the order of their versions. Clients see one as soon as it is there. */
  readonly roots: readonly ReleaseObject[];
  /** How many of these, from the first on, a client has to have seen so that it takes the rest. */
  readonly rootsNeeded: number;
  /** By which clients see all of it. */
  readonly timestamp: ReleaseObject;
  readonly requireNewer: (published: Published) => Promise<void>;
}

/**
 * The metadata of a mirror that vouches for these indexes; null when it is not signed. What expires soon is warned of.
 *
 * @throws UpdateRepositoryError CONFIG when it vouches for other indexes, VERIFICATION or FORMAT when it is damaged
 */
export async function releaseOfMetadata(
  view: MirrorView,
  texts: ReadonlyMap<string, string>,
  onEvent: EventSink,
): Promise<MetadataRelease | null> {
  if (!(await isSignedMirror(view))) return null;
  const repository = await readMetadata(view, null);
  if (repository === null) return null;
  const gone = signedChannels(repository).filter((path) => !texts.has(path));
  const [stale] = [...unsignedIndexes(repository, texts), ...gone];
  if (stale !== undefined) {
    throw new UpdateRepositoryError(
      'CONFIG',
      `${view.mirrorDir}: expected ${stale} as it was signed, found ${texts.has(stale) ? 'another one' : 'none'}`,
      {
        data: { path: view.mirrorDir },
        hint: 'complete it by `build --sign KEYS`',
      },
    );
  }
  warnOfExpiries(await expiriesIn(view, repository), onEvent);
  const immutables: ReleaseObject[] = [];
  const roots: ReleaseObject[] = [];
  const documents: RootDocument[] = [];
  for (const path of metadataPaths(repository)) {
    const text = await read(view, path);
    (isRootPath(path) ? roots : immutables).push(textObject(path, text, mediaTypeOf(path)));
    if (isRootPath(path)) documents.push(parseEnvelope('root', text, path).signed);
  }
  const path = `${METADATA_DIR}/${TIMESTAMP_FILE}`;
  const timestamp = textObject(path, await read(view, path), mediaTypeOf(path));
  const requireNewer = (published: Published) => requireNewerMetadata(repository, timestamp, published);
  return { immutables, roots, rootsNeeded: rootsNeeded(documents, repository), timestamp, requireNewer };
}

async function read(view: MirrorView, path: string): Promise<string> {
  const text = await readFrom(view.mirrorDir)(path.slice(METADATA_DIR.length + 1), MAX_INDEX_BYTES);
  if (text !== null) return text;
  const file = sitePath(view, path);
  throw new UpdateRepositoryError('NOT_FOUND', `${file}: expected what the metadata names, found no such file`, {
    data: { path: file },
  });
}
