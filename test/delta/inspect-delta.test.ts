import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { inspectDelta } from '../../src/delta/inspect-delta.js';
import { pseudoRandomBytes } from '../support/pseudo-random.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { makeDelta } from './support/engine.js';

test('a delta is counted as its writer counted it', async () => {
  const dir = await temporaryDirectory();
  const base = pseudoRandomBytes('inspected', 3_000_000);
  const target = Buffer.concat([base.subarray(1_000_000), pseudoRandomBytes('fresh', 700_000), base.subarray(0, 9000)]);
  const { deltaPath, statistics } = makeDelta(dir, base, target);
  const { deltaBytes, ...counts } = statistics;
  expect(await inspectDelta(deltaPath)).toEqual({
    kind: 'delta',
    unpackedBytes: null,
    ...counts,
    targetBytes: target.length,
    expansion: target.length / deltaBytes,
    longestLiteralBytes: 32_768,
    baseMinBytes: base.length,
  });
});

test('literals side by side count one by one, wherever the reading cuts them', async () => {
  const path = join(await temporaryDirectory(), 'a.rdiff');
  // 100 literals of 40,000 bytes, and one of 3.
  const literal = Buffer.concat([Buffer.from('429c40', 'hex'), Buffer.alloc(40_000)]);
  const short = Buffer.from('03616263', 'hex');
  writeFileSync(
    path,
    Buffer.concat([Buffer.from('72730236', 'hex'), ...Array(100).fill(literal), short, Buffer.of(0)]),
  );
  expect(await inspectDelta(path)).toMatchObject({
    literalCommands: 101,
    literalBytes: 4_000_003,
    longestLiteralBytes: 40_000,
    copyCommands: 0,
    baseMinBytes: 0,
  });
});

test('one that is cut off is refused with the place', async () => {
  const path = join(await temporaryDirectory(), 'a.rdiff');
  writeFileSync(path, Buffer.from('7273023603616263', 'hex'));
  await expect(inspectDelta(path)).rejects.toMatchObject({
    code: 'FORMAT',
    message: expect.stringContaining('at byte 8'),
  });
});
