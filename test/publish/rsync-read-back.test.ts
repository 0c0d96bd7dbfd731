import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { RateLimit } from '../../src/net/rate-limit.js';
import { textObject } from '../../src/publish/release.js';
import { finishedCli, runCli, startCli } from '../cli/run.js';
import { dailyStamps } from '../support/image-name.js';
import { makeRawImages } from '../support/raw-images.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { haveTools } from '../support/tools.js';
import { opened } from './support/opened.js';
import { publishTo } from './support/releases.js';
import { startRsyncd } from './support/rsync-peers.js';

async function place() {
  const dir = await temporaryDirectory();
  const daemon = await startRsyncd(dir);
  onTestFinished(daemon.end);
  return { dir, root: join(dir, 'mirror'), target: `rsync://127.0.0.1:${daemon.port}/mirror` };
}

describe.skipIf(!haveTools('rsync'))('what is read back by rsync', () => {
  test('comes no faster than it may, all of it together', async () => {
    const { root, target } = await place();
    for (const name of ['a.img', 'b.img']) writeFileSync(join(root, name), name.repeat(300_000));
    const storage = await opened(target);
    const call = { signal: new AbortController().signal, bytesPerSecond: 1_000_000 };
    const startedAt = performance.now();
    await Promise.all(['a.img', 'b.img'].map((name) => storage.read(name, call)));
    // Three million bytes at a million a second; rsync lets some of it go ahead.
    expect(performance.now() - startedAt).toBeGreaterThan(2400);
  });

  test('is told while it comes', async () => {
    const { root, target } = await place();
    const object = textObject('a.img', 'a.img'.repeat(400_000), 'a/b');
    if (object.content.kind === 'bytes') writeFileSync(join(root, 'a.img'), object.content.bytes);
    const { events } = await publishTo(
      await opened(target),
      { immutables: [object], indexStages: [] },
      { verifyFull: true, limit: new RateLimit(1_000_000) },
    );
    const told = events.flatMap((event) => (event.type === 'job-progress' ? [event.doneBytes] : []));
    expect(told.some((bytes) => bytes > 0 && bytes < 2_000_000)).toBe(true);
    expect(told.at(-1)).toBe(2_000_000);
  });

  test('leaves nothing on this machine when the publish is told to end', async () => {
    const { dir, root, target } = await place();
    const [images, mirror, temporary] = ['images', 'built', 'temporary'].map((name) => join(dir, name));
    const [stem, arch, seed] = ['puavo-os-test-bookworm', 'amd64', 'read back'];
    await makeRawImages({ dir: String(images), stem, arch, stamps: dailyStamps(2), seed, sizeBytes: 2_000_000 });
    const built = ['--quiet', '--deltas', 'none', '--base-url', 'https://images.example.org', String(images)];
    expect(await runCli([...built, String(mirror)])).toMatchObject({ code: 0 });
    expect(await runCli(['publish', '--quiet', String(mirror), root])).toMatchObject({ code: 0 });
    mkdirSync(String(temporary));
    const line = ['--json', 'publish', '--verify', 'full', '--bwlimit', '200K', String(mirror), target];
    const child = startCli(line, { TMPDIR: String(temporary) });
    const ended = finishedCli(child);
    const fetched = () =>
      readdirSync(String(temporary), { recursive: true }).some((name) => /\.img/.test(String(name)));
    await vi.waitFor(() => expect(fetched()).toBe(true), { timeout: 20_000, interval: 20 });
    child.kill('SIGTERM');
    expect(await ended).toMatchObject({ code: 130, stderr: expect.stringContaining('interrupted by SIGTERM') });
    expect(readdirSync(String(temporary))).toEqual([]);
  });
});
