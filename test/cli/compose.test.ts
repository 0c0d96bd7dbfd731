import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { applied, makeDelta } from '../delta/support/engine.js';
import { pseudoRandomBytes } from '../support/pseudo-random.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { runCli } from './run.js';

const a = pseudoRandomBytes('cli compose', 500_000);
const b = Buffer.concat([a.subarray(1000), Buffer.from('first')]);
const c = Buffer.concat([Buffer.from('second'), b.subarray(0, 300_000)]);

async function workshop() {
  const dir = await temporaryDirectory();
  const first = makeDelta(dir, a, b);
  const second = makeDelta(dir, b, c);
  const deltaPath = join(dir, 'composed.rdiff');
  const paths = [first.deltaPath, second.deltaPath, deltaPath] as const;
  return { dir, basePath: first.basePath, deltaPath, paths, args: ['compose', ...paths] };
}

it('makes the delta that leads all the way, and says so', async () => {
  const { args, basePath, deltaPath, paths } = await workshop();
  const { stdout, stderr, code } = await runCli(args);
  expect(code).toBe(0);
  expect(stdout).toContain(
    `composed.rdiff: ${readFileSync(deltaPath).length} B, made from ${paths[0]} and ${paths[1]}, `,
  );
  expect(stderr).toMatch(/^\[1\] compose .*composed\.rdiff: \d+ B, makes 293 KiB, \d+ ms\n$/);
  expect(applied(basePath, deltaPath, c.length).equals(c)).toBe(true);
});

it('with --json ends in the summary', async () => {
  const { args, deltaPath, paths } = await workshop();
  const { stdout, stderr, code } = await runCli([...args, '--json']);
  expect({ stderr, code }).toEqual({ stderr: '', code: 0 });
  expect(JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '')).toEqual({
    type: 'compose-summary',
    first: paths[0],
    second: paths[1],
    delta: deltaPath,
    deltaBytes: readFileSync(deltaPath).length,
    targetBytes: c.length,
    durationMs: expect.any(Number),
  });
});

it('does not replace a file unless it is told to', async () => {
  const { args, deltaPath } = await workshop();
  writeFileSync(deltaPath, 'old');
  expect(await runCli(args)).toMatchObject({ code: 2, stdout: '' });
  expect(readFileSync(deltaPath, 'utf8')).toBe('old');
  expect(await runCli([...args, '--force'])).toMatchObject({ code: 0 });
});

it('refuses two deltas in the wrong order, exits with 3 and leaves nothing', async () => {
  const { dir, deltaPath, paths } = await workshop();
  const before = readdirSync(dir);
  const { stderr, code } = await runCli(['compose', paths[1], paths[0], deltaPath]);
  expect(code).toBe(3);
  expect(stderr).toMatch(/: at byte \d+ of the delta: expected a copy inside the base's 300006 bytes, found /);
  expect(readdirSync(dir)).toEqual(before);
});

it('keeps to the memory and the size that it may take', async () => {
  const { args } = await workshop();
  const little = await runCli([...args, '--memory', '1000']);
  expect(little.code).toBe(1);
  expect(little.stderr).toMatch(/: has more than the 0 commands that fit .*\nhint: run it with more --memory\n$/);
  const small = await runCli([...args, '--max-size', '10']);
  expect(small.code).toBe(1);
  expect(small.stderr).toContain('composed.rdiff: expected a delta of at most 10 bytes, it grew to ');
});
