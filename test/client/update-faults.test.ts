import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { type ErrorCode, UpdateRepositoryError } from '../../src/errors.js';
import { pseudoRandomNumbers } from '../support/pseudo-random.js';
import { temporaryDirectoryOfSuite } from '../support/temporary-directory.js';
import { haveTools } from '../support/tools.js';
import { disturbedRuns } from './support/disturbed-runs.js';
import { DOWNLOAD_FAULTS, type FaultyServer, startFaultyServer } from './support/faulty-server.js';
import {
  type BuiltMirror,
  buildMirrorOf,
  currentBytes,
  deviceWith,
  filesOf,
  updateTo,
  versionIn,
} from './support/updates.js';

const { SOAK_RUNS, SOAK_SEED = '1' } = process.env;
/** A run takes seconds, and not a fraction of a millisecond as a case of a property does. */
const runs = SOAK_RUNS === undefined ? 25 : Math.max(25, Math.ceil(Number(SOAK_RUNS) / 40));
/** Seven files at that pace, and again and again. */
const LONGEST_MS = 240_000;
const PATIENCE = {
  attempts: 3,
  firstPauseMs: 1,
  limits: { answerTimeoutMs: 400, textTimeoutMs: 3_000, pace: { bytesPerSecond: 10_000, windowMs: 200 } },
};
/** What servers are to blame for. */
const EXPECTED_CODES: readonly ErrorCode[] = [
  'NETWORK',
  'STORAGE',
  'NOT_FOUND',
  'VERIFICATION',
  'FORMAT',
  'CHANGED_WHILE_READ',
];

describe.skipIf(!haveTools('cksum'))(`updates from servers that fail (SOAK_SEED=${SOAK_SEED})`, () => {
  const dir = temporaryDirectoryOfSuite();
  let mirror: BuiltMirror;
  let files: ReadonlyMap<string, Buffer>;

  beforeAll(async () => {
    mirror = await buildMirrorOf(4, dir, 'all', 120_000);
    files = filesOf(mirror);
  });

  test(
    `end with the right image, or with the old one and a clear error, ${runs} times`,
    async () => {
      const endings = await disturbedRuns(runs, disturbedRun);
      // That faults were survived, and that others were not, is what makes the rest of this worth anything.
      expect(endings.get('done')).toBeGreaterThan(runs / 10);
      expect(endings.size).toBeGreaterThan(1);
    },
    60_000 + runs * 20_000,
  );

  async function disturbedRun(run: number): Promise<string> {
    const random = pseudoRandomNumbers(`${SOAK_SEED} update ${run}`);
    const below = (count: number) => Math.floor(random() * count);
    const servers: FaultyServer[] = [];
    for (let count = 1 + below(2); servers.length < count; ) {
      servers.push(await startFaultyServer({ files, random, etags: below(4) > 0 }));
    }
    const chance = random() * 0.8;
    const faults = below(2) === 0 ? DOWNLOAD_FAULTS : [DOWNLOAD_FAULTS[below(DOWNLOAD_FAULTS.length)]!];
    for (const server of servers) {
      server.faultOf = () => (random() < chance ? faults[below(faults.length)]! : null);
    }
    const [from, to] = [below(4), below(4)];
    const [base, target] = [String(mirror.images[from]), String(mirror.images[to === from ? (to + 1) % 4 : to])];
    const device = await deviceWith(mkdtempSync(join(dir, 'device-')), base);
    const source = { urls: servers.map(({ url }) => url), patience: PATIENCE };
    const about = `run ${run}`;
    const startedAt = performance.now();
    const ending = await updateTo(versionIn(target), device, source).then(
      ({ summary }) => {
        const sentBytes = servers.flatMap(({ served }) => served).reduce((sum, one) => sum + one.sentBytes, 0);
        expect(summary.fetchedBytes + summary.indexBytes, about).toBeLessThanOrEqual(sentBytes);
        return 'done';
      },
      (error: unknown) => {
        expect(error, about).toBeInstanceOf(UpdateRepositoryError);
        return (error as UpdateRepositoryError).code;
      },
    );
    expect(performance.now() - startedAt, about).toBeLessThan(LONGEST_MS);
    expect(currentBytes(device).equals(readFileSync(ending === 'done' ? target : base)), `${about}: ${ending}`).toBe(
      true,
    );
    if (ending !== 'done') {
      expect(EXPECTED_CODES, about).toContain(ending);
      // And now that nothing fails it gets there, by what it has.
      for (const server of servers) server.faultOf = () => null;
      const { summary } = await updateTo(versionIn(target), device, source);
      expect(currentBytes(device).equals(readFileSync(target)), about).toBe(true);
      expect(summary.fetchedBytes, about).toBe(summary.plannedBytes);
    }
    rmSync(device, { recursive: true });
    return ending;
  }
});
