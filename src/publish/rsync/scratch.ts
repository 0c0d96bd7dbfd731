import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A new directory of this machine that nobody else reads; who asked for it removes it. */
export async function makeScratch(): Promise<string> {
  return await mkdtemp(join(tmpdir(), 'update-repository-rsync-'));
}

/** Does `work` with such a directory, whose name ends with a slash as rsync wants it; it goes whatever happens. */
export async function withScratch<T>(work: (directory: string) => Promise<T>): Promise<T> {
  const directory = await makeScratch();
  try {
    return await work(`${directory}/`);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
