import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { type PolicyChoices, policyOf } from '../../src/client/policy/policy.js';
import { planDevice } from '../../src/client/update.js';
import type { RepositoryEvent } from '../../src/events.js';
import { listening } from '../support/listening.js';
import { temporaryDirectory, temporaryDirectoryOfSuite } from '../support/temporary-directory.js';
import { haveTools } from '../support/tools.js';
import { type BuiltMirror, buildMirrorOf, deviceWith, filesOf, updateTo, versionIn } from './support/updates.js';

const PIECE_BYTES = 64 << 10;
const PAUSE_MS = 10;
/** Timers of a busy machine are late, never early. */
const FASTEST = (1.3 * 1000 * PIECE_BYTES) / PAUSE_MS;

/** A server with a slow line, until the running test is over. */
async function startSlowServer(files: ReadonlyMap<string, Buffer>): Promise<string> {
  const server = createServer(async ({ url = '' }, response) => {
    const bytes = files.get(url.slice(1));
    response.writeHead(bytes === undefined ? 404 : 200, { 'content-length': bytes?.length ?? 0 });
    for (let at = 0; bytes !== undefined && at < bytes.length && !response.destroyed; at += PIECE_BYTES) {
      response.write(bytes.subarray(at, at + PIECE_BYTES));
      await sleep(PAUSE_MS);
    }
    response.end();
  });
  const port = await listening(server);
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${port}`;
}

describe.skipIf(!haveTools('cksum'))('the line', () => {
  const dir = temporaryDirectoryOfSuite();
  let mirror: BuiltMirror;
  let version = '';

  beforeAll(async () => {
    mirror = await buildMirrorOf(1, dir, 'neighbours', 6_000_000);
    version = versionIn(String(mirror.images[0]));
  });

  const nobodySays: PolicyChoices = { downloadBytesPerSecond: null };
  const linePathOf = (device: string) => join(device, '.update-repository', 'line.json');
  const device = async () => await deviceWith(join(await temporaryDirectory(), 'device'), null);
  const lineOf = (events: readonly RepositoryEvent[]) => events.find((event) => event.type === 'path-plan')?.line;

  test('is measured by an update, and the plan of the next one reckons with it', async () => {
    const dir = await device();
    const url = await startSlowServer(filesOf(mirror));
    const { events } = await updateTo(version, dir, { urls: [url] }, { policy: nobodySays });
    expect(lineOf(events)).toEqual({ bytesPerSecond: 4_000_000, source: 'assumed' });
    const { bytesPerSecond } = JSON.parse(readFileSync(linePathOf(dir), 'utf8'));
    expect(bytesPerSecond).toBeGreaterThan(10_000);
    expect(bytesPerSecond).toBeLessThan(FASTEST);
    const other = await device();
    writeFileSync(join(await preparedBy(other, url), 'line.json'), readFileSync(linePathOf(dir)));
    expect(lineOf(await planned(other, url, nobodySays))).toEqual({ bytesPerSecond, source: 'measured' });
  });

  test('that a rate limit holds back is not measured', async () => {
    const dir = await device();
    const url = await startSlowServer(filesOf(mirror));
    const policy = { ...nobodySays, limitBytesPerSecond: 50_000_000 };
    await updateTo(version, dir, { urls: [url] }, { policy });
    expect(existsSync(linePathOf(dir))).toBe(false);
  });

  test('is what the policy says, whatever was measured, and never faster than it allows', async () => {
    const dir = await device();
    const url = await startSlowServer(filesOf(mirror));
    writeFileSync(join(await preparedBy(dir, url), 'line.json'), '{"format":1,"bytesPerSecond":3000000}');
    const lineBy = async (policy: PolicyChoices) => lineOf(await planned(dir, url, policy));
    expect(await lineBy({ downloadBytesPerSecond: 70_000 })).toEqual({ bytesPerSecond: 70_000, source: 'given' });
    expect(await lineBy({ limitBytesPerSecond: 50_000 })).toEqual({ bytesPerSecond: 50_000, source: 'given' });
    expect(await lineBy({ limitBytesPerSecond: 9_000_000 })).toEqual({ bytesPerSecond: 3_000_000, source: 'measured' });
    writeFileSync(linePathOf(dir), 'damaged');
    expect(await lineBy({})).toEqual({ bytesPerSecond: 4_000_000, source: 'assumed' });
  });

  /** Makes the private directory of a device; resolves to it. */
  async function preparedBy(dir: string, url: string): Promise<string> {
    await planned(dir, url, {});
    return join(dir, '.update-repository');
  }

  async function planned(dir: string, url: string, choices: PolicyChoices): Promise<readonly RepositoryEvent[]> {
    const events: RepositoryEvent[] = [];
    await planDevice({
      source: { urls: [url] },
      device: { dir, layout: 'plain' },
      policy: policyOf(choices),
      signal: new AbortController().signal,
      onEvent: (event) => events.push(event),
    });
    return events;
  }
});
