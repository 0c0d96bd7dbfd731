import { execFile } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { TestContext } from 'vitest';
import { skipLoudly } from '../../support/tools.js';
import type { Workshop } from './workshop.js';

const bin = join(dirname(dirname(dirname(dirname(fileURLToPath(import.meta.url))))), 'bin', 'update-repository.js');
const NOBODY = 65534;

/**
 * Builds a workshop's mirror with the command line as a user who is bound by permissions: who runs the tests, or where
 * that is root, nobody. Skips the test loudly when nobody could not even read the program.
 */
export async function buildAsNobody(
  context: Pick<TestContext, 'skip'>,
  { folder, imagesDir, mirrorDir }: Workshop,
): Promise<{ readonly code: number | string; readonly stderr: string }> {
  const isRoot = process.getuid?.() === 0;
  mkdirSync(mirrorDir, { recursive: true });
  if (isRoot) {
    chmodSync(folder, 0o755);
    for (const path of [imagesDir, mirrorDir]) chownSync(path, NOBODY, NOBODY);
    if (!(await runs(process.execPath, [bin, '--version']))) skipLoudly(context, 'nobody cannot run the program');
  }
  return run(process.execPath, [bin, '--link', 'copy', imagesDir, mirrorDir], isRoot);
}

async function runs(file: string, args: readonly string[]): Promise<boolean> {
  return (await run(file, args, true)).code === 0;
}

function run(
  file: string,
  args: readonly string[],
  asNobody: boolean,
): Promise<{ code: number | string; stderr: string }> {
  const user = asNobody ? { uid: NOBODY, gid: NOBODY } : {};
  return new Promise((resolve) => {
    execFile(file, args, { cwd: '/', ...user }, (error, _, stderr) => {
      resolve({ code: error === null ? 0 : (error.code ?? error.signal ?? 'unknown'), stderr });
    });
  });
}
