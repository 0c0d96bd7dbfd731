import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { type Downloaded, downloadFile } from '../../../src/client/download/download-file.js';
import type { Mirrors } from '../../../src/client/download/mirrors.js';
import { partialBytes } from '../../../src/client/download/partial-file.js';
import type { RemoteFile } from '../../../src/client/download/remote-file.js';
import { type ErrorCode, UpdateRepositoryError } from '../../../src/errors.js';
import { pseudoRandomBytes, pseudoRandomNumbers } from '../../support/pseudo-random.js';
import { temporaryDirectoryOfSuite } from '../../support/temporary-directory.js';
import { haveTools } from '../../support/tools.js';
import { type Certificates, makeCertificates } from '../support/certificates.js';
import { disturbedRuns } from '../support/disturbed-runs.js';
import { DOWNLOAD_FAULTS, type DownloadFault, type FaultyServer, startFaultyServer } from '../support/faulty-server.js';
import { openedMirrors, remoteFile } from '../support/opened-mirrors.js';

const { SOAK_RUNS, SOAK_SEED = '1' } = process.env;
/** A run takes a second, and not a fraction of a millisecond as a case of a property does. */
const runs = SOAK_RUNS === undefined ? 40 : Math.max(40, Math.ceil(Number(SOAK_RUNS) / 20));
const LONGEST_MS = 60_000;
const PATH = 'rdiffs/a.rdiff';
const LIMITS = { answerTimeoutMs: 400, textTimeoutMs: 5_000, pace: { bytesPerSecond: 2_000, windowMs: 200 } };

/** Which faults have to have happened where a download ends with such an error. */
const CAUSES: Partial<Record<ErrorCode, readonly DownloadFault[]>> = {
  VERIFICATION: ['wrong-bytes', 'changed'],
  CHANGED_WHILE_READ: ['changed'],
  NOT_FOUND: ['status-404'],
  STORAGE: ['status-404', 'status-403', 'redirect', 'redirect-loop', 'redirect-to-file', 'range-ignored'],
  NETWORK: DOWNLOAD_FAULTS,
};

describe.skipIf(!haveTools('openssl'))(`mirrors that fail (SOAK_SEED=${SOAK_SEED})`, () => {
  const dir = temporaryDirectoryOfSuite();
  let certificates: Certificates;

  beforeAll(() => {
    certificates = makeCertificates(dir);
  });

  test(
    `deliver the right bytes or a clear error, ${runs} times, and then the rest undisturbed`,
    async () => {
      const endings = await disturbedRuns(runs, disturbedRun);
      // That faults were survived, and that others were not, is what makes the rest of this worth anything.
      expect(endings.get('done')).toBeGreaterThan(runs / 10);
      expect(endings.size).toBeGreaterThan(2);
    },
    60_000 + runs * 10_000,
  );

  async function disturbedRun(run: number): Promise<string> {
    const random = pseudoRandomNumbers(`${SOAK_SEED} ${run}`);
    const below = (count: number) => Math.floor(random() * count);
    const bytes = pseudoRandomBytes(`${SOAK_SEED} ${run}`, below(2) === 0 ? below(1_000) : below(1_000_000));
    const isTls = below(3) === 0;
    const start = () =>
      startFaultyServer({
        files: new Map([[PATH, bytes]]),
        random,
        etags: below(4) > 0,
        ...(isTls ? { certificates } : {}),
      });
    const servers = [];
    for (let count = 1 + below(3); servers.length < count; ) servers.push(await start());
    const chance = random();
    const faults = below(2) === 0 ? DOWNLOAD_FAULTS : [DOWNLOAD_FAULTS[below(DOWNLOAD_FAULTS.length)]!];
    for (const server of servers) {
      server.faultOf = () => (random() < chance ? faults[below(faults.length)]! : null);
    }
    const isLastFallback = servers.length > 1 && below(2) === 0;
    const file = remoteFile(PATH, bytes, isLastFallback ? [`${servers.at(-1)?.url}/${PATH}`] : []);
    const roots = (isLastFallback ? servers.slice(0, -1) : servers).map(({ url }) => url);
    const directory = mkdtempSync(join(dir, 'partial-'));
    const about = `run ${run}`;
    const stopAfterMs = below(4) === 0 ? below(300) : LONGEST_MS;
    const first = await attempt({ roots, file, directory, stopAfterMs });
    expect(first.ms, about).toBeLessThan(LONGEST_MS);
    expectExplained(`${about}: ${first.ending}: ${first.error}`, first, servers);
    expectFewBytes(about, first, file, servers);
    // And now that nothing fails, the rest comes, and no more than that.
    for (const server of servers) server.faultOf = () => null;
    const keptBytes = await partialBytes(directory, file);
    const last = await attempt({ roots, file, directory, stopAfterMs: LONGEST_MS, isPatient: true });
    expect(last.ending, `${about}: ${last.error}`).toBe('done');
    expect(readFileSync(join(directory, 'a.rdiff')).equals(bytes), about).toBe(true);
    if (last.restarts === 0) expect(last.mirrors.traffic.fetchedBytes, about).toBe(bytes.length - keptBytes);
    for (const server of servers) server.stop();
    rmSync(directory, { recursive: true });
    return first.ending;
  }

  interface Attempt {
    readonly roots: readonly string[];
    readonly file: RemoteFile;
    readonly directory: string;
    readonly stopAfterMs: number;
    /** For servers that do well, on a machine that is busy. */
    readonly isPatient?: boolean;
  }

  interface Attempted {
    readonly ending: ErrorCode | 'done';
    readonly error: string;
    readonly mirrors: Mirrors;
    /** How often all that was there was dropped. */
    readonly restarts: number;
    readonly isStopped: boolean;
    readonly ms: number;
  }

  async function attempt({ roots, file, directory, stopAfterMs, isPatient = false }: Attempt): Promise<Attempted> {
    const limits = { answerTimeoutMs: 20_000, textTimeoutMs: 20_000, pace: { bytesPerSecond: 1, windowMs: 20_000 } };
    const { mirrors } = await openedMirrors(roots, {
      caFile: certificates.caFile,
      limits: isPatient ? limits : LIMITS,
    });
    const stop = new AbortController();
    const timer = setTimeout(() => stop.abort(), stopAfterMs);
    const startedAt = performance.now();
    let restarts = 0;
    const ended = (ending: Attempted['ending'], error: string): Attempted => {
      return { ending, error, mirrors, restarts, isStopped: stop.signal.aborted, ms: performance.now() - startedAt };
    };
    try {
      const options = { directory, signal: stop.signal, onEvent: () => restarts++ };
      const { path }: Downloaded = await downloadFile(mirrors, file, options);
      return ended('done', path);
    } catch (error) {
      if (error instanceof UpdateRepositoryError) return ended(error.code, error.message);
      throw error;
    } finally {
      clearTimeout(timer);
      await mirrors.close();
    }
  }

  function expectExplained(about: string, { ending, error, isStopped }: Attempted, servers: readonly FaultyServer[]) {
    expect(error, about).not.toContain('\n');
    if (ending === 'done') return;
    if (ending === 'INTERRUPTED') {
      expect(isStopped, about).toBe(true);
      return;
    }
    const happened = servers.flatMap(({ served }) => served.map(({ fault }) => fault));
    expect(Object.keys(CAUSES), about).toContain(ending);
    expect(
      CAUSES[ending]?.some((fault) => happened.includes(fault)),
      about,
    ).toBe(true);
  }

  /** What is planned comes once for each time that it is begun, and what else comes was sent by a server that failed. */
  function expectFewBytes(
    about: string,
    { mirrors, restarts }: Attempted,
    { sizeBytes }: RemoteFile,
    servers: readonly FaultyServer[],
  ) {
    const failed = servers.flatMap(({ served }) => served.filter(({ fault }) => fault !== null));
    const retriedBytes = failed.reduce((sum, { sentBytes }) => sum + Math.min(sentBytes, sizeBytes + (256 << 10)), 0);
    expect(mirrors.traffic.fetchedBytes, about).toBeLessThanOrEqual(sizeBytes * (1 + restarts) + retriedBytes);
  }
});
