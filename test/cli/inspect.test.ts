import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { compressDelta } from '../../src/delta/compress-delta.js';
import { makeDelta } from '../delta/support/engine.js';
import { exampleMetaText } from '../metadata/worked-example.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { runCli } from './run.js';

it('prints the facts of a delta', async () => {
  const { deltaPath } = makeDelta(await temporaryDirectory(), Buffer.alloc(5000, 'base '), Buffer.alloc(4000, 'base '));
  expect(await runCli(['inspect', deltaPath])).toEqual({
    stdout: [
      `file             ${deltaPath}`,
      'size             9 bytes',
      'kind             delta',
      'target           3.9 KiB (4000 bytes)',
      'expansion        444 times',
      'copied           3.9 KiB (4000 bytes) by 1 copy',
      'literal          0 bytes in 0 literals',
      'longest literal  0 bytes',
      'base             at least 3.9 KiB (4000 bytes)',
      '',
    ].join('\n'),
    stderr: '',
    code: 0,
  });
});

it('prints the facts of a delta that zstd compressed', async () => {
  const { deltaPath } = makeDelta(await temporaryDirectory(), Buffer.of(), Buffer.alloc(200_000, 'words and '));
  await compressDelta({ deltaPath, zstPath: `${deltaPath}.zst`, effort: 'fast' });
  const { stdout, code } = await runCli(['inspect', `${deltaPath}.zst`]);
  expect(code).toBe(0);
  expect(stdout.split('\n').slice(2, 5)).toEqual([
    'kind             delta, compressed by zstd',
    expect.stringMatching(/^unpacked {9}195 KiB \(200\d+ bytes\)$/),
    'target           195 KiB (200000 bytes)',
  ]);
});

it('prints the images of a meta file as a table', async () => {
  const path = join(await temporaryDirectory(), 'file');
  writeFileSync(path, exampleMetaText);
  const { stdout, code } = await runCli(['inspect', path]);
  expect(code).toBe(0);
  expect(stdout.split('\n').slice(2)).toEqual([
    'kind    meta file of a series',
    'series  puavo-os-acme-buster-amd64',
    'images  2',
    '',
    'IMAGE                                                SIZE  DELTAS     SIZE',
    expect.stringMatching(/^puavo-os-acme-buster-2022-01-17-120001-amd64\.img +4\.0 GiB +1 +583 MiB$/),
    expect.stringMatching(/^puavo-os-acme-buster-2022-01-20-173248-amd64\.img +/),
    '',
  ]);
});

it('with --json prints one object', async () => {
  const { deltaPath, delta } = makeDelta(await temporaryDirectory(), Buffer.from('a'), Buffer.from('b'));
  const { stdout, stderr, code } = await runCli(['inspect', '--json', deltaPath]);
  expect({ stderr, code }).toEqual({ stderr: '', code: 0 });
  expect(JSON.parse(stdout)).toMatchObject({
    type: 'inspection',
    path: deltaPath,
    sizeBytes: delta.length,
    kind: 'delta',
    literalBytes: 1,
  });
});

it('exits with 3 for a file that is none of it', async () => {
  const { stdout, stderr, code } = await runCli(['inspect', 'package.json']);
  expect({ stdout, code }).toEqual({ stdout: '', code: 3 });
  expect(stderr).toMatch(/^update-repository: package\.json: .*expected /);
});
