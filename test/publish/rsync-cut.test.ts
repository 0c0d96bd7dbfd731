import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { isSystemError } from '../../src/errors.js';
import { parseSha256Hex } from '../../src/metadata/brands.js';
import type { PutRequest } from '../../src/publish/storage.js';
import { pseudoRandomBytes } from '../support/pseudo-random.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { haveTools } from '../support/tools.js';
import { opened } from './support/opened.js';
import { startRsyncd, startSshd } from './support/rsync-peers.js';
import { slowLineTo } from './support/slow-line.js';

const putOne = join(dirname(fileURLToPath(import.meta.url)), 'support', 'put-one.mjs');
const SIZE = 40_000_000;

/** A daemon behind a line that can be cut, and a large image. */
async function placeWithImage() {
  const dir = await temporaryDirectory();
  const daemon = await startRsyncd(join(dir, 'rsyncd'));
  onTestFinished(daemon.end);
  const line = await slowLineTo(daemon.port);
  onTestFinished(line.end);
  const target = `rsync://127.0.0.1:${line.port}/mirror`;
  return { line, target, root: join(dir, 'rsyncd/mirror'), request: imageIn(dir) };
}

interface ImageRequest extends PutRequest {
  readonly content: { readonly kind: 'file'; readonly filePath: string };
}

function imageIn(dir: string): ImageRequest {
  const filePath = join(dir, 'large.img');
  const bytes = pseudoRandomBytes('large', SIZE);
  writeFileSync(filePath, bytes);
  const sha256 = parseSha256Hex(createHash('sha256').update(bytes).digest('hex'), filePath);
  const content = { kind: 'file' as const, filePath };
  return { path: 'large.img', sizeBytes: SIZE, sha256, mediaType: 'a/b', content, cacheControl: 'no-cache' };
}

describe.skipIf(!haveTools('rsync'))('a transfer that is cut', () => {
  test('goes on where it was when the publisher is killed, and nobody sees a part of it', async () => {
    const { line, target, root, request } = await placeWithImage();
    const stalled = line.stallAfter(30_000_000);
    await killedPublisher(target, request, stalled);
    const before = line.sentBytes();
    line.cut();
    await untilThere(join(root, '.update-repository-partial/large.img'));
    expect(readdirSync(root).filter((name) => !name.startsWith('.'))).toEqual([]);

    const storage = await opened(target);
    const call = { signal: new AbortController().signal };
    const listed: string[] = [];
    for await (const { path } of storage.list('', call)) listed.push(path);
    expect(listed).toEqual([]);
    await storage.put(request, call);
    expect(line.sentBytes() - before).toBeLessThan(SIZE - 25_000_000);
    expect(digestOf(join(root, 'large.img'))).toBe(request.sha256);
    expect(existsSync(join(root, '.update-repository-partial'))).toBe(false);
  });

  test('is not gone on with by an rsync whose publisher is gone', async () => {
    const { line, target, root, request } = await placeWithImage();
    await killedPublisher(target, request, line.stallAfter(5_000_000));
    line.trickle(10_000_000);
    await line.untilIdle();
    expect(line.sentBytes()).toBeLessThan(SIZE);
    expect(existsSync(join(root, 'large.img'))).toBe(false);
  });

  test('fails when the file was written meanwhile', async () => {
    const { line, target, request } = await placeWithImage();
    const stalled = line.stallAfter(5_000_000);
    const stored = (await opened(target)).put(request, { signal: new AbortController().signal });
    const failed = expect(stored).rejects.toMatchObject({ code: 'CHANGED_WHILE_READ' });
    await stalled;
    writeFileSync(request.content.filePath, pseudoRandomBytes('other', SIZE));
    line.trickle(1e9);
    await failed;
  });

  test('is over at once after an abort, and what was there before stays', async () => {
    const { line, target, root, request } = await placeWithImage();
    writeFileSync(join(root, 'large.img'), 'the old one');
    const stop = new AbortController();
    const stored = (await opened(target)).put(request, { signal: stop.signal });
    const failed = expect(stored).rejects.toMatchObject({ code: 'INTERRUPTED' });
    await line.stallAfter(10_000_000);
    stop.abort();
    await failed;
    line.cut();
    expect(readFileSync(join(root, 'large.img'), 'utf8')).toBe('the old one');
  });

  test.skipIf(!haveTools('ssh', 'sshd'))('leaves no rsync and no ssh behind', async () => {
    const dir = await temporaryDirectory();
    const sshd = await startSshd(join(dir, 'sshd'));
    onTestFinished(sshd.end);
    const line = await slowLineTo(sshd.port);
    onTestFinished(line.end);
    vi.stubEnv(
      'RSYNC_RSH',
      `ssh -F ${join(dir, 'sshd/client')} -o HostKeyAlias=[127.0.0.1]:${sshd.port} -p ${line.port}`,
    );
    onTestFinished(() => void vi.unstubAllEnvs());
    const stop = new AbortController();
    const stored = (await opened(`127.0.0.1:${dir}/mirror`)).put(imageIn(dir), { signal: stop.signal });
    const failed = expect(stored).rejects.toMatchObject({ code: 'INTERRUPTED' });
    await line.stallAfter(10_000_000);
    expect(clientsOf(dir).length).toBeGreaterThan(0);
    stop.abort();
    await failed;
    // Both are killed at once; which one the kernel ends first is its own affair.
    await vi.waitFor(() => expect(clientsOf(dir)).toEqual([]), { timeout: 10_000 });
  });
});

/** Stores an image by a process of its own, and kills that when `stalled` resolves. */
async function killedPublisher(
  target: string,
  { content, sha256 }: ImageRequest,
  stalled: Promise<void>,
): Promise<void> {
  const env = { ...process.env, TMPDIR: dirname(content.filePath) };
  const publisher = spawn(process.execPath, [putOne, target, content.filePath, sha256], { env });
  await stalled;
  const killed = once(publisher, 'exit');
  publisher.kill('SIGKILL');
  await killed;
}

/** The command lines of the rsync and ssh of this machine that name `dir`. */
function clientsOf(dir: string): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(commandLineOf)
    .filter((line) => /^(?:ssh|rsync) -/.test(line) && line.includes(`-F ${dir}`));
}

/** Empty for a process that has ended meanwhile. */
function commandLineOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ESRCH')) return '';
    throw error;
  }
}

function digestOf(path: string): string {
  return createHash('sha256').update(readFileSync(path)).digest('hex');
}

async function untilThere(path: string): Promise<void> {
  for (let attempt = 0; attempt < 200 && !existsSync(path); attempt += 1) await sleep(50);
  expect(existsSync(path)).toBe(true);
}
