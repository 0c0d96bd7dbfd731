import { stat } from 'node:fs/promises';
import { fromSystemError, UpdateRepositoryError } from '../errors.js';
import type { EventSink } from '../events.js';
import { isChannelPath } from '../metadata/channel.js';
import type { MetaDiff, MetaImage, MetaZst, SeriesMeta } from '../metadata/meta.js';
import {
  CKSUMS_FILE,
  DELTA_SHA256SUMS_FILE,
  INDEX_FILE,
  metaPath,
  rdiffPath,
  SHA256SUMS_FILE,
} from '../metadata/mirror-paths.js';
import { mediaTypeOf } from '../publish/media-type.js';
import { type Release, type ReleaseObject, textObject } from '../publish/release.js';
import { bestBeforeFile } from '../trust/openpgp/sysupdate-manifest.js';
import { channelFileProblems, wantedChannels } from './channel-files.js';
import { listedBestBefore } from './disk-indexes.js';
import { readExpectations } from './expectations.js';
import { releaseOfSignatures } from './list-claims.js';
import { releaseOfMetadata } from './metadata-release.js';
import { readPublishedIndexes } from './settled-indexes.js';
import { sitePath } from './site.js';
import { MirrorState } from './state.js';

/**
 * What a mirror publishes: the images, deltas and compressed deltas that its indexes name, and the indexes in the order in
 * which readers come to need them, each with its signatures. Reads the indexes and looks at the files; reads none of
 * them. Warns of metadata that expires soon.
 *
 * @throws UpdateRepositoryError CONFIG where it is no complete mirror, has no base URL, or a build of it was interrupted;
 * FORMAT, NOT_FOUND or VERIFICATION for a file that is not as the indexes say
 */
export async function releaseOfMirror(mirrorDir: string, onEvent: EventSink = () => undefined): Promise<Release> {
  const state = new MirrorState(mirrorDir);
  const settled = await readPublishedIndexes(mirrorDir, state);
  const { texts, interrupted } = settled;
  const { metas, problems } = readExpectations(texts, interrupted);
  const error = problems.find(({ level }) => level === 'error');
  if (error !== undefined) throw unfit(mirrorDir, `sound indexes, found: ${error.path}: ${error.message}`);
  const [channelProblem] = channelFileProblems(await wantedChannels({ state }), texts);
  if (channelProblem !== undefined) throw unfit(mirrorDir, `${channelProblem.path} as it was set, found another one`);
  if (interrupted) throw unfit(mirrorDir, 'a complete mirror, found one whose build was interrupted');
  const hasDeltas = metas.some(({ images }) => images.some(({ diffs }) => diffs.length > 0));
  const bestBefore = listedBestBefore(texts);
  const marks = bestBefore === null ? [] : [bestBeforeFile(bestBefore)];
  const sums = [SHA256SUMS_FILE, ...(hasDeltas ? [DELTA_SHA256SUMS_FILE] : [])];
  const missing = [CKSUMS_FILE, ...marks, ...sums, INDEX_FILE].find((path) => !texts.has(path));
  if (missing !== undefined) throw unfit(mirrorDir, `a mirror that this program built, found none: no ${missing}`);
  requireBaseUrl(mirrorDir, metas);
  const immutables = metas.flatMap(objectsOf(mirrorDir));
  await Promise.all(immutables.map(requireSize));
  const index = (path: string) => textObject(path, texts.get(path) ?? '', mediaTypeOf(path));
  const signatures = await releaseOfSignatures(mirrorDir, settled);
  const signed = (path: string) => [index(path), ...signatures.beside(path)];
  const channels = [...texts.keys()].filter(isChannelPath);
  const metadata = await releaseOfMetadata({ mirrorDir, state }, texts, onEvent);
  return {
    immutables: [...unique(immutables), ...(metadata?.immutables ?? [])],
    lateImmutables: metadata?.roots ?? [],
    lateNeeded: metadata?.rootsNeeded ?? 0,
    indexStages: [
      [...signatures.key, ...metas.flatMap(({ series }) => signed(metaPath(series)))],
      [CKSUMS_FILE, ...marks].flatMap(signed),
      sums.flatMap(signed),
      signed(INDEX_FILE),
      ...(channels.length > 0 ? [channels.map(index)] : []),
      ...(metadata === null ? [] : [[metadata.timestamp]]),
    ],
    ...(metadata === null ? {} : { requireNewer: metadata.requireNewer }),
  };
}

function objectsOf(mirrorDir: string): (meta: SeriesMeta) => ReleaseObject[] {
  const object = (path: string, { size, sha256 }: MetaImage | MetaDiff | MetaZst): ReleaseObject => ({
    path,
    sizeBytes: size,
    sha256,
    mediaType: mediaTypeOf(path),
    content: { kind: 'file', filePath: sitePath({ mirrorDir }, path) },
  });
  return ({ images }) =>
    images.flatMap((image) => [
      object(image.filename, image),
      ...image.diffs
        .flatMap((diff) => [diff, ...(diff.zst === undefined ? [] : [diff.zst])])
        .map((file) => object(rdiffPath(file.filename), file)),
    ]);
}

/** An image may be in several series. */
function unique(objects: readonly ReleaseObject[]): ReleaseObject[] {
  return [...new Map(objects.map((object) => [object.path, object])).values()];
}

/** What clients are told to download has to be somewhere. */
function requireBaseUrl(mirrorDir: string, metas: readonly SeriesMeta[]): void {
  const files = metas.flatMap(({ images }) => images.flatMap((image) => [image, ...image.diffs]));
  if (files.every(({ urls }) => urls.every((url) => URL.canParse(url)))) return;
  throw new UpdateRepositoryError('CONFIG', `${mirrorDir}: expected a base URL in its indexes, found none`, {
    data: { path: mirrorDir },
    hint: 'build it again with --base-url URL: deployed clients download from there',
  });
}

async function requireSize({ sizeBytes, content }: ReleaseObject): Promise<void> {
  if (content.kind !== 'file') return;
  const found = await sizeOf(content.filePath);
  if (found === sizeBytes) return;
  throw new UpdateRepositoryError(
    'VERIFICATION',
    `${content.filePath}: expected ${sizeBytes} bytes, as the indexes say, found ${found}`,
    { data: { path: content.filePath, expected: sizeBytes, found } },
  );
}

async function sizeOf(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    throw fromSystemError(error, 'look at it', path);
  }
}

function unfit(mirrorDir: string, problem: string): UpdateRepositoryError {
  return new UpdateRepositoryError('CONFIG', `${mirrorDir}: expected ${problem}`, {
    data: { path: mirrorDir },
    hint: 'run a build of it, and `verify`',
  });
}
