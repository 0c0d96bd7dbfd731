import { execFile } from 'node:child_process';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type Notice, nameOfNotice, readNotice } from '../../../src/client/policy/notice.js';
import { type NotifyOptions, notifyOnce } from '../../../src/client/policy/notified.js';
import { runNotice } from '../../../src/client/policy/run-notice.js';
import { tell } from '../../../src/client/policy/tell.js';
import type { RepositoryEvent } from '../../../src/events.js';
import { projectRoot } from '../../cli/run.js';
import { listening } from '../../support/listening.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';
import { requireTools } from '../../support/tools.js';
import { newVersion, nothingNew } from './checks.js';
import { version } from './offers.js';

const run = promisify(execFile);
const { signal } = new AbortController();

function noticeOf(from: string): Notice {
  const notice = readNotice(from);
  if (notice === null) throw new Error(`${from} is no notice`);
  return notice;
}

function recorder() {
  const events: RepositoryEvent[] = [];
  return { events, options: { signal, onEvent: (event: RepositoryEvent) => events.push(event) } };
}

describe('a command that tells of a new version', () => {
  it('finds in its environment what there is', async () => {
    const out = join(await temporaryDirectory(), 'out');
    await tell(noticeOf(`env | grep ^UPDATE_REPOSITORY_ | sort > '${out}'`), newVersion, recorder().options);
    expect(await readFile(out, 'utf8')).toBe(
      [
        'UPDATE_REPOSITORY_BYTES=629101112',
        `UPDATE_REPOSITORY_CURRENT=${version(1)}`,
        `UPDATE_REPOSITORY_REASON=${newVersion.reason}`,
        `UPDATE_REPOSITORY_SERIES=${newVersion.series}`,
        `UPDATE_REPOSITORY_VERSION=${version(3)}`,
        `UPDATE_REPOSITORY_WANTED=${version(5)}`,
        '',
      ].join('\n'),
    );
  });

  it('leaves empty what is not known', async () => {
    const check = { ...newVersion, current: null, downloadBytes: null };
    await runNotice('test "$UPDATE_REPOSITORY_CURRENT$UPDATE_REPOSITORY_BYTES" = ""', check, signal);
  });

  it('that fails is an error with its last words, on one line', async () => {
    const command = `echo first >&2; printf 'no \\033[31mline\\n' >&2; exit 7`;
    await expect(runNotice(command, newVersion, signal)).rejects.toMatchObject({
      code: 'IO',
      message: `${command}: expected the notice to be taken, found exit code 7, saying "no \\u001b[31mline"`,
    });
    await expect(runNotice('kill -9 $$', newVersion, signal)).rejects.toThrow('found SIGKILL');
  });

  it('that fails says why by its errors, whatever it prints after them', async () => {
    const command = `echo 'no such host' >&2; sleep 0.2; echo done; exit 1`;
    await expect(runNotice(command, newVersion, signal)).rejects.toThrow('exit code 1, saying "no such host"');
  });

  it('that takes too long is ended with all that it started', async () => {
    const path = join(await temporaryDirectory(), 'late');
    const command = `(sleep 4; echo late > '${path}') & wait`;
    const started = performance.now();
    await expect(runNotice(command, newVersion, signal, 200)).rejects.toThrow('found nothing after 0.2 s');
    expect(performance.now() - started).toBeLessThan(4_000);
    await sleep(4_500);
    await expect(readFile(path)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('may leave something running that keeps its standard error open', async () => {
    const started = performance.now();
    await runNotice('sleep 60 & true', newVersion, signal);
    expect(performance.now() - started).toBeLessThan(20_000);
  });

  it('is ended by an abort, and not begun after one', async () => {
    await expect(runNotice('sleep 60', newVersion, AbortSignal.timeout(100))).rejects.toMatchObject({
      code: 'INTERRUPTED',
    });
    const path = join(await temporaryDirectory(), 'begun');
    await expect(runNotice(`: > '${path}'`, newVersion, AbortSignal.abort())).rejects.toMatchObject({
      code: 'INTERRUPTED',
    });
    await expect(readFile(path)).rejects.toMatchObject({ code: 'ENOENT' });
  });
});

/** A webhook on loopback that answers with `statuses` in turn, the last one from then on. */
async function webhook(statuses: readonly number[], headers: Readonly<Record<string, string>> = {}) {
  const taken: { readonly request: IncomingMessage; readonly body: string }[] = [];
  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    const body = await text(request);
    taken.push({ request, body });
    response.writeHead(statuses[Math.min(taken.length, statuses.length) - 1] ?? 200, headers).end('thanks');
  };
  const server = createServer((request, response) => void answer(request, response));
  const port = await listening(server);
  onTestFinished(async () => {
    server.closeAllConnections();
    server.close();
  });
  return { taken, origin: `http://127.0.0.1:${port}`, url: `http://127.0.0.1:${port}/t/secret?token=hidden` };
}

describe('a webhook that is told of a new version', () => {
  it('gets it as JSON, with the name of the device', async () => {
    const { taken, url } = await webhook([204]);
    await tell(noticeOf(url), newVersion, recorder().options);
    expect(taken).toHaveLength(1);
    expect(taken[0]?.request).toMatchObject({ method: 'POST', url: '/t/secret?token=hidden' });
    expect(taken[0]?.request.headers['content-type']).toBe('application/json');
    expect(JSON.parse(taken[0]?.body ?? '')).toEqual({ ...newVersion, device: hostname() });
  });

  it('is tried again after a failure that may pass', async () => {
    const { taken, url, origin } = await webhook([503, 429, 200]);
    const { events, options } = recorder();
    await tell(noticeOf(url), newVersion, options);
    expect(taken).toHaveLength(3);
    expect(events).toMatchObject([
      { type: 'note', subject: origin, message: expect.stringMatching(/found status 503; trying again/) },
      { type: 'note', subject: origin, message: expect.stringMatching(/found status 429; trying again/) },
    ]);
  });

  it('is given up after three tries, and nothing that is told holds its secret', async () => {
    const { taken, url, origin } = await webhook([500]);
    const { events, options } = recorder();
    const failure = await tell(noticeOf(url), newVersion, options).catch((error: unknown) => error);
    expect(failure).toMatchObject({
      code: 'NETWORK',
      message: `${origin}: POST: expected the notice to be taken, found status 500`,
    });
    expect(taken).toHaveLength(3);
    expect(JSON.stringify([failure, events])).not.toMatch(/secret|hidden/);
  });

  it.each([404, 400, 302])('that answers %i is not tried again, and no redirect is followed', async (status) => {
    const { taken, url, origin } = await webhook([status], { location: '/elsewhere' });
    await expect(tell(noticeOf(url), newVersion, recorder().options)).rejects.toMatchObject({
      code: 'STORAGE',
      message: `${origin}: POST: expected the notice to be taken, found status ${status}`,
    });
    expect(taken).toHaveLength(1);
  });

  it('that nobody serves is an error of the network without its secret', async () => {
    const { events, options } = recorder();
    const failure = await tell(noticeOf('http://127.0.0.1:9/secret'), newVersion, options).catch((e: unknown) => e);
    expect(failure).toMatchObject({ code: 'NETWORK', message: expect.stringContaining('http://127.0.0.1:9: POST: ') });
    expect(JSON.stringify([failure, events])).not.toMatch(/secret/);
  });

  it('that does not answer is not waited for after an abort', async () => {
    const server = createServer(() => undefined);
    const port = await listening(server);
    onTestFinished(() => server.closeAllConnections());
    onTestFinished(() => void server.close());
    const notice = noticeOf(`http://127.0.0.1:${port}/`);
    const options = { ...recorder().options, signal: AbortSignal.timeout(200) };
    await expect(tell(notice, newVersion, options)).rejects.toMatchObject({ code: 'NETWORK' });
    const controller = new AbortController();
    const told = tell(notice, newVersion, { ...options, signal: controller.signal });
    setTimeout(() => controller.abort(), 200);
    await expect(told).rejects.toMatchObject({ code: 'INTERRUPTED' });
  });

  it('over TLS has to be who it says', async (context) => {
    requireTools(context, 'openssl');
    const dir = await temporaryDirectory();
    const [key, cert] = [join(dir, 'key.pem'), join(dir, 'cert.pem')];
    const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'];
    const kind = ['-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2'];
    await run('openssl', ['req', ...kind, ...subject, '-keyout', key, '-out', cert]);
    let taken = 0;
    const server = createTlsServer({ key: await readFile(key), cert: await readFile(cert) }, (request, response) => {
      request.resume().on('end', () => {
        taken += 1;
        response.end();
      });
    });
    const url = `https://localhost:${await listening(server)}/secret`;
    onTestFinished(() => server.closeAllConnections());
    onTestFinished(() => void server.close());
    await expect(tell(noticeOf(url), newVersion, recorder().options)).rejects.toMatchObject({
      code: 'STORAGE',
      hint: expect.stringContaining('NODE_EXTRA_CA_CERTS'),
    });
    expect(taken).toBe(0);
    const module = join(projectRoot, 'dist', 'client', 'policy', 'post-notice.js');
    const script =
      `import { postNotice } from '${module}';` +
      `const options = { signal: new AbortController().signal, onEvent: () => undefined };` +
      `await postNotice(new URL('${url}'), ${JSON.stringify(newVersion)}, options);`;
    const env = { ...process.env, NODE_EXTRA_CA_CERTS: cert };
    await run(process.execPath, ['--input-type=module', '-e', script], { env, timeout: 30_000 });
    expect(taken).toBe(1);
  });

  it('is named by its server alone', () => {
    expect(nameOfNotice(noticeOf('https://hooks.example.org/T/B/secret?x=y'))).toBe('https://hooks.example.org');
    expect(nameOfNotice(noticeOf('notify-send "new"'))).toBe('notify-send "new"');
  });
});

describe('a new version', () => {
  async function device() {
    const root = await temporaryDirectory();
    const log = join(root, 'log');
    await writeFile(log, '');
    const directory = join(root, 'device', '.update-repository');
    const { events, options } = recorder();
    const notice = noticeOf(`echo $UPDATE_REPOSITORY_VERSION >> '${log}'`);
    const notify = (check = newVersion, more: Partial<NotifyOptions> = {}) =>
      notifyOnce(notice, check, { directory, again: false, ...options, ...more });
    return { directory, events, notify, told: async () => (await readFile(log, 'utf8')).split('\n').slice(0, -1) };
  }

  it('is told once', async () => {
    const { directory, notify, told } = await device();
    expect(await notify(nothingNew)).toBe('nothing-new');
    expect(await notify()).toBe('told');
    expect(await notify()).toBe('told-before');
    expect(await notify({ ...newVersion, version: version(5) })).toBe('told');
    expect(await told()).toEqual([version(3), version(5)]);
    expect(await readdir(directory)).toEqual(['notified.json']);
  });

  it('is told again where that is asked for', async () => {
    const { notify, told } = await device();
    await notify();
    expect(await notify(newVersion, { again: true })).toBe('told');
    expect(await told()).toEqual([version(3), version(3)]);
  });

  it('is told for each series', async () => {
    const { notify, told } = await device();
    await notify();
    await notify({ ...newVersion, series: 'other-amd64' });
    expect(await notify()).toBe('told-before');
    expect(await told()).toHaveLength(2);
  });

  it('that could not be told is told the next time', async () => {
    const { directory, notify } = await device();
    const options = { directory, again: false, ...recorder().options };
    await expect(notifyOnce(noticeOf('exit 1'), newVersion, options)).rejects.toMatchObject({ code: 'IO' });
    expect(await notify()).toBe('told');
  });

  it.each([
    '{',
    '[]',
    '{"format":2}',
    '{"format":1,"series":{"../x":"20260003000000"}}',
    '\ufeff{}',
    '{"format":1,"series":{"a":3}}',
  ])('is told again where what is remembered is damaged: %s', async (damaged) => {
    const { directory, events, notify } = await device();
    await notify();
    await mkdir(directory, { recursive: true });
    await writeFile(join(directory, 'notified.json'), damaged);
    expect(await notify()).toBe('told');
    expect(events).toMatchObject([{ type: 'note', level: 'warning' }]);
    expect(await notify()).toBe('told-before');
  });
});
