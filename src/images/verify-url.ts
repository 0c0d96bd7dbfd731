import { createHash } from 'node:crypto';
import { hasCode, UpdateRepositoryError } from '../errors.js';
import type { EventSink, ProblemEvent, VerifySummaryEvent } from '../events.js';
import { PosixCksum } from '../io/posix-cksum.js';
import type { HttpClient } from '../publish/http/client.js';
import { METADATA_DIR, metadataFileName } from '../trust/tuf/documents.js';
import { DEFAULT_LIFETIMES } from '../trust/tuf/lifetimes.js';
import type { ReadMetadata } from '../trust/tuf/repository.js';
import { brokenClaims, claimedBytes, type Expectation, readExpectations } from './expectations.js';
import { type MetadataSource, metadataProblems, namedChannels } from './metadata-claims.js';
import { openServedMirror, readServedChannels, readServedIndexes, readServedMetadata } from './served-mirror.js';
import { servedSignatureProblems } from './served-signatures.js';

export interface VerifyUrlOptions {
  readonly url: string;
  /** The text of a root that the metadata has to go back to; undefined believes the server's first one. */
  readonly trustedRoot?: string | undefined;
  /** How many files are downloaded at once. */
  readonly transfers: number;
  readonly signal: AbortSignal;
  readonly onEvent: EventSink;
}

/**
 * Downloads every file that an index of a served mirror names and compares it with all that is claimed of it, the indexes
 * with each other and with what is signed, and follows the metadata from the roots down. Every finding is a `problem` event;
 * the summary counts them. Memory: some pieces a transfer.
 *
 * @throws UpdateRepositoryError CONFIG where there is no mirror; NETWORK where the indexes cannot be had
 */
export async function verifyUrl(options: VerifyUrlOptions): Promise<VerifySummaryEvent> {
  const startedAt = performance.now();
  const { url, signal, onEvent } = options;
  const counts = { error: 0, warning: 0 };
  const report = (problem: ProblemEvent): void => {
    counts[problem.level]++;
    onEvent(problem);
  };
  const client = await openServedMirror(url);
  try {
    const indexes = await readServedIndexes(client, signal);
    const channels = await namedChannels(readServedMetadata(client, signal));
    const texts = new Map([...indexes, ...(await readServedChannels(client, channels, signal))]);
    const { files, problems } = readExpectations(texts, false);
    problems.forEach(report);
    (await metadataProblems(servedMetadata(client, options), texts)).forEach(report);
    (await servedSignatureProblems(client, texts, signal)).forEach(report);
    onEvent({ type: 'plan', dryRun: false, actions: files.map(digestAction) });
    const bytes = await downloadAll(client, files, options, report);
    const summary: VerifySummaryEvent = {
      type: 'verify-summary',
      mirror: client.address.name,
      files: files.length,
      bytes,
      deltasApplied: 0,
      errors: counts.error,
      warnings: counts.warning,
      durationMs: Math.round(performance.now() - startedAt),
    };
    onEvent(summary);
    return summary;
  } finally {
    await client.close();
  }
}

/** The metadata of a server; where its own first root is believed, a note tells so. */
function servedMetadata(client: HttpClient, options: VerifyUrlOptions): MetadataSource {
  const { trustedRoot = null, signal, onEvent } = options;
  const served = readServedMetadata(client, signal);
  const read: ReadMetadata = async (fileName, maxBytes) => {
    const text = await served(fileName, maxBytes);
    if (fileName === metadataFileName('root', 1) && text !== null && trustedRoot === null) {
      const message = 'believed from 1.root.json of this very server on, which anybody may have put there';
      onEvent({ type: 'note', level: 'info', subject: METADATA_DIR, message });
    }
    return text;
  };
  return { read, trustedRoot, lifetimes: DEFAULT_LIFETIMES };
}

function digestAction({ path }: Expectation) {
  return { action: 'digest', path, detail: 'listed', sizeBytes: null } as const;
}

/** Resolves to the bytes of all of them. */
async function downloadAll(
  client: HttpClient,
  files: readonly Expectation[],
  { transfers, signal, onEvent }: VerifyUrlOptions,
  report: (problem: ProblemEvent) => void,
): Promise<number> {
  let bytes = 0;
  let job = 0;
  const waiting = files.toReversed();
  const workOff = async (): Promise<void> => {
    for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
      if (signal.aborted) throw new UpdateRepositoryError('INTERRUPTED', 'interrupted');
      const downloaded = await download(client, file, ++job, signal, onEvent);
      bytes += downloaded.sizeBytes;
      downloaded.problems.forEach(report);
    }
  };
  await Promise.all(Array.from({ length: Math.min(transfers, files.length) }, workOff));
  return bytes;
}

interface Downloaded {
  readonly sizeBytes: number;
  readonly problems: readonly ProblemEvent[];
}

async function download(
  client: HttpClient,
  file: Expectation,
  job: number,
  signal: AbortSignal,
  onEvent: EventSink,
): Promise<Downloaded> {
  const { path } = file;
  const kind = 'digest';
  const startedAt = performance.now();
  const totalBytes = claimedBytes(file) ?? 0;
  onEvent({ type: 'job-started', job, kind, path, totalBytes });
  const onBytes = (doneBytes: number) => onEvent({ type: 'job-progress', job, doneBytes });
  const { sizeBytes, problems } = await readAndCompare(client, file, signal, onBytes);
  const durationMs = Math.round(performance.now() - startedAt);
  const detail = problems.length === 0 ? 'good' : 'wrong';
  onEvent({ type: 'job-finished', job, kind, path, sizeBytes, durationMs, detail });
  return { sizeBytes, problems };
}

/** Reads little more than what is claimed, where a size is: a server may send for ever. */
async function readAndCompare(
  client: HttpClient,
  file: Expectation,
  signal: AbortSignal,
  onBytes: (doneBytes: number) => void,
): Promise<Downloaded> {
  const { path } = file;
  const mostBytes = claimedBytes(file) ?? Number.MAX_SAFE_INTEGER;
  const cksum = new PosixCksum();
  const [sha256, sha512] = [createHash('sha256'), createHash('sha512')];
  let sizeBytes = 0;
  const wrong = (kind: ProblemEvent['kind'], message: string): Downloaded => {
    return { sizeBytes, problems: [{ type: 'problem', level: 'error', kind, path, message }] };
  };
  try {
    const pieces = await client.bytes(path, { signal });
    if (pieces === null) return wrong('missing', 'the server has none');
    for await (const piece of pieces) {
      sizeBytes += piece.length;
      if (sizeBytes > mostBytes) return wrong('mismatch', `expected ${mostBytes} bytes, found more`);
      sha256.update(piece);
      sha512.update(piece);
      cksum.update(piece);
      onBytes(sizeBytes);
    }
  } catch (error) {
    if (!hasCode(error, 'NETWORK') && !hasCode(error, 'STORAGE')) throw error;
    return wrong('unreadable', error.message);
  }
  const digests = { cksum: cksum.digest(), sha256: sha256.digest('hex'), sha512: sha512.digest('hex') };
  return { sizeBytes, problems: brokenClaims(file, sizeBytes, digests) };
}
