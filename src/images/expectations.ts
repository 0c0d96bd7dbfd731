import { hasCode } from '../errors.js';
import type { ProblemEvent } from '../events.js';
import type { RawDigests } from '../io/digest.js';
import { isChannelPath, parseChannel } from '../metadata/channel.js';
import { parseCksums, parseSha256Sums } from '../metadata/checksum-lists.js';
import { parseIndexJson } from '../metadata/index-json.js';
import { type MetaDiff, type MetaImage, type MetaZst, parseSeriesMeta, type SeriesMeta } from '../metadata/meta.js';
import {
  CKSUMS_FILE,
  DELTA_SHA256SUMS_FILE,
  INDEX_FILE,
  listedPath,
  META_DIR,
  metaPath,
  pathBeside,
  RDIFFS_DIR,
  rdiffPath,
  SHA256SUMS_FILE,
} from '../metadata/mirror-paths.js';
import { findChannelFault } from './channel-versions.js';
import { renderIndexes } from './contents.js';
import { listedBestBefore } from './disk-indexes.js';

/** Everything that the indexes of a mirror claim of one file. */
export interface Expectation {
  readonly path: string;
  readonly claims: readonly Claim[];
}

export interface Claim {
  /** The index that makes it. */
  readonly source: string;
  readonly field: ClaimedField;
  readonly value: string;
}

export type ClaimedField = 'size' | 'cksum' | 'sha256' | 'sha512';

export interface Expectations {
  readonly files: readonly Expectation[];
  readonly metas: readonly SeriesMeta[];
  /** What is wrong with the indexes themselves and between them. */
  readonly problems: readonly ProblemEvent[];
}

/**
 * Reads what the indexes claim, and compares them with each other. Pure.
 *
 * @param texts the index files that are there, by path
 * @param interrupted whether a build was killed while it rewrote them: then they may differ from each other
 */
export function readExpectations(texts: ReadonlyMap<string, string>, interrupted: boolean): Expectations {
  const problems: ProblemEvent[] = [];
  const parse = <T>(path: string, read: (text: string, file: string) => T): T | null => {
    const text = texts.get(path);
    if (text === undefined) return null;
    try {
      return read(text, path);
    } catch (error) {
      if (!hasCode(error, 'FORMAT') && !hasCode(error, 'NAME')) throw error;
      problems.push({ type: 'problem', level: 'error', kind: 'malformed', path, message: error.message });
      return null;
    }
  };
  const metaTexts = [...texts.keys()].filter((path) => path.startsWith(`${META_DIR}/`));
  const metas = metaTexts.flatMap((path) => parse(path, parseSeriesMeta) ?? []);
  problems.push(...misnamedMetas(metaTexts, metas));
  const claims = [
    ...metas.flatMap(metaClaims),
    ...(parse(CKSUMS_FILE, parseCksums) ?? []).flatMap((entry) => cksumClaims(entry)),
    ...[SHA256SUMS_FILE, DELTA_SHA256SUMS_FILE].flatMap((list) =>
      (parse(list, parseSha256Sums) ?? []).map(({ path, sha256 }) =>
        claim(pathBeside(list, path), list, 'sha256', sha256),
      ),
    ),
  ];
  parse(INDEX_FILE, parseIndexJson);
  for (const path of [...texts.keys()].filter(isChannelPath)) {
    const channel = parse(path, parseChannel);
    const found = channel && findChannelFault(channel, metas);
    if (channel === null || found === null) continue;
    const message = `names version ${channel.version} of series ${channel.series}, found ${found}`;
    problems.push({ type: 'problem', level: 'error', kind: 'inconsistent', path, message });
  }
  problems.push(...disagreements(texts, metas, interrupted));
  return { files: groupByPath(claims), metas, problems };
}

/** The claims that a file of these bytes does not keep. */
export function brokenClaims({ path, claims }: Expectation, sizeBytes: number, digests: RawDigests): ProblemEvent[] {
  const found = { size: String(sizeBytes), ...digests };
  return claims
    .filter(({ field, value }) => found[field] !== value)
    .map(({ source, field, value }) => ({
      type: 'problem',
      level: 'error',
      kind: 'mismatch',
      path,
      message: `expected ${field} ${value} (${source}), found ${found[field]}`,
    }));
}

/** The size that is claimed of a file, in bytes; null where no index has one. */
export function claimedBytes({ claims }: Expectation): number | null {
  const size = claims.find(({ field }) => field === 'size')?.value;
  return size === undefined ? null : Number(size);
}

type PathClaim = Claim & { readonly path: string };

function claim(path: string, source: string, field: ClaimedField, value: string | number): PathClaim {
  return { path, source, field, value: String(value) };
}

function metaClaims({ series, images }: SeriesMeta): PathClaim[] {
  const source = metaPath(series);
  const fileClaims = (path: string, file: MetaImage | MetaDiff | MetaZst): PathClaim[] => [
    claim(path, source, 'size', file.size),
    claim(path, source, 'cksum', file.cksum),
    claim(path, source, 'sha256', file.sha256),
    claim(path, source, 'sha512', file.sha512),
  ];
  return images.flatMap((image) => [
    ...fileClaims(image.filename, image),
    ...image.diffs
      .flatMap((diff) => [diff, ...(diff.zst === undefined ? [] : [diff.zst])])
      .flatMap((file) => fileClaims(rdiffPath(file.filename), file)),
  ]);
}

function cksumClaims(entry: ReturnType<typeof parseCksums>[number]): PathClaim[] {
  const path = listedPath(entry.fileName);
  return [claim(path, CKSUMS_FILE, 'cksum', entry.cksum), claim(path, CKSUMS_FILE, 'size', entry.sizeBytes)];
}

function groupByPath(claims: readonly PathClaim[]): Expectation[] {
  const files = new Map<string, Claim[]>();
  for (const { path, ...rest } of claims) {
    const known = files.get(path);
    if (known === undefined) files.set(path, [rest]);
    else known.push(rest);
  }
  return [...files].map(([path, of]) => ({ path, claims: of }));
}

function misnamedMetas(paths: readonly string[], metas: readonly SeriesMeta[]): ProblemEvent[] {
  return metas
    .filter(({ series }) => !paths.includes(metaPath(series)))
    .map(({ series }) => ({
      type: 'problem',
      level: 'error',
      kind: 'inconsistent',
      path: metaPath(series),
      message: `series ${series} is described in a file of another name`,
    }));
}

/** The indexes say the same thing in several forms: the lists of another moment than the metas' lock clients out. */
function disagreements(
  texts: ReadonlyMap<string, string>,
  metas: readonly SeriesMeta[],
  interrupted: boolean,
): ProblemEvent[] {
  const level = interrupted ? 'warning' : 'error';
  const because = interrupted ? ' (a build was interrupted: run it again)' : '';
  const expected = renderIndexes(metas, listedBestBefore(texts));
  const problem = (path: string, message: string): ProblemEvent => {
    return { type: 'problem', level, kind: 'inconsistent', path, message: `${message}${because}` };
  };
  return [CKSUMS_FILE, SHA256SUMS_FILE, DELTA_SHA256SUMS_FILE, INDEX_FILE].flatMap((path): ProblemEvent[] => {
    const text = texts.get(path);
    if (text === undefined) return expected.has(path) ? [missingIndex(path, interrupted)] : [];
    const [missing, extra] = compareLines(expected.get(path) ?? '', text);
    if (missing === undefined && extra === undefined) return [];
    if (path === SHA256SUMS_FILE && LINE_OF_DELTA.test(text)) return [problem(path, OLD_LIST)];
    return [problem(path, `differs from meta: ${missing === undefined ? `has ${extra}` : `lacks ${missing}`}`)];
  });
}

/** What earlier versions of this program wrote. */
const LINE_OF_DELTA = new RegExp(`^[0-9a-f]{64} [ *]${RDIFFS_DIR}/`, 'm');
const OLD_LIST = `lists files of ${RDIFFS_DIR}/, for which systemd-sysupdate 257 refuses all of it: build the mirror again`;

/** The first line that only one of two texts has, whatever their order. */
function compareLines(expected: string, found: string): [missing: string | undefined, extra: string | undefined] {
  const [expectedLines, foundLines] = [expected, found].map((text) => new Set(text.split('\n')));
  const missing = [...(expectedLines ?? [])].find((line) => !foundLines?.has(line));
  const extra = [...(foundLines ?? [])].find((line) => !expectedLines?.has(line));
  return [missing, extra];
}

function missingIndex(path: string, interrupted: boolean): ProblemEvent {
  // Mirrors of Puavo's own producer have only meta and CKSUMS.
  const isNeeded = path === CKSUMS_FILE && !interrupted;
  return { type: 'problem', level: isNeeded ? 'error' : 'warning', kind: 'missing', path, message: 'there is none' };
}
