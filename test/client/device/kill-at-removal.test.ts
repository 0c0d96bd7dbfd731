import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { evenly, type Instant } from '../../support/kill-instants.js';
import { temporaryDirectoryOfSuite } from '../../support/temporary-directory.js';
import { haveTools } from '../../support/tools.js';
import { killNodeAt, observeNode } from '../../support/traced-cli.js';
import { addMade, dayBytes, dayImage, dayPublished } from './support/device-directory.js';
import { deviceScript, filesOf, pointers, replaceByCopy, runDevice } from './support/device-process.js';

/** Of each of the three. */
const kills = Math.ceil(Number(process.env.SOAK_KILLS ?? 12) / 2);
const seed = process.env.SOAK_SEED ?? '1';

/** Files that stay of a run that was killed, until a later one has use for them. */
const leftovers = /^(images\.json\..*|lock|switch\.json\.tmp|link\.tmp)$/;

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
  const node = [deviceScript, 'remove', layout, dir, JSON.stringify(dayPublished(day)), 'null'];
  let reference: Record<string, string>;
  let instants: Instant[];

  beforeAll(async () => {
    mkdirSync(before);
    for (const one of [1, 2, 3]) {
      addMade(before, one);
      expect(run('activate', before, one).status).toBe(0);
    }
    copyBefore();
    instants = await observeNode(join(folder, 'strace.log'), node);
    reference = tree();
    expect(Object.keys(reference)).not.toContain(dayImage(day));
    expect(Object.keys(reference).includes(previous)).toBe(day !== 2);
  }, 60_000);

  test(
    `leaves, wherever it is killed, the image with all that leads to it, or nothing of it (SOAK_KILLS=${kills}, SOAK_SEED=${seed})`,
    async () => {
      const found = new Set<boolean>();
      for (const instant of evenly(instants, kills, seed)) {
        copyBefore();
        const untouched = tree();
        const where = `${instant.call} ${instant.count}`;
        await killNodeAt(instant, [], node);
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
    replaceByCopy(before, dir);
    // The copies have other inodes than the records say.
    expect(run('remove', dir, 9).status).toBe(0);
  }

  function tree(): Record<string, string> {
    return filesOf(dir, leftovers);
  }

  function run(what: string, where: string, one: number) {
    return runDevice([what, layout, where, JSON.stringify(dayPublished(one)), 'null']);
  }
});
