import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { pseudoRandomNumbers } from '../../support/pseudo-random.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';
import { addMade, dayBytes, dayImage, dayPublished } from './support/device-directory.js';
import { deviceScript } from './support/device-process.js';

const kills = Number(process.env.SOAK_KILLS ?? 12);
const seed = process.env.SOAK_SEED ?? '1';

/** Large enough that reading one takes some milliseconds. */
const IMAGE_BYTES = 2_000_000;
const DAYS = [1, 2, 3, 4, 5];

test(
  `a device has a whole current image after each of ${kills} kills (SOAK_SEED=${seed})`,
  async () => {
    const random = pseudoRandomNumbers(seed);
    const dir = await temporaryDirectory();
    addMade(dir, 1, IMAGE_BYTES);
    const started = performance.now();
    expect(await run(dir, ['activate', 1])).toBe(0);
    const runMs = performance.now() - started;
    for (let killed = 0; killed < kills; ) {
      const day = pick(DAYS, random());
      const isRollback = random() < 0.2;
      if (!isRollback && !readdirSync(dir).includes(dayImage(day))) addMade(dir, day, IMAGE_BYTES);
      const ended = await run(dir, isRollback ? ['rollback'] : ['activate', day], random() * runMs * 1.5);
      if (ended === null) killed++;
      const current = currentDay(dir);
      if (ended === 0 && !isRollback) expect(current).toBe(day);
      expect(DAYS).toContain(current);
      // Nothing was removed that is needed to go on, whatever the order of activations and kills.
      if (random() < 0.3) {
        if (!readdirSync(dir).includes(dayImage(day))) addMade(dir, day, IMAGE_BYTES);
        expect(await run(dir, ['activate', day])).toBe(0);
        expect(currentDay(dir)).toBe(day);
        expect(readdirSync(join(dir, '.update-repository'))).not.toContain('switch.json');
        expect(imageDays(dir).every((present) => dayOfFile(dir, dayImage(present)) === present)).toBe(true);
        const previous = previousDay(dir);
        if (previous === undefined) continue;
        expect(await run(dir, ['rollback'])).toBe(0);
        expect(currentDay(dir)).toBe(previous);
      }
    }
  },
  120_000 + kills * 20_000,
);

function pick<T>(items: readonly T[], share: number): T {
  return items[Math.floor(share * items.length)] as T;
}

/**
 * Does it in a process that is killed after a while, where that is given; resolves to its exit code, null when killed.
 */
async function run(
  dir: string,
  [action, day = 1]: readonly [string, number?],
  killMs?: number,
): Promise<number | null> {
  const args = [action, 'plain', dir, JSON.stringify(dayPublished(day, IMAGE_BYTES)), '3', 'true', 'true'];
  const child = spawn(process.execPath, [deviceScript, ...args], { stdio: ['ignore', 'ignore', 'inherit'] });
  const ended = once(child, 'close');
  if (killMs !== undefined) await Promise.race([ended, sleep(killMs)]);
  if (killMs !== undefined) child.kill('SIGKILL');
  await ended;
  return child.exitCode;
}

function currentDay(dir: string): number | undefined {
  return dayOfFile(dir, 'current');
}

function previousDay(dir: string): number | undefined {
  return readdirSync(dir).includes('previous') ? dayOfFile(dir, 'previous') : undefined;
}

function dayOfFile(dir: string, name: string): number | undefined {
  const bytes = readFileSync(join(dir, name));
  return DAYS.find((day) => dayBytes(day, IMAGE_BYTES).equals(bytes));
}

function imageDays(dir: string): number[] {
  const names = readdirSync(dir);
  return DAYS.filter((day) => names.includes(dayImage(day)));
}
