import { copyFileSync, mkdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { runCli } from '../cli/run.js';
import { dailyStamps } from '../support/image-name.js';
import { makeRawImages } from '../support/raw-images.js';
import { temporaryDirectory, temporaryDirectoryOfSuite } from '../support/temporary-directory.js';
import { haveTools } from '../support/tools.js';
import { startFaultyServer } from './support/faulty-server.js';
import { currentBytes, deviceWith, filesOf } from './support/updates.js';

const STEMS = ['puavo-os-acme-bookworm', 'puavo-os-acme-trixie'] as const;

describe.skipIf(!haveTools('cksum'))('a mirror of two series', () => {
  const dir = temporaryDirectoryOfSuite();
  const images: Record<string, string[]> = {};
  let files: ReadonlyMap<string, Buffer>;

  beforeAll(async () => {
    const [pool, root] = [join(dir, 'images'), join(dir, 'mirror')];
    for (const stem of STEMS) {
      const about = { dir: pool, stem, arch: 'amd64', stamps: dailyStamps(2), seed: stem, sizeBytes: 20_000 };
      images[stem] = await makeRawImages(about);
    }
    const built = await runCli(['--quiet', '--base-url', 'https://images.invalid', pool, root]);
    if (built.code !== 0) throw new Error(built.stderr);
    files = filesOf({ root, images: [] });
  });

  const image = (stem: string, index: number) => String(images[stem]?.[index]);

  async function update(device: string, ...args: string[]) {
    const { url } = await startFaultyServer({ files, random: () => 0.5 });
    return await runCli(['update', '--connection', 'unmetered', ...args, url, device]);
  }

  async function deviceHolding(...paths: string[]) {
    const device = join(await temporaryDirectory(), 'device');
    mkdirSync(device);
    for (const path of paths) copyFileSync(path, join(device, basename(path)));
    return device;
  }

  const isCurrent = (device: string, path: string) => currentBytes(device).equals(readFileSync(path));

  test.each(STEMS)('brings a device on with the series of its current image, %s', async (stem) => {
    const device = await deviceWith(join(await temporaryDirectory(), 'device'), image(stem, 0));
    for (const other of STEMS) copyFileSync(image(other, 0), join(device, basename(image(other, 0))));
    const { code, stderr } = await update(device);
    expect(code, stderr).toBe(0);
    expect(isCurrent(device, image(stem, 1))).toBe(true);
  });

  test('does so where none is current yet and all images are of one series', async () => {
    const device = await deviceHolding(image(STEMS[1], 0));
    const { code, stderr } = await update(device);
    expect(code, stderr).toBe(0);
    expect(isCurrent(device, image(STEMS[1], 1))).toBe(true);
  });

  test('gives a device the series that is named, whatever it has', async () => {
    const device = await deviceWith(join(await temporaryDirectory(), 'device'), image(STEMS[0], 0));
    const { code, stderr } = await update(device, '--series', `${STEMS[1]}-amd64`);
    expect(code, stderr).toBe(0);
    expect(isCurrent(device, image(STEMS[1], 1))).toBe(true);
  });

  test.each([
    ['has no image', []],
    ['has images of both, none of them current', STEMS],
    ['has one of a series that the mirror does not have', ['puavo-os-other-bookworm']],
  ] as const)('has to be told the series of a device that %s', async (_, stems) => {
    const paths = stems.map((stem) => images[stem]?.[0] ?? image(STEMS[0], 0));
    const device = await deviceHolding();
    for (const [index, path] of paths.entries()) {
      const name = basename(path).replace(/^puavo-os-.*?-[a-z]+-(?=\d)/, `${stems[index]}-`);
      copyFileSync(path, join(device, name));
    }
    const { code, stderr } = await update(device);
    expect(code).toBe(2);
    expect(stderr).toMatch(/expected one series, found .*bookworm.*trixie/);
    expect(stderr).toContain('--series');
  });
});
