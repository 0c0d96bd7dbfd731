import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { onTestFinished } from 'vitest';
import { type Skippable, skipLoudly } from './tools.js';

/** A file system of its own that holds so many bytes and no more. */
export interface SmallDisk {
  readonly path: string;
  /** Makes it larger or smaller, as when somebody frees space. */
  resize(sizeBytes: number): void;
}

/**
 * Mounts a small tmpfs at `path` until the running test is over. Only root may mount: without, the test is skipped
 * loudly.
 */
export function mountSmallDisk(context: Skippable, path: string, sizeBytes: number): SmallDisk {
  mkdirSync(path, { recursive: true });
  try {
    mount('-t', 'tmpfs', '-o', `size=${sizeBytes}`, 'tmpfs', path);
  } catch (error) {
    skipLoudly(context, `cannot mount a tmpfs: ${error instanceof Error ? error.message.trim() : error}`);
  }
  onTestFinished(() => {
    execFileSync('umount', [path]);
  });
  return { path, resize: (bytes) => mount('-o', `remount,size=${bytes}`, path) };
}

function mount(...args: string[]): void {
  execFileSync('mount', args, { stdio: 'pipe' });
}
