import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { expect, test } from 'vitest';
import { dailyStamps } from './image-name.js';
import { makeImageSeries } from './image-series.js';
import { firstTree, nextTree } from './image-tree.js';
import { makeRawImages } from './raw-images.js';
import { temporaryDirectory } from './temporary-directory.js';
import { requireTools } from './tools.js';

const series = { stem: 'puavo-os-acme-bookworm', arch: 'amd64', stamps: dailyStamps(3), seed: 'series' };

test('a series of squashfs images has the same bytes whenever and wherever it is made', async (context) => {
  requireTools(context, 'mksquashfs');
  const make = async () =>
    makeImageSeries({ ...series, dir: await temporaryDirectory(), compressor: 'gzip', sizeBytes: 1_000_000 });
  const [first, second] = [await make(), await make()];
  expect(first.map((path) => basename(path))).toEqual([
    'puavo-os-acme-bookworm-2024-01-01-060000-amd64.img',
    'puavo-os-acme-bookworm-2024-01-02-060000-amd64.img',
    'puavo-os-acme-bookworm-2024-01-03-060000-amd64.img',
  ]);
  expect(first.map(sha256)).toEqual(second.map(sha256));
  expect(new Set(first.map(sha256)).size).toBe(3);
});

test('a squashfs image holds its own name, its class and definitions of settings', async (context) => {
  requireTools(context, 'mksquashfs', 'unsquashfs');
  const dir = await temporaryDirectory();
  const [, image] = await makeImageSeries({ ...series, dir, compressor: 'zstd', sizeBytes: 200_000 });
  expect(contentIn(image, 'etc/puavo-image/name')).toBe('puavo-os-acme-bookworm-2024-01-02-060000-amd64.img\n');
  expect(contentIn(image, 'etc/puavo-image/class')).toBe('acme\n');
  expect(JSON.parse(contentIn(image, 'usr/share/puavo-conf/definitions/puavo-acme.json'))).toMatchObject({
    'puavo.acme.level': { default: '1' },
  });
});

test('a version keeps most files of the one before, and changes, removes and adds some', () => {
  const older = firstTree('seed', 1_000_000);
  const newer = nextTree(older, 'seed/2');
  const before = new Map(older.map((file) => [file.path, file]));
  const kept = newer.filter((file) => before.get(file.path)?.changes === file.changes);
  const changed = newer.filter((file) => file.changes === 1);
  const added = newer.filter((file) => !before.has(file.path));
  expect(kept.length).toBeGreaterThan(older.length * 0.8);
  expect(changed.length).toBeGreaterThan(5);
  expect(added.length).toBeGreaterThan(0);
  expect(older.length + added.length).toBeGreaterThan(newer.length);
});

test('raw images have about the wanted size, the same bytes for the same seed, and others for another', async () => {
  const make = async (seed: string) =>
    makeRawImages({ ...series, seed, dir: await temporaryDirectory(), sizeBytes: 500_000 });
  const [first, second, other] = [await make('a'), await make('a'), await make('b')];
  expect(first.map(sha256)).toEqual(second.map(sha256));
  expect(first.map(sha256)).not.toEqual(other.map(sha256));
  for (const path of first) expect(readFileSync(path).length / 500_000).toBeCloseTo(1, 0);
});

function sha256(path: string): string {
  return createHash('sha256').update(readFileSync(path)).digest('hex');
}

function contentIn(image: string | undefined, path: string): string {
  return execFileSync('unsquashfs', ['-cat', image ?? '', path], { encoding: 'utf8' });
}
