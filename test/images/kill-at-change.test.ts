import { execFileSync, spawnSync } from 'node:child_process';
import { linkSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { projectRoot, runCli } from '../cli/run.js';
import { dailyStamps } from '../support/image-name.js';
import { evenly, type Instant, readInstants } from '../support/kill-instants.js';
import { readClaims } from '../support/mirror-claims.js';
import { makeRawImages } from '../support/raw-images.js';
import { servedTree } from '../support/served-tree.js';
import { temporaryDirectoryOfSuite } from '../support/temporary-directory.js';
import { haveTools } from '../support/tools.js';
import { expectValidMirror } from './expect-valid-mirror.js';

const kills = Number(process.env.SOAK_KILLS ?? 6);
const seed = process.env.SOAK_SEED ?? '1';

/** The system calls that change what a reader or a later build may find. */
const changes = ['rename', 'link', 'linkat', 'unlink', 'unlinkat', 'rmdir', 'mkdir', 'fchmod', 'ftruncate', 'fsync'];

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
    ({ instants, reference } = observeBuild());
    expect(Object.keys(reference).some((path) => path.endsWith('.zst'))).toBe(compressible);
  });

  test(
    `is valid, and is completed by the next one, wherever it was (SOAK_KILLS=${kills}, SOAK_SEED=${seed})`,
    async () => {
      for (const instant of evenly(instants, kills, seed)) {
        const mirror = copyOfBefore();
        const where = `${instant.call} ${instant.count}`;
        const trace = ['-e', `inject=${instant.call}:signal=SIGKILL:when=${instant.count}`];
        expect(traced(trace, mirror).signal, where).toBe('SIGKILL');
        await expectValidMirror(mirror, named).catch((error: unknown) => {
          throw new Error(`killed at ${where}`, { cause: error });
        });
        expect(await runCli([...arguments_, mirror]), where).toMatchObject({ code: 0, stderr: '' });
        expect(servedTree(mirror), where).toEqual(reference);
      }
    },
    120_000 + kills * 20_000,
  );

  /** Every change that an undisturbed build makes, and what it leaves. */
  function observeBuild(): { instants: Instant[]; reference: Record<string, string> } {
    const mirror = copyOfBefore();
    const log = join(folder, 'strace.log');
    expect(traced(['-o', log, '-e', `trace=${changes.join()}`], mirror).status).toBe(0);
    return { instants: readInstants(readFileSync(log, 'utf8')), reference: servedTree(mirror) };
  }

  /** A mirror of two images, to which a third has to be added. Hard links: the images stay those of the directory. */
  function copyOfBefore(): string {
    const mirror = join(folder, 'mirror');
    rmSync(mirror, { recursive: true, force: true });
    execFileSync('cp', ['-al', before, mirror]);
    return mirror;
  }

  /** One thread for all asynchronous calls, since strace counts the calls of each thread by itself. */
  function traced(trace: readonly string[], mirror: string) {
    const program = join(projectRoot, 'bin', 'update-repository.js');
    const env = { ...process.env, UV_THREADPOOL_SIZE: '1' };
    const command = ['-f', '-qq', ...trace, process.execPath, program, ...arguments_, mirror];
    return spawnSync('strace', command, { env, stdio: ['ignore', 'ignore', 'ignore'] });
  }
});
