import { UpdateRepositoryError } from '../errors.js';
import { parseSeriesName } from '../metadata/brands.js';
import { type MirrorIndex, parseIndexJson } from '../metadata/index-json.js';
import { parseSeriesMeta, type SeriesMeta } from '../metadata/meta.js';
import { INDEX_FILE, META_DIR, metaPath } from '../metadata/mirror-paths.js';
import { findNameFault } from '../metadata/safe-name.js';
import type { ParseText } from './download/mirrors.js';
import type { WantedText } from './download/text-request.js';

/** Where a mirror is served. */
export interface MirrorPlace {
  /** The URL under which all its files are, with a slash at the end. */
  readonly root: string;
  /** The meta file that was asked for, relative to the root; null where it was the mirror. */
  readonly metaPath: string | null;
}

/** What reads the small files of a mirror. */
export interface TextSource {
  /** For messages. */
  readonly name: string;
  /**
   * What is in a file of at most `maxBytes`, by the first mirror that has it as `parse` takes it; null where none has such a
   * file. Throws what `parse` does where all of them have it otherwise.
   */
  read<T>({ path, maxBytes }: WantedText, parse: ParseText<T>, signal: AbortSignal): Promise<T | null>;
}

/** Ten thousand series fit well, and so does a series of tens of thousands of files. */
const MAX_TEXT_BYTES = 16 * 1024 * 1024;

/**
 * Takes the address of a mirror, or of one of its meta files (`…/meta/<series>.json`), as Puavo's configuration has it.
 *
 * @throws UpdateRepositoryError USAGE for anything but a plain http or https URL
 */
export function parseMirrorPlace(text: string): MirrorPlace {
  const [, root, name] = /^(.*\/)meta\/([^/]+\.json)$/.exec(text) ?? [];
  const decoded = name === undefined ? null : decodeName(name);
  const isPlain = /^https?:\/\//i.test(text) && URL.canParse(text) && !/[?#]/.test(text);
  if (isPlain && root !== undefined && decoded !== null) return { root, metaPath: `${META_DIR}/${decoded}` };
  if (isPlain && name === undefined) return { root: `${text.replace(/\/+$/, '')}/`, metaPath: null };
  throw new UpdateRepositoryError('USAGE', `${text}: expected the http or https URL of a mirror, found none`, {
    data: { url: text },
    hint: 'such as https://images.example.org/, or https://images.example.org/meta/SERIES.json',
  });
}

function decodeName(name: string): string | null {
  try {
    const decoded = decodeURIComponent(name);
    return findNameFault(decoded) === null ? decoded : null;
  } catch (error) {
    if (error instanceof URIError) return null;
    throw error;
  }
}

/** Which series of a mirror is asked for. */
export interface WantedSeries {
  /** The meta file that its address names, see {@link MirrorPlace}. */
  readonly metaPath: string | null;
  /** The name that it was given. */
  readonly series?: string | undefined;
  /** Taken of several where none is named. */
  readonly likely?: string | null;
}

/**
 * The meta file of the series that is asked for: by its address, by its name, because the mirror has no other, or as the
 * likely one of several.
 *
 * @throws UpdateRepositoryError USAGE where the mirror has several series, or not the one named; NOT_FOUND where there is no
 * mirror; FORMAT for an index that breaks its format, or does not fit its meta files; NETWORK, STORAGE, INTERRUPTED
 */
export async function fetchMeta(source: TextSource, wanted: WantedSeries, signal: AbortSignal): Promise<SeriesMeta> {
  if (wanted.metaPath !== null) {
    const meta = await readMeta(source, wanted.metaPath, signal);
    if (wanted.series === undefined || wanted.series === meta.series) return meta;
    throw wrongSeries(`${source.name}/${wanted.metaPath}`, wanted.series, [meta.series]);
  }
  const index = await source.read({ path: INDEX_FILE, maxBytes: MAX_TEXT_BYTES }, parseIndexJson, signal);
  if (index === null && wanted.series !== undefined) {
    const name = parseSeriesName(wanted.series, '--series');
    return await readMeta(source, metaPath(name), signal, name);
  }
  if (index === null) throw missing(source, INDEX_FILE, 'name the series, or the URL of its meta file');
  const { name, meta } = chooseSeries(index, source.name, wanted);
  return await readMeta(source, meta, signal, name);
}

function chooseSeries({ series }: MirrorIndex, where: string, { series: wanted, likely }: WantedSeries) {
  const [only, ...others] = series;
  const called = (name: string | null | undefined) => series.find((one) => one.name === name);
  const unnamed = others.length === 0 ? only : called(likely);
  const chosen = wanted === undefined ? unnamed : called(wanted);
  if (chosen !== undefined) return chosen;
  throw wrongSeries(
    where,
    wanted,
    series.map(({ name }) => name),
  );
}

function wrongSeries(where: string, wanted: string | undefined, found: readonly string[]): UpdateRepositoryError {
  const names = found.length === 0 ? 'none' : found.slice(0, 10).join(', ');
  return wanted === undefined
    ? new UpdateRepositoryError('USAGE', `${where}: expected one series, found ${names}`, {
        data: { url: where, series: found.slice(0, 10) },
        hint: 'choose one by --series',
      })
    : new UpdateRepositoryError('USAGE', `${where}: expected the series ${wanted}, found ${names}`, {
        data: { url: where, expected: wanted, series: found.slice(0, 10) },
      });
}

/** The meta file at a path; that of `series`, where it is known whose it has to be. */
async function readMeta(source: TextSource, path: string, signal: AbortSignal, series?: string): Promise<SeriesMeta> {
  const parse = (text: string, where: string) => ofSeries(series, parseSeriesMeta(text, where), where);
  const meta = await source.read({ path, maxBytes: MAX_TEXT_BYTES }, parse, signal);
  if (meta !== null) return meta;
  throw missing(source, path, 'the mirror, or the series, is not there');
}

function ofSeries(series: string | undefined, meta: SeriesMeta, where: string): SeriesMeta {
  if (series === undefined || meta.series === series) return meta;
  throw new UpdateRepositoryError('FORMAT', `${where}: expected the series ${series}, found ${meta.series}`, {
    data: { url: where, expected: series, found: meta.series },
  });
}

function missing({ name }: TextSource, path: string, hint: string): UpdateRepositoryError {
  return new UpdateRepositoryError('NOT_FOUND', `${name}/${path}: expected a mirror, found no such file`, {
    data: { url: `${name}/${path}` },
    hint,
  });
}
