import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { filePieces } from '../../../src/client/bundle/file-pieces.js';
import { type BundledPath, makeBundle } from '../../../src/client/bundle/make-bundle.js';
import { openBundle } from '../../../src/client/bundle/read-bundle.js';
import type { RepositoryEvent } from '../../../src/events.js';
import type { ImageVersion } from '../../../src/metadata/brands.js';
import { runCli } from '../../cli/run.js';
import { startStaticNginx } from '../../peers/nginx.mjs';
import { temporaryDirectoryOfSuite } from '../../support/temporary-directory.js';
import { haveTools } from '../../support/tools.js';
import { type BuiltMirror, buildMirrorOf, versionIn } from '../support/updates.js';

describe.skipIf(!haveTools('nginx', 'cksum'))('a bundle of a mirror with deltas of neighbours', () => {
  const dir = temporaryDirectoryOfSuite();
  const bundles = join(dir, 'bundles');
  let mirror: BuiltMirror;
  let url: string;
  let root: string;
  let stop: (() => Promise<void>) | undefined;

  beforeAll(async () => {
    mirror = await buildMirrorOf(4, dir, 'neighbours');
    mkdirSync(bundles);
    ({ url, root, stop } = await startStaticNginx(dir));
    for (const name of readdirSync(mirror.root, { recursive: true, encoding: 'utf8' })) {
      const [from, to] = [join(mirror.root, name), join(root, name)];
      if (statSync(from).isDirectory()) mkdirSync(to, { recursive: true });
      else copyFileSync(from, to);
    }
  });
  afterAll(async () => await stop?.());

  const version = (index: number) => versionIn(String(mirror.images[index])) as ImageVersion;
  const delta = (index: number) => {
    const stamps = [index, index + 1].map((at) => /\d{4}-\d\d-\d\d-\d{6}/.exec(String(mirror.images[at]))?.[0]);
    return `puavo-os-test-bookworm-${stamps.join('--')}-amd64.rdiff`;
  };

  async function bundle(wanted: BundledPath, name: string, force = false) {
    const events: RepositoryEvent[] = [];
    const path = join(bundles, name);
    const summary = await makeBundle(wanted, {
      source: { urls: [url], patience: { attempts: 1, firstPauseMs: 1 } },
      limitBytesPerSecond: null,
      output: { path, force },
      signal: new AbortController().signal,
      onEvent: (event) => events.push(event),
    });
    return { path, summary, events };
  }

  async function filesOf(path: string): Promise<[string, Buffer][]> {
    const { files } = await openBundle(filePieces(path), path);
    const found: [string, Buffer][] = [];
    for await (const { hop, bytes } of files) {
      const pieces: Uint8Array[] = [];
      for await (const piece of bytes) pieces.push(piece);
      found.push([hop.kind === 'image' ? hop.image.filename : hop.delta.filename, Buffer.concat(pieces)]);
    }
    return found;
  }

  test('has the deltas from one version to another, and fetched exactly them', async () => {
    const { path, summary } = await bundle({ from: version(0), to: version(3) }, 'deltas.tar');
    const files = await filesOf(path);
    expect(files.map(([name]) => name)).toEqual([delta(0), delta(1), delta(2)]);
    for (const [name, bytes] of files) expect(bytes.equals(readFileSync(join(root, 'rdiffs', name)))).toBe(true);
    const fetchedBytes = files.reduce((sum, [, bytes]) => sum + bytes.length, 0);
    const sizeBytes = statSync(path).size;
    expect(summary).toMatchObject({ from: version(0), to: version(3), files: 3, fetchedBytes, sizeBytes });
    expect(readdirSync(bundles)).toEqual(['deltas.tar']);
  });

  test('has the whole image for who has nothing', async () => {
    const { path, summary } = await bundle({ from: null, to: version(2) }, 'whole.tar');
    const image = String(mirror.images[2]);
    expect(await filesOf(path)).toEqual([[image.slice(image.lastIndexOf('/') + 1), readFileSync(image)]]);
    expect(summary).toMatchObject({ from: null, to: version(2), files: 1 });
  });

  test('replaces a file only where it may', async () => {
    const there = join(bundles, 'there.tar');
    writeFileSync(there, 'mine');
    const wanted = { from: version(0), to: version(1) };
    await expect(bundle(wanted, 'there.tar')).rejects.toMatchObject({ code: 'IO' });
    expect(readFileSync(there, 'utf8')).toBe('mine');
    await bundle(wanted, 'there.tar', true);
    expect((await filesOf(there)).map(([name]) => name)).toEqual([delta(0)]);
  });

  test('is refused for versions that the mirror does not have, and for one that is there twice', async () => {
    const other = '20010101000000' as ImageVersion;
    await expect(bundle({ from: other, to: version(1) }, 'no.tar')).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(bundle({ from: version(1), to: other }, 'no.tar')).rejects.toMatchObject({ code: 'CONFIG' });
    await expect(bundle({ from: version(1), to: version(1) }, 'no.tar')).rejects.toMatchObject({ code: 'USAGE' });
    expect(readdirSync(bundles)).not.toContain('no.tar');
  });

  test('leaves nothing where the mirror has other bytes than it says', async () => {
    const path = join(root, 'rdiffs', delta(2));
    const bytes = readFileSync(path);
    try {
      writeFileSync(path, Buffer.from(bytes).fill(1, bytes.length >> 1, (bytes.length >> 1) + 4));
      const refused = bundle({ from: version(1), to: version(3) }, 'damaged.tar');
      await expect(refused).rejects.toMatchObject({ code: 'VERIFICATION' });
      expect(readdirSync(bundles).filter((name) => name.startsWith('damaged'))).toEqual([]);
    } finally {
      writeFileSync(path, bytes);
    }
  });

  test('is refused over a barrier, and leads to it', async () => {
    const name = 'meta/puavo-os-test-bookworm-amd64.json';
    const text = readFileSync(join(root, name), 'utf8');
    try {
      const meta = JSON.parse(text) as Record<string, { images: { version: string; barrier?: boolean }[] }>;
      const image = meta['puavo-os-test-bookworm-amd64']!.images.find((one) => one.version === version(1))!;
      image.barrier = true;
      rmSync(join(root, name));
      writeFileSync(join(root, name), JSON.stringify(meta));
      const refused = bundle({ from: version(0), to: version(3) }, 'over.tar');
      await expect(refused).rejects.toMatchObject({ code: 'CONFIG', message: expect.stringContaining(version(1)) });
      expect((await bundle({ from: version(0), to: version(1) }, 'to.tar')).summary.files).toBe(1);
    } finally {
      writeFileSync(join(root, name), text);
    }
  });

  test('is made on the command line', async () => {
    const path = join(bundles, 'cli.tar');
    const stamp = version(2).replace(/^(....)(..)(..)/, '$1-$2-$3-');
    const made = await runCli(['bundle', '-o', path, url, version(0), stamp]);
    expect(made).toMatchObject({ code: 0, stdout: expect.stringContaining(`${version(0)} to ${version(2)}, 2 files`) });
    expect((await filesOf(path)).map(([name]) => name)).toEqual([delta(0), delta(1)]);
    const again = await runCli(['bundle', '-o', path, url, version(0), version(2)]);
    expect(again).toMatchObject({ code: 2, stderr: expect.stringContaining('found one') });
    const wrong = await runCli(['bundle', '-o', join(bundles, 'wrong.tar'), url, 'yesterday', version(2)]);
    expect(wrong).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('expected a version of 14 digits, or none'),
    });
  });
});
