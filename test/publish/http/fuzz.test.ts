import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { UpdateRepositoryError } from '../../../src/errors.js';
import { openHttpStorage } from '../../../src/publish/http/open.js';
import { LOCK_PATH } from '../../../src/publish/lease.js';
import type { Release } from '../../../src/publish/release.js';
import { withRetries } from '../../../src/publish/retry.js';
import { NGINX_DAV_EXT, startDavNginx } from '../../peers/nginx.mjs';
import { startPlainPut } from '../../peers/plain-put.mjs';
import { pseudoRandomNumbers } from '../../support/pseudo-random.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';
import { haveTools } from '../../support/tools.js';
import { FAULTS, type HttpFault, startFaultyProxy } from '../support/faulty-proxy.js';
import { publishTo, releaseOf } from '../support/releases.js';

const { SOAK_RUNS, SOAK_SEED = '1' } = process.env;
/** A run takes seconds, and not a fraction of a millisecond as a case of a property does. */
const runs = SOAK_RUNS === undefined ? 6 : Math.max(6, Math.ceil(Number(SOAK_RUNS) / 100));
const LONGEST_MS = 60_000;

/** What the server behind the proxy has, whatever it says. */
interface Peer {
  readonly url: string;
  readonly read: (path: string) => string | null;
  /** Ends the lock of a publish that could not. */
  readonly unlock: () => Promise<unknown>;
}

/** Publishes through a proxy that answers nonsense now and then, and then undisturbed. */
async function publishDisturbed({ url, read, unlock }: Peer, prefix: string): Promise<void> {
  const random = pseudoRandomNumbers(`${SOAK_SEED} ${prefix}`);
  const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)] as T;
  // One image of the run before, and two that are new.
  const releaseOfRun = (run: number) =>
    releaseOf([`${prefix}${run - 1}-b.img`, `${prefix}${run}-a.img`, `${prefix}${run}-b.img`]);
  const proxy = await startFaultyProxy(url, random);
  for (let run = 0; run < runs; run += 1) {
    const [first, spacing, fault] = [Math.floor(random() * 80), 1 + Math.floor(random() * 6), pick(FAULTS)];
    const told: HttpFault[] = [];
    proxy.faultOf = (n) => {
      if (n < first || (n - first) % spacing !== 0 || told.length >= 4) return null;
      told.push(fault);
      return fault;
    };
    const release = releaseOfRun(run);
    const outcome = await publishBy(proxy.url, release);
    const about = `run ${run}: ${fault} ${told.length} times from request ${first}: ${outcome}`;
    expect(outcome, about).not.toMatch(/\n|interrupted/);
    expect(brokenNames(read), about).toEqual([]);
    await unlock();
  }
  proxy.faultOf = () => null;
  const last = releaseOfRun(runs);
  expect(await publishBy(proxy.url, last), 'undisturbed').toBe('done');
  for (const { path, content } of [...last.immutables, ...last.indexStages.flat()]) {
    expect(read(path)).toBe(content.kind === 'bytes' ? Buffer.from(content.bytes).toString() : null);
  }
}

/** `done`, or the one line that is told of the failure. Anything but an error of ours is thrown. */
async function publishBy(url: string, release: Release): Promise<string> {
  const signal = AbortSignal.timeout(LONGEST_MS);
  try {
    const opened = await openHttpStorage(url, { signal });
    try {
      const storage = withRetries(opened, { attempts: 3, firstPauseMs: 1, onEvent: () => undefined });
      await publishTo(storage, release, { signal });
      return 'done';
    } finally {
      await opened.close();
    }
  } catch (error) {
    if (error instanceof UpdateRepositoryError) return error.message;
    throw error;
  }
}

/** What an index names that is not there, or has other bytes. */
function brokenNames(read: Peer['read']): string[] {
  return ['meta/a.json', 'CKSUMS', 'SHA256SUMS', 'index.json'].flatMap((path) => {
    const text = read(path);
    if (text === null) return [];
    const named: { name: string; content: string }[] = JSON.parse(text);
    return named.flatMap(({ name, content }) => (read(name) === content ? [] : [`${path} names ${name}`]));
  });
}

/** The server tells the tokens of its locks (RFC 4918 §15.8). */
async function endLocks(url: string): Promise<void> {
  const found = await fetch(url, { method: 'PROPFIND', headers: { depth: '0' } });
  for (const [token] of (await found.text()).matchAll(/(?:urn|opaquelocktoken):[^<]+/g)) {
    await fetch(url, { method: 'UNLOCK', headers: { 'lock-token': `<${token}>` } });
  }
}

describe(`a server that answers nonsense (SOAK_SEED=${SOAK_SEED})`, () => {
  const timeoutMs = 60_000 + runs * 20_000;

  test(
    `leaves whole what readers see, ${runs} times, by plain PUT`,
    async () => {
      const { url, objects, stop } = await startPlainPut({ conditions: true });
      onTestFinished(stop);
      const read = (path: string) => objects.get(path)?.bytes.toString() ?? null;
      await publishDisturbed({ url, read, unlock: async () => objects.delete(LOCK_PATH) }, 'put-');
    },
    timeoutMs,
  );

  test.skipIf(!haveTools('nginx', NGINX_DAV_EXT))(
    `leaves whole what readers see, ${runs} times, by WebDAV`,
    async () => {
      const peer = await startDavNginx(await temporaryDirectory(), {
        methods: 'PUT DELETE MKCOL MOVE',
        propfind: true,
        autoindex: false,
      });
      onTestFinished(peer.stop);
      const at = (path: string) => join(peer.root, path);
      const read = (path: string) => (existsSync(at(path)) ? readFileSync(at(path), 'utf8') : null);
      await publishDisturbed({ url: peer.url, read, unlock: () => endLocks(`${peer.url}/${LOCK_PATH}`) }, 'dav-');
    },
    timeoutMs,
  );
});
