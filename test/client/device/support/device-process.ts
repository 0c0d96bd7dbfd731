import { execFileSync, spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { sha256Hex } from './device-directory.js';

/** Does one thing to a device's directory, in a process of its own; its arguments are explained there. */
export const deviceScript = fileURLToPath(new URL('device-run.mjs', import.meta.url));

/** What leads to the current image and to the one before. */
export const pointers = { plain: ['current', 'previous'], puavo: ['ltsp.img', 'ltsp-backup.img'] } as const;

/** Waits for it. */
export function runDevice(args: readonly string[]) {
  return spawnSync(process.execPath, [deviceScript, ...args], { encoding: 'utf8' });
}

/** Replaces `dir` by a copy of `before`, with all times. */
export function replaceByCopy(before: string, dir: string): void {
  rmSync(dir, { recursive: true, force: true });
  execFileSync('cp', ['-a', before, dir]);
}

/**
 * All files with the sha256 of what they hold. Not the records of states, which differ by inodes and times, nor a
 * lock that was being taken, which goes after a while (src/io/lock.ts), nor what matches `others`.
 */
export function filesOf(dir: string, others: RegExp = /^$/): Record<string, string> {
  const names = readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter(
      (entry) => !entry.isDirectory() && !/^(images\.json|lock\..*)$/.test(entry.name) && !others.test(entry.name),
    )
    .map((entry) => join(entry.parentPath, entry.name).slice(dir.length + 1));
  return Object.fromEntries(names.sort().map((name) => [name, sha256Hex(readFileSync(join(dir, name)))]));
}
