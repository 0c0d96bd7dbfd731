import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { evenly, type Instant } from '../../support/kill-instants.js';
import { temporaryDirectoryOfSuite } from '../../support/temporary-directory.js';
import { haveTools } from '../../support/tools.js';
import { killNodeAt, observeNode } from '../../support/traced-cli.js';
import { addMade, dayBytes, dayImage, dayPublished, textIn } from './support/device-directory.js';
import { deviceScript, filesOf, pointers, replaceByCopy, runDevice } from './support/device-process.js';

/** Of each of the four. */
const kills = Math.ceil(Number(process.env.SOAK_KILLS ?? 12) / 2);
const seed = process.env.SOAK_SEED ?? '1';

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
  const node = [deviceScript, action, layout, dir, JSON.stringify(dayPublished(4)), '3', ...hooks];
  let reference: Record<string, string>;
  let instants: Instant[];

  beforeAll(async () => {
    mkdirSync(before);
    for (const day of [1, 2, 3]) {
      addMade(before, day);
      expect(run('activate', before, day, []).status).toBe(0);
    }
    addMade(before, 4);
    writeFileSync(join(before, dayImage(9, 'puavo-os-foreign')), 'foreign');
    replaceByCopy(before, dir);
    instants = await observeNode(join(folder, 'strace.log'), node);
    reference = filesOf(dir);
    expect(instants.length).toBeGreaterThan(15);
    expect(Object.keys(reference)).toContain('post');
  });

  test(
    `always has a whole current image, and is completed by the next run (SOAK_KILLS=${kills}, SOAK_SEED=${seed})`,
    async () => {
      for (const instant of evenly(instants, kills, seed)) {
        replaceByCopy(before, dir);
        const where = `${instant.call} ${instant.count}`;
        await killNodeAt(instant, [], node);
        expect([3, action === 'activate' ? 4 : 2], where).toContain(dayOfBytes(current));
        expect([1, 2, 3], where).toContain(dayOfBytes(previous));
        expect(textIn(dir, dayImage(9, 'puavo-os-foreign')), where).toBe('foreign');
        // A rollback that had ended but for its locks must not be done twice.
        const wasDone = action === 'rollback' && textIn(dir, 'post') !== null && !isSwitching();
        const next = wasDone ? run('open', dir, 4, []) : run(action, dir, 4, hooks);
        expect({ where, ...next }).toMatchObject({ status: 0, stderr: '' });
        expect({ where, ...filesOf(dir) }).toEqual({ where, ...reference });
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

  function run(what: string, where: string, day: number, commands: readonly string[]) {
    return runDevice([what, layout, where, JSON.stringify(dayPublished(day)), '3', ...commands]);
  }
});
