import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { propertyRuns } from '../delta/support/properties.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { requireTools } from '../support/tools.js';
import { requireSanitizers } from './require-sanitizers.js';

const native = fileURLToPath(new URL('../../native', import.meta.url));

/** Programs of trials. The delta core is in the first one twice, plain and with its SIMD path. */
const delta = ['delta-core.c', 'test/simd/simd-core.c', 'test/base.c', 'test/delta-trials.c'];
const signature = ['signature-core.c', 'test/signature-trials.c'];

const options = ['-std=c17', '-Wall', '-Wextra', '-Werror', '-Itest/simd', '-O1', '-g'];
const addresses = ['-fsanitize=address,undefined', '-fno-sanitize-recover=all'];

describe.each(['gcc', 'clang'])('compiled by %s', (compiler) => {
  const { numRuns, seed = Date.now() } = propertyRuns(200);

  test('no core gives a warning', async (context) => {
    requireTools(context, compiler);
    for (const sources of [delta, signature]) await compileTrials(compiler, sources, ['-O3']);
    await succeed(compiler, [
      ...options,
      '-O3',
      '-c',
      'cksum-core.c',
      '-o',
      join(await temporaryDirectory(), 'cksum.o'),
    ]);
  });

  test('the delta core touches nothing outside its areas, and its deltas lead to the target', async (context) => {
    await requireSanitizers(context, compiler, 'address,undefined');
    await runTrials(await compileTrials(compiler, delta, addresses), seed, numRuns, 1);
  });

  test('the delta core has no races, and any number of threads makes the same index and delta', async (context) => {
    await requireSanitizers(context, compiler, 'thread');
    // It takes several times as long.
    const program = await compileTrials(compiler, delta, ['-fsanitize=thread']);
    await runTrials(program, seed, Math.ceil(numRuns / 5), 4);
  });

  test('the signature core touches nothing outside its areas, and finds all that a signature has', async (context) => {
    await requireSanitizers(context, compiler, 'address,undefined');
    await runTrials(await compileTrials(compiler, signature, addresses), seed, numRuns, 1);
  });
});

async function compileTrials(compiler: string, sources: readonly string[], more: readonly string[]): Promise<string> {
  const program = join(await temporaryDirectory(), 'trials');
  await succeed(compiler, [...options, ...more, ...sources, '-o', program, '-lpthread']);
  return program;
}

/** A failure says the seed of its trial: see native/test/driver.h. */
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
