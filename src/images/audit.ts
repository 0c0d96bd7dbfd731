import { hasCode } from '../errors.js';
import type { AuditSummaryEvent, EventSink, ProblemEvent } from '../events.js';
import { parseIndexJson } from '../metadata/index-json.js';
import { INDEX_FILE } from '../metadata/mirror-paths.js';
import type { Answer, HttpClient } from '../publish/http/client.js';
import { cacheRule } from '../publish/release.js';
import { claimedBytes, readExpectations } from './expectations.js';
import { namedChannels } from './metadata-claims.js';
import { openServedMirror, readServedChannels, readServedIndexes, readServedMetadata } from './served-mirror.js';
import { servedSignatureProblems } from './served-signatures.js';

export interface AuditOptions {
  /** Where the same mirror is served. */
  readonly urls: readonly string[];
  readonly transfers: number;
  readonly signal: AbortSignal;
  readonly onEvent: EventSink;
}

/** One mirror as it was found: the newest version of each series. */
interface Audited {
  readonly name: string;
  readonly newest: ReadonlyMap<string, string>;
}

/**
 * Looks at mirrors as clients do, without downloading what they serve: whether every file that an index names is there
 * with its size, can be had in parts, as it is, without a redirect, and may be cached as it should; whether the indexes
 * agree; and, of several mirrors, which have not what another one has. Every finding is a `problem` event.
 *
 * @throws UpdateRepositoryError USAGE for an address that is none; INTERRUPTED
 */
export async function auditMirrors(options: AuditOptions): Promise<AuditSummaryEvent> {
  const startedAt = performance.now();
  const counts = { error: 0, warning: 0 };
  let files = 0;
  const audited: Audited[] = [];
  for (const url of options.urls) {
    const client = await openServedMirror(url);
    const report = (problem: ProblemEvent): void => {
      counts[problem.level]++;
      options.onEvent({
        ...problem,
        path: problem.path === '' ? client.address.name : `${client.address.name}/${problem.path}`,
      });
    };
    try {
      const found = await auditOne(client, options, report);
      files += found.files;
      if (found.audited !== null) audited.push(found.audited);
    } finally {
      await client.close();
    }
  }
  for (const problem of staleOnes(audited)) {
    counts[problem.level]++;
    options.onEvent(problem);
  }
  const summary: AuditSummaryEvent = {
    type: 'audit-summary',
    mirrors: options.urls.length,
    files,
    errors: counts.error,
    warnings: counts.warning,
    durationMs: Math.round(performance.now() - startedAt),
  };
  options.onEvent(summary);
  return summary;
}

type Report = (problem: ProblemEvent) => void;

async function auditOne(
  client: HttpClient,
  { transfers, signal }: AuditOptions,
  report: Report,
): Promise<{ readonly files: number; readonly audited: Audited | null }> {
  try {
    const indexes = await readServedIndexes(client, signal);
    const channels = await namedChannels(readServedMetadata(client, signal));
    const texts = new Map([...indexes, ...(await readServedChannels(client, channels, signal))]);
    const { files, problems } = readExpectations(texts, false);
    problems.forEach(report);
    (await servedSignatureProblems(client, texts, signal)).forEach(report);
    for (const path of new Set([...texts.keys(), ...channels]))
      await auditServing(client, { path, sizeBytes: null }, 'index', signal, report);
    const waiting = files.toReversed();
    const workOff = async (): Promise<void> => {
      for (let file = waiting.pop(); file !== undefined && !signal.aborted; file = waiting.pop()) {
        await auditServing(client, { path: file.path, sizeBytes: claimedBytes(file) }, 'immutable', signal, report);
      }
    };
    await Promise.all(Array.from({ length: transfers }, workOff));
    return { files: files.length, audited: { name: client.address.name, newest: newestOf(texts.get(INDEX_FILE)) } };
  } catch (error) {
    // One mirror that cannot be reached is a finding; the others are looked at all the same.
    if (!hasCode(error, 'NETWORK') && !hasCode(error, 'STORAGE') && !hasCode(error, 'CONFIG')) throw error;
    const message = error.hint === undefined ? error.message : `${error.message} (${error.hint})`;
    report({ type: 'problem', level: 'error', kind: 'unreadable', path: '', message });
    return { files: 0, audited: null };
  }
}

interface Served {
  readonly path: string;
  readonly sizeBytes: number | null;
}

/** Asks for a file as a client would that understands compression, and for its first byte and the one past its end. */
async function auditServing(
  client: HttpClient,
  { path, sizeBytes }: Served,
  kind: 'immutable' | 'index',
  signal: AbortSignal,
  report: Report,
): Promise<void> {
  const problem = (level: ProblemEvent['level'], what: ProblemEvent['kind'], message: string) =>
    report({ type: 'problem', level, kind: what, path, message });
  try {
    const head = await client.send('HEAD', path, { signal }, { headers: { 'accept-encoding': 'gzip, br, zstd' } });
    if (head.status >= 300 && head.status < 400) {
      problem('error', 'served', `expected no redirect, found ${head.status} to ${head.header('location')}`);
    } else if (head.status === 404 || head.status === 410) problem('error', 'missing', 'the server has none');
    else if (head.status !== 200) problem('error', 'unreadable', `expected status 200, found ${head.status}`);
    else {
      for (const [level, message] of headFaults(head, sizeBytes, kind)) problem(level, 'served', message);
      if (sizeBytes !== null)
        for (const message of await rangeFaults(client, path, sizeBytes, signal)) problem('error', 'served', message);
    }
  } catch (error) {
    if (!hasCode(error, 'NETWORK') && !hasCode(error, 'STORAGE')) throw error;
    problem('error', 'unreadable', error.message);
  }
}

type Fault = readonly [level: ProblemEvent['level'], message: string];

/** What is wrong with the headers of a whole file. Pure. */
export function headFaults(head: Answer, sizeBytes: number | null, kind: 'immutable' | 'index'): Fault[] {
  const faults: Fault[] = [];
  const encoding = head.header('content-encoding') ?? 'identity';
  if (encoding !== 'identity') faults.push(['error', `expected it as it is, found Content-Encoding ${encoding}`]);
  const length = head.header('content-length');
  if (sizeBytes !== null && encoding === 'identity' && length !== String(sizeBytes)) {
    faults.push(['error', `expected Content-Length ${sizeBytes}, found ${length ?? 'none'}`]);
  }
  const cache = head.header('cache-control');
  const wanted = cacheRule(kind);
  if (kind === 'index' && !/\b(no-cache|no-store|max-age=0)\b/.test(cache ?? '')) {
    faults.push(['warning', `expected Cache-Control ${wanted}, found ${cache ?? 'none'}: clients may see old indexes`]);
  }
  if (kind === 'immutable' && /\b(no-store)\b/.test(cache ?? '')) {
    faults.push(['warning', `expected Cache-Control ${wanted}, found ${cache}: nobody keeps what never changes`]);
  }
  return faults;
}

/** Downloads that were cut go on from where they were (RFC 9110 §14). */
async function rangeFaults(
  client: HttpClient,
  path: string,
  sizeBytes: number,
  signal: AbortSignal,
): Promise<string[]> {
  if (sizeBytes === 0) return [];
  const first = await client.send('GET', path, { signal }, { headers: { range: 'bytes=0-0' } });
  if (first.status !== 206) return [`expected 206 for a range, found ${first.status}: downloads cannot be resumed`];
  const range = first.header('content-range');
  const wanted = `bytes 0-0/${sizeBytes}`;
  if (range !== wanted) return [`expected Content-Range ${wanted}, found ${range ?? 'none'}`];
  const past = await client.send('GET', path, { signal }, { headers: { range: `bytes=${sizeBytes}-` } });
  return past.status === 416 ? [] : [`expected 416 for a range past its end, found ${past.status}`];
}

function newestOf(index: string | undefined): ReadonlyMap<string, string> {
  if (index === undefined) return new Map();
  try {
    const { series } = parseIndexJson(index, INDEX_FILE);
    return new Map(series.map(({ name, newest }) => [name, newest?.version ?? '']));
  } catch (error) {
    // It was reported already.
    if (hasCode(error, 'FORMAT')) return new Map();
    throw error;
  }
}

/** Of mirrors of the same, those that lack a series or a version that another one has. Pure. */
function staleOnes(mirrors: readonly Audited[]): ProblemEvent[] {
  const best = new Map<string, string>();
  for (const { newest } of mirrors) {
    for (const [series, version] of newest) if (version > (best.get(series) ?? '')) best.set(series, version);
  }
  return mirrors.flatMap(({ name, newest }) =>
    [...best]
      .filter(([series, version]) => (newest.get(series) ?? '') < version)
      .map(([series, version]): ProblemEvent => {
        const has = newest.get(series);
        const found = has === undefined ? 'no such series' : has === '' ? 'no image' : has;
        const message = `series ${series}: expected version ${version}, as another mirror has, found ${found}`;
        return { type: 'problem', level: 'error', kind: 'stale', path: name, message };
      }),
  );
}
