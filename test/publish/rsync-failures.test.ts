import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { cacheRule, textObject } from '../../src/publish/release.js';
import { isOnlyMissing, rsyncFailure } from '../../src/publish/rsync/failure.js';
import type { StorageCall } from '../../src/publish/storage.js';
import { freePort } from '../peers/server-process.mjs';
import { mountSmallDisk } from '../support/small-disk.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { haveTools } from '../support/tools.js';
import { opened } from './support/opened.js';
import { startRsyncd, startSshd } from './support/rsync-peers.js';

const call: StorageCall = { signal: new AbortController().signal };

beforeEach(() => {
  vi.stubEnv('RSYNC_RSH', '');
  vi.stubEnv('RSYNC_PASSWORD', undefined);
});
afterEach(() => vi.unstubAllEnvs());

async function failureOf(target: string, bytes = 10): Promise<unknown> {
  const object = textObject('meta/a.json', 'x'.repeat(bytes), 'text/plain');
  try {
    const storage = await opened(target);
    await storage.stat('meta/a.json', call);
    await storage.put({ ...object, cacheControl: cacheRule('index') }, call);
  } catch (error) {
    return error;
  }
  throw new Error(`${target}: no failure`);
}

describe.skipIf(!haveTools('rsync', 'ssh', 'sshd'))('rsync says why it failed', () => {
  test('when nothing listens there', async () => {
    const port = await freePort();
    for (const target of [`rsync://127.0.0.1:${port}/mirror`, `ssh://127.0.0.1:${port}/srv/www`]) {
      const error = await failureOf(target);
      expect(error).toMatchObject({ code: 'NETWORK' });
      expect(String(error)).toContain(`${target}/meta/a.json: cannot list it: `);
      expect(String(error)).toContain('Connection refused');
    }
  });

  test('when there is no such host', async () => {
    const error = await failureOf('no-such-host.invalid:/srv/www');
    expect(error).toMatchObject({ code: 'NETWORK' });
    expect(String(error)).toContain('no-such-host.invalid');
  });

  test('when a daemon has no such module, or wants a password', async () => {
    const daemon = await startRsyncd(await temporaryDirectory());
    onTestFinished(daemon.end);
    const missing = await failureOf(`rsync://127.0.0.1:${daemon.port}/nothing`);
    expect(missing).toMatchObject({ code: 'STORAGE' });
    expect(String(missing)).toContain("Unknown module 'nothing'");
    const locked = `rsync://publisher@127.0.0.1:${daemon.port}/locked`;
    expect(await failureOf(locked)).toMatchObject({ code: 'STORAGE', hint: expect.stringContaining('RSYNC_PASSWORD') });
    vi.stubEnv('RSYNC_PASSWORD', 'wrong horse');
    const wrong = await failureOf(locked);
    expect(String(wrong)).toContain('auth failed');
    expect(JSON.stringify(wrong)).not.toContain('horse');
    vi.stubEnv('RSYNC_PASSWORD', 'correct horse');
    expect(await (await opened(locked)).stat('nothing', call)).toBeNull();
  });

  test('when ssh does not know the host, or the host does not know the key', async () => {
    const dir = await temporaryDirectory();
    const sshd = await startSshd(dir);
    onTestFinished(sshd.end);
    const target = `127.0.0.1:${dir}/mirror`;
    vi.stubEnv('RSYNC_RSH', `${sshd.ssh} -o UserKnownHostsFile=none`);
    expect(await failureOf(target)).toMatchObject({
      code: 'STORAGE',
      message: expect.stringContaining('Host key verification failed'),
    });
    vi.stubEnv('RSYNC_RSH', `${sshd.ssh} -o PubkeyAuthentication=no`);
    expect(await failureOf(target)).toMatchObject({ code: 'STORAGE', hint: expect.stringContaining('key') });
  });

  test('when the other side has no rsync, or no leave to write', async () => {
    const dir = await temporaryDirectory();
    const sshd = await startSshd(dir, 'exec no-such-rsync');
    onTestFinished(sshd.end);
    vi.stubEnv('RSYNC_RSH', sshd.ssh);
    expect(await failureOf(`127.0.0.1:${dir}/mirror`)).toMatchObject({
      code: 'STORAGE',
      message: expect.stringContaining('not found'),
    });
    const daemon = await startRsyncd(join(dir, 'rsyncd'), 'read only = yes');
    onTestFinished(daemon.end);
    const refused = await failureOf(`rsync://127.0.0.1:${daemon.port}/mirror`);
    expect(refused).toMatchObject({ code: 'STORAGE', message: expect.stringContaining('read only') });
  });

  test('when the disk there is full', async (context) => {
    const dir = await temporaryDirectory();
    mountSmallDisk(context, join(dir, 'mirror'), 1 << 20);
    const daemon = await startRsyncd(dir);
    onTestFinished(daemon.end);
    const error = await failureOf(`rsync://127.0.0.1:${daemon.port}/mirror`, 3 << 20);
    expect(error).toMatchObject({ code: 'NO_SPACE' });
  });
});

test('a place is only missing where nothing else is complained of', () => {
  const missing = 'rsync: [sender] change_dir "/srv/x" failed: No such file or directory (2)\n';
  const denied = 'rsync: [sender] opendir "/srv/x/y" failed: Permission denied (13)\n';
  expect(isOnlyMissing({ code: 23, complaints: missing })).toBe(true);
  expect(isOnlyMissing({ code: 23, complaints: missing + denied })).toBe(false);
  expect(isOnlyMissing({ code: 23, complaints: '' })).toBe(false);
  expect(isOnlyMissing({ code: 255, complaints: missing })).toBe(false);
  const belowFile = 'rsync: [sender] link_stat "/srv/x/y" failed: Not a directory (20)\n';
  expect(isOnlyMissing({ code: 23, complaints: belowFile })).toBe(true);
  expect(isOnlyMissing({ code: 12, complaints: belowFile })).toBe(false);
});

test('what another try may help against is told from what it may not', () => {
  const codeOf = (code: number | null, complaints: string) =>
    rsyncFailure('h:/p', 'store it', { code, complaints }).code;
  for (const code of [10, 12, 30, 35, 255, null]) expect(codeOf(code, '')).toBe('NETWORK');
  for (const code of [1, 2, 3, 11, 23]) expect(codeOf(code, '')).toBe('STORAGE');
  expect(codeOf(11, 'rsync: [receiver] write failed on "x": No space left on device (28)')).toBe('NO_SPACE');
  expect(codeOf(5, '@ERROR: max connections (4) reached -- try again later')).toBe('NETWORK');
});
