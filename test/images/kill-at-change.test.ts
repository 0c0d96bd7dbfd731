import { execFileSync } from 'node:child_process';
import { linkSync, mkdirSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { runCli } from '../cli/run.js';
import { dailyStamps } from '../support/image-name.js';
import { evenly, type Instant } from '../support/kill-instants.js';
import { readClaims } from '../support/mirror-claims.js';
import { makeRawImages } from '../support/raw-images.js';
import { servedTree } from '../support/served-tree.js';
import { temporaryDirectoryOfSuite } from '../support/temporary-directory.js';
import { haveTools } from '../support/tools.js';
import { killCliAt, observeCli } from '../support/traced-cli.js';
import { expectValidMirror } from './expect-valid-mirror.js';

const kills = Number(process.env.SOAK_KILLS ?? 6);
const seed = process.env.SOAK_SEED ?? '1';

// What kills at random hardly hit, the milliseconds in which the indexes are replaced, is hit here: strace kills the
// program as it enters a chosen system call.
describe.skipIf(!haveTools('strace', 'cksum')).each([
  { name: 'a build', compressible: false, flags: [] },
  { name: 'a build that compresses its deltas', compressible: true, flags: ['--compress-deltas'] },
])('$name that is killed as it changes a file', ({ compressible, flags }) => {
  const folder = temporaryDirectoryOfSuite();
  const imagesDir = join(folder, 'images');
  const before = join(folder, 'before');
  const settings = ['--deltas', 'puavo', '--base-url', 'https://images.example.org', ...flags];
  const arguments_ = ['--quiet', ...settings, imagesDir];
  let named: ReadonlyMap<string, string>;
  let reference: Record<string, string>;
  let instants: Instant[];

  beforeAll(async () => {
    const series = { stem: 'puavo-os-acme-bookworm', arch: 'amd64', seed: 'changes', sizeBytes: 200_000, compressible };
    const images = await makeRawImages({ ...series, dir: join(folder, 'pool'), stamps: dailyStamps(3) });
    mkdirSync(imagesDir);
    for (const image of images.slice(0, 2)) linkSync(image, join(imagesDir, basename(image)));
    expect(await runCli([...arguments_, before])).toMatchObject({ code: 0 });
    for (const image of images.slice(2)) linkSync(image, join(imagesDir, basename(image)));
    named = readClaims(before).named;
    const mirror = copyOfBefore();
    instants = await observeCli(join(folder, 'strace.log'), [...arguments_, mirror]);
    reference = servedTree(mirror);
    expect(Object.keys(reference).some((path) => path.endsWith('.zst'))).toBe(compressible);
  });

  test(
    `is valid, and is completed by the next one, wherever it was (SOAK_KILLS=${kills}, SOAK_SEED=${seed})`,
    async () => {
      for (const instant of evenly(instants, kills, seed)) {
        const mirror = copyOfBefore();
        const where = `${instant.call} ${instant.count}`;
        await killCliAt(instant, [...arguments_, mirror]);
        await expectValidMirror(mirror, named).catch((error: unknown) => {
          throw new Error(`killed at ${where}`, { cause: error });
        });
        expect(await runCli([...arguments_, mirror]), where).toMatchObject({ code: 0, stderr: '' });
        expect(servedTree(mirror), where).toEqual(reference);
      }
    },
    120_000 + kills * 20_000,
  );

  /** A mirror of two images, to which a third has to be added. Hard links: the images stay those of the directory. */
  function copyOfBefore(): string {
    const mirror = join(folder, 'mirror');
    rmSync(mirror, { recursive: true, force: true });
    execFileSync('cp', ['-al', before, mirror]);
    return mirror;
  }
});
