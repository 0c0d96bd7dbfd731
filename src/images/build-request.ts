import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fromSystemError, UpdateRepositoryError } from '../errors.js';
import type { NoteEvent } from '../events.js';
import { readTextFile } from '../io/atomic-file.js';
import type { ImageName } from '../metadata/image-name.js';
import { checkDeltaNames, type DeltaPolicy, type WantedDelta, wantedDeltas } from './delta-policy.js';
import { type ScannedImage, scanImages } from './scan.js';
import { checkSeries, type Series, seriesFromConfigs, seriesFromNames } from './series.js';
import { mergeSeriesConfigs, parseSeriesConfig, type SeriesConfig } from './series-config.js';

/** Which images are wanted: all that the directory has, or those that configuration files list. */
export interface Selection {
  /** Files, or directories whose `*.json` are meant; none: the names of the images make the series. */
  readonly configPaths: readonly string[];
  /** Take only images with the execute bit, the old wrapper's publish flag. */
  readonly executableOnly: boolean;
}

/** What a mirror is to hold. */
export interface BuildRequest {
  readonly series: readonly Series[];
  /** The deltas of each series, in the order of its images and their diffs. */
  readonly deltas: ReadonlyMap<Series, readonly WantedDelta[]>;
  /** The image files that this takes, by file name: those of the series and the bases from outside. */
  readonly images: ReadonlyMap<string, WantedImage>;
  readonly notes: readonly NoteEvent[];
}

export interface WantedImage {
  readonly name: ImageName;
  /** The file; null when a configuration lists an image that is not there. */
  readonly file: ScannedImage | null;
  /** False for an image that serves only as a base. */
  readonly publish: boolean;
}

const MAX_CONFIG_BYTES = 16 << 20;

/**
 * Reads the image directory and the configuration, and settles what is wanted. Nothing is read of the images but their
 * names and what stat tells.
 *
 * @throws UpdateRepositoryError NAME, CONFIG, FORMAT or NOT_FOUND.
 */
export async function resolveRequest(
  imagesDir: string,
  selection: Selection,
  policy: DeltaPolicy,
): Promise<BuildRequest> {
  const scanned = await scanImages(imagesDir, { executableOnly: selection.executableOnly });
  const names = [...scanned.images.values()].map(({ name }) => name);
  const configs = selection.configPaths.length === 0 ? null : await readConfigs(selection.configPaths);
  const series = configs === null ? seriesFromNames(names) : seriesFromConfigs(configs);
  checkSeries(series);
  if (series.length === 0) throw nothingToPublish(imagesDir, selection);
  const deltas = new Map(series.map((one) => [one, wantedDeltas(one, policy)]));
  checkDeltaNames([...deltas.values()].flat());
  const images = wantedImages(series, deltas, scanned.images);
  const unlisted = names.filter(({ fileName }) => !images.has(fileName));
  return {
    series,
    deltas,
    images,
    notes: [...scanned.notes, ...configNotes(configs ?? []), ...unlistedNotes(unlisted)],
  };
}

function configNotes(configs: readonly SeriesConfig[]): NoteEvent[] {
  return configs.flatMap(({ name, notes }) =>
    notes.map((message): NoteEvent => ({ type: 'note', level: 'warning', subject: name, message })),
  );
}

function unlistedNotes(names: readonly ImageName[]): NoteEvent[] {
  return names.map(({ fileName }) => ({
    type: 'note',
    level: 'info',
    subject: fileName,
    message: 'left alone: no configuration lists it',
  }));
}

function wantedImages(
  series: readonly Series[],
  deltas: BuildRequest['deltas'],
  files: ReadonlyMap<string, ScannedImage>,
): ReadonlyMap<string, WantedImage> {
  const wanted = new Map<string, WantedImage>();
  const want = (name: ImageName, publish: boolean): void => {
    if (wanted.has(name.fileName)) return;
    wanted.set(name.fileName, { name, publish, file: files.get(name.fileName) ?? null });
  };
  for (const { images } of series) for (const name of images) want(name, true);
  for (const { base } of [...deltas.values()].flat()) want(base, false);
  return wanted;
}

async function readConfigs(paths: readonly string[]): Promise<SeriesConfig[]> {
  const files = (await Promise.all(paths.map(configFiles))).flat();
  const parsed = await Promise.all(
    files.map(async (file) => {
      const text = await readTextFile(file, MAX_CONFIG_BYTES);
      if (text === null) throw new UpdateRepositoryError('NOT_FOUND', `${file}: no such series configuration`);
      return { file, configs: parseSeriesConfig(text, file) };
    }),
  );
  return mergeSeriesConfigs(parsed);
}

async function configFiles(path: string): Promise<string[]> {
  try {
    if (!(await stat(path)).isDirectory()) return [path];
    const files = (await readdir(path)).filter((name) => name.endsWith('.json')).sort();
    if (files.length > 0) return files.map((name) => join(path, name));
  } catch (error) {
    throw fromSystemError(error, 'read the series configuration', path);
  }
  throw new UpdateRepositoryError('CONFIG', `${path}: expected series configurations (*.json), found none`);
}

function nothingToPublish(imagesDir: string, selection: Selection): UpdateRepositoryError {
  if (selection.configPaths.length > 0) {
    return new UpdateRepositoryError(
      'CONFIG',
      `${selection.configPaths.join(', ')}: expected at least one series, found none`,
    );
  }
  const wanted = selection.executableOnly ? 'an executable image' : 'an image';
  return new UpdateRepositoryError(
    'NOT_FOUND',
    `${imagesDir}: expected ${wanted} <stem>-YYYY-MM-DD-HHMMSS-<arch>.img, found none`,
    {
      data: { path: imagesDir },
      ...(selection.executableOnly ? { hint: 'chmod +x the images to publish, or leave -c out' } : {}),
    },
  );
}
