import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { projectRoot } from '../../cli/run.js';
import { evenly, type Instant, readInstants } from '../../support/kill-instants.js';
import { temporaryDirectoryOfSuite } from '../../support/temporary-directory.js';
import { haveTools } from '../../support/tools.js';
import { addMade, dayBytes, dayImage, dayPublished, sha256Hex } from './support/device-directory.js';

/** Of each of the three. */
const kills = Math.ceil(Number(process.env.SOAK_KILLS ?? 12) / 2);
const seed = process.env.SOAK_SEED ?? '1';

/** The system calls that change what a boot loader or a later run may find. */
const changes = ['rename', 'link', 'symlink', 'unlink', 'rmdir', 'mkdir', 'ftruncate', 'fchmod', 'fsync'];
const script = join(projectRoot, 'test', 'client', 'device', 'support', 'device-run.mjs');
const pointers = { plain: ['current', 'previous'], puavo: ['ltsp.img', 'ltsp-backup.img'] } as const;

// The images of day 2 and 3 are previous and current; strace kills each run as it enters one of the system calls.
describe.skipIf(!haveTools('strace', 'flock')).each([
  { layout: 'plain', day: 2, what: 'previous' },
  { layout: 'puavo', day: 2, what: 'previous' },
  { layout: 'puavo', day: 1, what: 'old' },
] as const)('the removal of the $what image in the $layout layout', ({ layout, day }) => {
  const folder = temporaryDirectoryOfSuite();
  const before = join(folder, 'before');
  const dir = join(folder, 'images');
  const [current, previous] = pointers[layout];
  let reference: Record<string, string>;
  let instants: Instant[];

  beforeAll(() => {
    mkdirSync(before);
    for (const one of [1, 2, 3]) {
      addMade(before, one);
      expect(run('activate', before, one).status).toBe(0);
    }
    copyBefore();
    const log = join(folder, 'strace.log');
    expect(traced(['-o', log, '-e', `trace=${changes.join()}`]).status).toBe(0);
    instants = readInstants(readFileSync(log, 'utf8'));
    reference = tree();
    expect(Object.keys(reference)).not.toContain(dayImage(day));
    expect(Object.keys(reference).includes(previous)).toBe(day !== 2);
  }, 60_000);

  test(
    `leaves, wherever it is killed, the image with all that leads to it, or nothing of it (SOAK_KILLS=${kills}, SOAK_SEED=${seed})`,
    () => {
      const found = new Set<boolean>();
      for (const { call, count } of evenly(instants, kills, seed)) {
        copyBefore();
        const untouched = tree();
        const where = `${call} ${count}`;
        expect(traced(['-e', `inject=${call}:signal=SIGKILL:when=${count}`]).signal, where).toBe('SIGKILL');
        expect(readFileSync(join(dir, current)).equals(dayBytes(3)), where).toBe(true);
        const isThere = readdirSync(dir).includes(dayImage(day));
        found.add(isThere);
        expect({ where, ...run('open', dir, day) }).toMatchObject({ status: 0, stderr: '' });
        expect({ where, ...tree() }).toEqual({ where, ...(isThere ? untouched : reference) });
        expect({ where, ...run('remove', dir, day) }).toMatchObject({ status: 0, stderr: '' });
        expect({ where, ...tree() }).toEqual({ where, ...reference });
      }
      expect(found).toEqual(new Set([true, false]));
    },
    120_000 + kills * 20_000,
  );

  function copyBefore(): void {
    rmSync(dir, { recursive: true, force: true });
    execFileSync('cp', ['-a', before, dir]);
    // The copies have other inodes than the records say.
    expect(run('remove', dir, 9).status).toBe(0);
  }

  /** All files with the sha256 of what they hold, but for the records of states and a lock that was being taken. */
  function tree(): Record<string, string> {
    const names = readdirSync(dir, { recursive: true, withFileTypes: true })
      .filter(
        (entry) => !entry.isDirectory() && !/^(images\.json.*|lock.*|switch\.json\.tmp|link\.tmp)$/.test(entry.name),
      )
      .map((entry) => join(entry.parentPath, entry.name).slice(dir.length + 1));
    return Object.fromEntries(names.sort().map((name) => [name, sha256Hex(readFileSync(join(dir, name)))]));
  }

  function run(what: string, where: string, one: number) {
    const args = [what, layout, where, JSON.stringify(dayPublished(one)), 'null'];
    return spawnSync(process.execPath, [script, ...args], { encoding: 'utf8' });
  }

  /** One thread for all asynchronous calls, since strace counts the calls of each thread by itself. */
  function traced(trace: readonly string[]) {
    const args = ['remove', layout, dir, JSON.stringify(dayPublished(day)), 'null'];
    const env = { ...process.env, UV_THREADPOOL_SIZE: '1' };
    return spawnSync('strace', ['-f', '-qq', ...trace, process.execPath, script, ...args], {
      env,
      stdio: ['ignore', 'ignore', 'ignore'],
    });
  }
});
