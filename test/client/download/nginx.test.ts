import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { downloadFile } from '../../../src/client/download/download-file.js';
import { startNginx } from '../../peers/nginx.mjs';
import { freePort } from '../../peers/server-process.mjs';
import { pseudoRandomBytes, pseudoRandomNumbers } from '../../support/pseudo-random.js';
import { temporaryDirectory, temporaryDirectoryOfSuite } from '../../support/temporary-directory.js';
import { haveTools } from '../../support/tools.js';
import { makeCertificates } from '../support/certificates.js';
import { asText, openedMirrors, remoteFile } from '../support/opened-mirrors.js';

const { SOAK_KILLS, SOAK_SEED = '1' } = process.env;
const kills = Number(SOAK_KILLS ?? 6);
const NAME = 'puavo-os.img';
const SIZE_BYTES = 12_000_000;
const bytes = pseudoRandomBytes('an image', SIZE_BYTES);
const file = remoteFile(NAME, bytes);

describe.skipIf(!haveTools('nginx', 'openssl'))('a mirror that nginx serves over TLS', () => {
  const dir = temporaryDirectoryOfSuite();
  const log = join(dir, 'access.log');
  let root = '';
  let caFile = '';
  let stop: (() => Promise<void>) | undefined;

  beforeAll(async () => {
    const certificates = makeCertificates(dir);
    caFile = certificates.caFile;
    const www = join(dir, 'www');
    mkdirSync(www);
    writeFileSync(join(www, NAME), bytes);
    writeFileSync(join(www, 'index.json'), '{}');
    const port = await freePort();
    root = `https://localhost:${port}`;
    stop = await startNginx(
      dir,
      port,
      `
  log_format bytes '$connection $status $body_bytes_sent $uri "$http_range"';
  server {
    listen 127.0.0.1:${port} ssl;
    ssl_certificate ${certificates.certificateFile};
    ssl_certificate_key ${certificates.keyFile};
    root ${www};
    access_log ${log} bytes;
    limit_rate 8m;
  }`,
    );
  });
  afterAll(() => stop?.());
  beforeEach(() => {
    if (existsSync(log)) truncateSync(log);
  });

  /** The requests as nginx saw them, once it has written so many down. */
  async function loggedRequests(count: number) {
    const lines = () => readFileSync(log, 'utf8').split('\n').slice(0, -1);
    await expect.poll(() => lines().length, { timeout: 10_000 }).toBe(count);
    return lines().map((line) => {
      const [connection, status, sentBytes, uri, range] = line.split(' ');
      const [, first] = /bytes=(\d+)-/.exec(range ?? '') ?? [];
      return { connection, status: Number(status), sentBytes: Number(sentBytes), uri, fromByte: Number(first ?? 0) };
    });
  }

  test('sends each byte once, over one connection', async () => {
    const { mirrors } = await openedMirrors([root], { caFile });
    const { signal } = new AbortController();
    expect(await mirrors.text({ path: 'index.json', maxBytes: 10 }, asText, signal)).toMatchObject({ text: '{}' });
    const directory = await temporaryDirectory();
    await downloadFile(mirrors, file, { directory, signal, onEvent: () => expect.unreachable() });
    expect(readFileSync(join(directory, NAME)).equals(bytes)).toBe(true);
    const [index, image] = await loggedRequests(2);
    expect(image).toMatchObject({ status: 200, sentBytes: SIZE_BYTES, connection: index?.connection });
    expect(mirrors.traffic.fetchedBytesOf(NAME)).toBe(SIZE_BYTES);
  });

  test(
    `sends what is missing after each of ${kills} kills (SOAK_SEED=${SOAK_SEED}), and no more`,
    async () => {
      const random = pseudoRandomNumbers(SOAK_SEED);
      const directory = await temporaryDirectory();
      const path = join(directory, NAME);
      const kept: number[] = [];
      while (kept.length < kills) {
        const sizeBytes = existsSync(path) ? statSync(path).size : 0;
        if (sizeBytes < SIZE_BYTES * 0.9) {
          kept.push(sizeBytes);
          await killedAfter(startDownload(directory), path, sizeBytes + random() * 2_000_000);
        } else {
          // Begun anew, so that there is something to kill.
          truncateSync(path, Math.floor(random() * SIZE_BYTES * 0.5));
        }
      }
      kept.push(statSync(path).size);
      const child = startDownload(directory);
      const stdout = await text(child.stdout ?? expect.unreachable());
      expect(JSON.parse(stdout)).toEqual({ keptBytes: kept.at(-1), fetchedBytes: SIZE_BYTES - (kept.at(-1) ?? 0) });
      expect(readFileSync(path).equals(bytes)).toBe(true);
      const requests = await loggedRequests(kept.length);
      expect(requests.map(({ fromByte }) => fromByte)).toEqual(kept);
      expect(requests.map(({ status }) => status)).toEqual(kept.map((fromByte) => (fromByte === 0 ? 200 : 206)));
      expect(requests.at(-1)?.sentBytes).toBe(SIZE_BYTES - (kept.at(-1) ?? 0));
    },
    120_000 + kills * 20_000,
  );

  function startDownload(directory: string): ChildProcess {
    const program = join(import.meta.dirname, '..', 'support', 'download-one.mjs');
    const child = spawn(process.execPath, [program, JSON.stringify({ root, caFile, directory, file })], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    onTestFinished(() => void child.kill('SIGKILL'));
    return child;
  }

  /** Kills a download as soon as the file has more than so many bytes. */
  async function killedAfter(child: ChildProcess, path: string, sizeBytes: number): Promise<void> {
    const exited = once(child, 'exit');
    const runs = () => child.exitCode === null && child.signalCode === null;
    while (runs() && !(existsSync(path) && statSync(path).size > sizeBytes)) await sleep(2);
    child.kill('SIGKILL');
    await exited;
  }
});
