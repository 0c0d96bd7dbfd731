import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { projectRoot } from '../../cli/run.js';
import { evenly, type Instant, readInstants } from '../../support/kill-instants.js';
import { temporaryDirectoryOfSuite } from '../../support/temporary-directory.js';
import { haveTools } from '../../support/tools.js';
import { addMade, dayBytes, dayImage, dayPublished, sha256Hex, textIn } from './support/device-directory.js';

/** Of each of the four. */
const kills = Math.ceil(Number(process.env.SOAK_KILLS ?? 12) / 2);
const seed = process.env.SOAK_SEED ?? '1';

/** The system calls that change what a boot loader or a later run may find. */
const changes = ['rename', 'link', 'symlink', 'unlink', 'rmdir', 'mkdir', 'ftruncate', 'fchmod', 'fsync'];

const script = join(projectRoot, 'test', 'client', 'device', 'support', 'device-run.mjs');
const pointers = { plain: ['current', 'previous'], puavo: ['ltsp.img', 'ltsp-backup.img'] } as const;

// Each run is killed by strace as it enters a chosen system call.
describe.skipIf(!haveTools('strace', 'flock')).each([
  { action: 'activate', layout: 'plain' },
  { action: 'activate', layout: 'puavo' },
  { action: 'rollback', layout: 'plain' },
  { action: 'rollback', layout: 'puavo' },
] as const)('$action in the $layout layout, killed as it changes a file', ({ action, layout }) => {
  const folder = temporaryDirectoryOfSuite();
  const before = join(folder, 'before');
  const dir = join(folder, 'images');
  const [current, previous] = pointers[layout];
  const hooks = ['test -e pre || touch pre', 'touch post'];
  let reference: Record<string, string>;
  let instants: Instant[];

  beforeAll(() => {
    mkdirSync(before);
    for (const day of [1, 2, 3]) {
      addMade(before, day);
      expect(run('activate', before, day, []).status).toBe(0);
    }
    addMade(before, 4);
    writeFileSync(join(before, dayImage(9, 'puavo-os-foreign')), 'foreign');
    copyBefore();
    const log = join(folder, 'strace.log');
    expect(traced(['-o', log, '-e', `trace=${changes.join()}`]).status).toBe(0);
    instants = readInstants(readFileSync(log, 'utf8'));
    reference = tree();
    expect(instants.length).toBeGreaterThan(15);
    expect(Object.keys(reference)).toContain('post');
  });

  test(
    `always has a whole current image, and is completed by the next run (SOAK_KILLS=${kills}, SOAK_SEED=${seed})`,
    () => {
      for (const instant of evenly(instants, kills, seed)) {
        copyBefore();
        const where = `${instant.call} ${instant.count}`;
        const { signal } = traced(['-e', `inject=${instant.call}:signal=SIGKILL:when=${instant.count}`]);
        expect(signal, where).toBe('SIGKILL');
        expect([3, action === 'activate' ? 4 : 2], where).toContain(dayOfBytes(current));
        expect([1, 2, 3], where).toContain(dayOfBytes(previous));
        expect(textIn(dir, dayImage(9, 'puavo-os-foreign')), where).toBe('foreign');
        // A rollback that had ended but for its locks must not be done twice.
        const wasDone = action === 'rollback' && textIn(dir, 'post') !== null && !isSwitching();
        const next = wasDone ? run('open', dir, 4, []) : run(action, dir, 4, hooks);
        expect({ where, ...next }).toMatchObject({ status: 0, stderr: '' });
        expect({ where, ...tree() }).toEqual({ where, ...reference });
      }
    },
    120_000 + kills * 20_000,
  );

  function isSwitching(): boolean {
    return readdirSync(join(dir, '.update-repository')).includes('switch.json');
  }

  function dayOfBytes(name: string): number | undefined {
    const bytes = readFileSync(join(dir, name));
    return [1, 2, 3, 4].find((day) => dayBytes(day).equals(bytes));
  }

  function copyBefore(): void {
    rmSync(dir, { recursive: true, force: true });
    execFileSync('cp', ['-a', before, dir]);
  }

  /**
   * All files with the sha256 of what they hold. Not the records of states, which differ by inodes and times, nor a
   * lock that was being taken, which goes after a while (src/io/lock.ts).
   */
  function tree(): Record<string, string> {
    const names = readdirSync(dir, { recursive: true, withFileTypes: true })
      .filter((entry) => !entry.isDirectory() && !/^(images\.json|lock\..*)$/.test(entry.name))
      .map((entry) => join(entry.parentPath, entry.name).slice(dir.length + 1));
    return Object.fromEntries(names.sort().map((name) => [name, sha256Hex(readFileSync(join(dir, name)))]));
  }

  function run(what: string, where: string, day: number, commands: readonly string[]) {
    const args = [what, layout, where, JSON.stringify(dayPublished(day)), '3', ...commands];
    return spawnSync(process.execPath, [script, ...args], { encoding: 'utf8' });
  }

  /** One thread for all asynchronous calls, since strace counts the calls of each thread by itself. */
  function traced(trace: readonly string[]) {
    const args = [action, layout, dir, JSON.stringify(dayPublished(4)), '3', ...hooks];
    const env = { ...process.env, UV_THREADPOOL_SIZE: '1' };
    const command = ['-f', '-qq', ...trace, process.execPath, script, ...args];
    return spawnSync('strace', command, { env, stdio: ['ignore', 'ignore', 'ignore'] });
  }
});
