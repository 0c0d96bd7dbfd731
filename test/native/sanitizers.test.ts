import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { propertyRuns } from '../delta/support/properties.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { requireTools } from '../support/tools.js';
import { requireSanitizers } from './require-sanitizers.js';

const native = fileURLToPath(new URL('../../native', import.meta.url));

/** The core, once plain and once with its SIMD path, and the trials of native/test/trial.h around both. */
const sources = ['delta-core.c', 'test/simd/simd-core.c', 'test/base.c', 'test/round-trip.c'];
const warnings = ['-std=c17', '-Wall', '-Wextra', '-Werror', '-Itest/simd'];

describe.each(['gcc', 'clang'])('the delta core, compiled by %s,', (compiler) => {
  const { numRuns, seed = Date.now() } = propertyRuns(200);

  test('gives no warning', async (context) => {
    requireTools(context, compiler);
    await compileTrials(compiler, ['-O3']);
  });

  test('touches nothing outside its areas and does nothing undefined; its deltas lead to the target', async (context) => {
    await requireSanitizers(context, compiler, 'address,undefined');
    const program = await compileTrials(compiler, ['-fsanitize=address,undefined', '-fno-sanitize-recover=all']);
    await runTrials(program, seed, numRuns, 1);
  });

  test('has no races, and any number of threads makes the same index and delta', async (context) => {
    await requireSanitizers(context, compiler, 'thread');
    // It takes several times as long.
    await runTrials(await compileTrials(compiler, ['-fsanitize=thread']), seed, Math.ceil(numRuns / 5), 4);
  });
});

async function compileTrials(compiler: string, options: readonly string[]): Promise<string> {
  const program = join(await temporaryDirectory(), 'round-trip');
  await succeed(compiler, [...warnings, '-O1', '-g', ...options, ...sources, '-o', program, '-lpthread']);
  return program;
}

/** A failure says the seed of its trial: see native/test/round-trip.c. */
async function runTrials(program: string, seed: number, trials: number, threads: number): Promise<void> {
  expect(await succeed(program, [seed, trials, threads].map(String))).toBe(`${trials} trials\n`);
}

/** Resolves with what a program that is run in native/ prints, rejects with what it complains of. */
function succeed(program: string, args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(program, args, { cwd: native }, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else reject(new Error(`${program} ${args.join(' ')}: ${error.signal ?? error.code}\n${stderr}`));
    });
  });
}
