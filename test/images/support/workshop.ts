import { copyFile, mkdir, rm, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type BuildOptions,
  type BuildSummaryEvent,
  buildMirror,
  type PruneOptions,
  type PruneSummaryEvent,
  pruneMirror,
  type RepositoryEvent,
  type VerifyOptions,
  type VerifySummaryEvent,
  verifyMirror,
} from 'update-repository';
import { dailyStamps } from '../../support/image-name.js';
import { makeRawImages } from '../../support/raw-images.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';

/** An image directory and the mirror that is built of it, in one folder. */
export interface Workshop {
  readonly folder: string;
  readonly imagesDir: string;
  readonly mirrorDir: string;
}

/** What an operation said while it ran, and its summary. */
export interface Run<Summary> {
  readonly events: readonly RepositoryEvent[];
  readonly summary: Summary;
}

export const STEM = 'puavo-os-acme-bookworm';
export const SERIES = `${STEM}-amd64`;

/** The image of the day, counted from 1. */
export function dayImage(day: number, stem = STEM): string {
  return `${stem}-${dailyStamps(day).at(-1)}-amd64.img`;
}

/** The delta from the image of one day to that of another, without its directory. */
export function dayDelta(base: number, target: number, stem = STEM): string {
  return `${stem}-${dailyStamps(base).at(-1)}--${dailyStamps(target).at(-1)}-amd64.rdiff`;
}

/** {@link dayDelta} as a path in the mirror. */
export function dayDeltaPath(base: number, target: number, stem = STEM): string {
  return `rdiffs/${dayDelta(base, target, stem)}`;
}

/**
 * A workshop whose image directory has a small raw image of each of the first `days` days; in `folder`, where one is
 * given, else in a folder that goes with the running test.
 */
export async function makeWorkshop(
  days: number,
  { sizeBytes = IMAGE_BYTES, folder: given = '', compressible = false } = {},
): Promise<Workshop> {
  const folder = given || (await temporaryDirectory());
  const workshop = { folder, imagesDir: join(folder, 'images'), mirrorDir: join(folder, 'mirror') };
  await addImages(
    workshop,
    Array.from({ length: days }, (_, day) => day + 1),
    { sizeBytes, compressible },
  );
  return workshop;
}

/**
 * Puts the images of these days into the image directory. The same day and seed give the same bytes; where no seed is
 * given it is the stem.
 */
export async function addImages(
  { imagesDir, folder }: Pick<Workshop, 'imagesDir' | 'folder'>,
  days: readonly number[],
  { stem = STEM, seed = '', sizeBytes = IMAGE_BYTES, compressible = false } = {},
): Promise<void> {
  const pool = join(folder, 'pool');
  const stamps = dailyStamps(Math.max(0, ...days));
  await makeRawImages({ dir: pool, stem, arch: 'amd64', stamps, seed: seed || stem, sizeBytes, compressible });
  await mkdir(imagesDir, { recursive: true });
  for (const day of days) {
    const image = join(imagesDir, dayImage(day, stem));
    await copyFile(join(pool, dayImage(day, stem)), image);
    await utimes(image, BUILD_TIME, BUILD_TIME);
  }
  await rm(pool, { recursive: true });
}

const IMAGE_BYTES = 100_000;
/** In seconds: a whole number, so that tests can give an image they have changed its old mtime back to the nanosecond. */
const BUILD_TIME = 1_704_088_800;

/** Builds the mirror: neighbours' deltas, a base URL, hard links, two jobs, unless the test says otherwise. */
export async function build(workshop: Workshop, changes: Partial<BuildOptions> = {}): Promise<Run<BuildSummaryEvent>> {
  const events: RepositoryEvent[] = [];
  const summary = await buildMirror({
    ...workshop,
    selection: { configPaths: [], executableOnly: false },
    deltas: { kind: 'neighbours' },
    maxDeltaRatio: 0.8,
    baseUrl: 'https://images.example.org',
    link: 'auto',
    resources: RESOURCES,
    prune: undefined,
    keepGoing: false,
    replace: false,
    breakLock: false,
    dryRun: false,
    signal: new AbortController().signal,
    ...changes,
    onEvent(event) {
      events.push(event);
      changes.onEvent?.(event);
    },
  });
  return { events, summary };
}

/** Verifies the mirror. */
export async function verify(
  { mirrorDir }: Pick<Workshop, 'mirrorDir'>,
  changes: Partial<VerifyOptions> = {},
): Promise<Run<VerifySummaryEvent>> {
  const events: RepositoryEvent[] = [];
  const summary = await verifyMirror({
    mirrorDir,
    deep: false,
    resources: RESOURCES,
    signal: new AbortController().signal,
    onEvent: (event) => events.push(event),
    ...changes,
  });
  return { events, summary };
}

/** Prunes the mirror, without any grace unless the test says otherwise. */
export async function prune(
  { mirrorDir }: Pick<Workshop, 'mirrorDir'>,
  changes: Partial<PruneOptions> = {},
): Promise<Run<PruneSummaryEvent>> {
  const events: RepositoryEvent[] = [];
  const summary = await pruneMirror({
    mirrorDir,
    graceMs: 0,
    breakLock: false,
    dryRun: false,
    signal: new AbortController().signal,
    onEvent: (event) => events.push(event),
    ...changes,
  });
  return { events, summary };
}

const RESOURCES = { jobs: 2, memoryBytes: 2 ** 30 };
