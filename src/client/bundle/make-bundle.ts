import { mkdtemp, rm } from 'node:fs/promises';
import { fromSystemError, UpdateRepositoryError } from '../../errors.js';
import type { BundleSummaryEvent, EventSink } from '../../events.js';
import type { ImageVersion } from '../../metadata/brands.js';
import type { MetaImage, SeriesMeta } from '../../metadata/meta.js';
import { fetchMeta } from '../catalog.js';
import { textsOf } from '../goal.js';
import { fileNameOf, type Hop } from '../hop.js';
import type { HopFiles } from '../hop-files.js';
import type { LocalImage } from '../local-image.js';
import { mirrorFiles } from '../mirror-files.js';
import { planUpdate } from '../plan/plan-update.js';
import type { Rates } from '../plan/request.js';
import { chooseTarget } from '../policy/choose-target.js';
import { DEFAULT_POLICY } from '../policy/policy.js';
import { MAX_DELTA_SHARE } from '../route.js';
import { type MirrorSource, openSource } from '../session.js';
import { CarriedMetadata } from './carried-metadata.js';
import { filePieces } from './file-pieces.js';
import { makeManifest } from './manifest.js';
import { writeBundle } from './write-bundle.js';

/** From where to where a bundle leads. */
export interface BundledPath {
  /** The version that its devices have; null for one that is for devices without any. */
  readonly from: ImageVersion | null;
  readonly to: ImageVersion;
}

export interface MakeBundleOptions {
  readonly source: MirrorSource;
  /** A file with a root: then the mirror is verified by it, and the bundle carries what devices need to do the same. */
  readonly rootPath?: string;
  /** Not more than so much is downloaded a second; null for no limit. */
  readonly limitBytesPerSecond: number | null;
  /** Where the bundle goes, and whether a file that is there may be replaced. */
  readonly output: { readonly path: string; readonly force: boolean };
  readonly signal: AbortSignal;
  readonly onEvent: EventSink;
}

/** Nobody knows how a bundle travels: the path of fewest bytes is taken, and of two such ones that of fewer hops. */
const LEAST_BYTES: Rates = {
  downloadBytesPerSecond: 1,
  diskBytesPerSecond: Number.MAX_SAFE_INTEGER,
  hopSeconds: 0.001,
};

/**
 * Downloads the path of fewest bytes from one version to another and writes it as one file, which appears under its name when it
 * is complete. One file of the path at a time is beside it meanwhile, in a directory that goes whatever happens.
 *
 * @throws UpdateRepositoryError USAGE, CONFIG or NOT_FOUND for versions that no one path connects; NETWORK, STORAGE,
 *   NOT_FOUND or VERIFICATION for a file of the path; FORMAT for an index; NO_SPACE, IO, INTERRUPTED; with a root what
 *   {@link CarriedMetadata.verify} throws
 */
export async function makeBundle(wanted: BundledPath, options: MakeBundleOptions): Promise<BundleSummaryEvent> {
  const startedAt = performance.now();
  const { source, rootPath, limitBytesPerSecond, output, signal, onEvent } = options;
  await using opened = await openSource(source, { limitBytesPerSecond, onEvent });
  const { mirrors } = opened;
  const metadata = rootPath === undefined ? null : await CarriedMetadata.verify(rootPath, mirrors, signal);
  const meta = await fetchMeta(metadata?.texts ?? textsOf(mirrors), opened.wanted, signal);
  const hops = planHops(meta, wanted);
  await metadata?.check(hops);
  const manifest = makeManifest(meta.series, hops, imageOf(meta, wanted.from), metadata?.files);
  const before = mirrors.traffic.fetchedBytes;
  const sizeBytes = await withDirectoryBeside(output.path, async (directory) => {
    let jobs = 0;
    const files = mirrorFiles(mirrors, { directory, signal, onEvent, nextJob: () => jobs++ });
    const hopOf = new Map(hops.map((hop) => [fileNameOf(hop), hop]));
    const openFile = ({ filename }: { readonly filename: string }) => {
      const bytes = metadata?.bytesOf(filename);
      return bytes === undefined ? fetched(files, hopOf.get(filename)!) : pieceOf(bytes);
    };
    return await writeBundle({ manifest, openFile, ...output, signal });
  });
  const { series, from, to } = manifest;
  const fetchedBytes = mirrors.traffic.fetchedBytes - before;
  const durationMs = Math.round(performance.now() - startedAt);
  const goodUntil = metadata?.expires ?? null;
  const about = { type: 'bundle-summary', bundle: output.path, series, from, to, goodUntil } as const;
  const summary: BundleSummaryEvent = { ...about, files: hops.length, sizeBytes, fetchedBytes, durationMs };
  onEvent(summary);
  return summary;
}

function planHops(meta: SeriesMeta, { from, to }: BundledPath): readonly Hop[] {
  checkBarriers(meta, from, to);
  const plan = planUpdate({
    meta,
    wanted: to,
    device: {
      present: presentOf(meta, from),
      partial: new Map(),
      checkpoint: null,
      freeBytes: Number.MAX_SAFE_INTEGER,
    },
    rates: LEAST_BYTES,
    limits: { maxHops: DEFAULT_POLICY.maxHops, maxDeltaShare: MAX_DELTA_SHARE, wholeImages: true, failed: new Set() },
  });
  if (plan.kind === 'paths') return plan.chosen.hops.map(({ hop }) => hop);
  const { code, message, hint } = plan.why;
  throw new UpdateRepositoryError(code, message, { hint });
}

/** A device would not take a bundle that skips a barrier, or could not tell that it does. */
function checkBarriers(meta: SeriesMeta, from: ImageVersion | null, to: ImageVersion): void {
  const limits = { floor: null, allowDowngrade: true, barriers: [] };
  const target = chooseTarget(meta, from, { kind: 'version', version: to }, limits);
  if (target.kind === 'stay') {
    throw new UpdateRepositoryError('USAGE', `${meta.series}: expected two versions, found ${to} twice`);
  }
  const { version } = target.image;
  if (version === to) return;
  throw new UpdateRepositoryError(
    'CONFIG',
    `${meta.series}: expected a way from ${from} to ${to} without a barrier, found ${version}, which is one`,
    { data: { from, to, barrier: version }, hint: `make a bundle to ${version}, and another one from there` },
  );
}

/** What a device has that is at the start of the path. */
function presentOf(meta: SeriesMeta, from: ImageVersion | null): readonly LocalImage[] {
  if (from === null) return [];
  const image = imageOf(meta, from);
  if (image === undefined) {
    throw new UpdateRepositoryError('NOT_FOUND', `${meta.series}: expected an image of version ${from}, found none`, {
      data: { series: meta.series, version: from },
      hint: 'start from a version that the mirror has, or from none',
    });
  }
  const { version, filename, size, sha256 } = image;
  return [{ version, filename, path: filename, sizeBytes: size, sha256 }];
}

function imageOf({ images }: SeriesMeta, version: ImageVersion | null): MetaImage | undefined {
  return images.find((image) => image.version === version);
}

async function* pieceOf(bytes: Buffer): AsyncIterable<Uint8Array> {
  yield bytes;
}

/** Downloads the file of a hop when its bytes are asked for, and removes it when they were read. */
async function* fetched(files: HopFiles, hop: Hop): AsyncIterable<Uint8Array> {
  const path = await files.fetch(hop);
  yield* filePieces(path);
  await rm(path);
}

async function withDirectoryBeside<T>(path: string, work: (directory: string) => Promise<T>): Promise<T> {
  let directory: string;
  try {
    directory = await mkdtemp(`${path}.parts-`);
  } catch (error) {
    throw fromSystemError(error, 'make a directory beside it', path);
  }
  try {
    return await work(directory);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
