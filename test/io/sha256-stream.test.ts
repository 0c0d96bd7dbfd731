import { createHash } from 'node:crypto';
import { EventEmitter } from 'node:events';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { openSha256 } from '../../src/io/sha256-stream.js';
import { pseudoRandomBytes } from '../support/pseudo-random.js';

const bytes = pseudoRandomBytes('sha256', 3_000_000);
const expected = createHash('sha256').update(bytes).digest('hex');

describe.each([
  ['of few bytes', 1000],
  ['of many bytes', 2 ** 30],
])('a sha256 %s', (_, sizeBytes) => {
  test('is that of all that came, also from shared memory', async () => {
    const digest = await openSha256(sizeBytes);
    const shared = new Uint8Array(new SharedArrayBuffer(100_000));
    for (let at = 0; at < bytes.length; at += shared.length) {
      shared.set(bytes.subarray(at, at + shared.length));
      await digest.update(shared);
    }
    expect(await digest.digest()).toBe(expected);
    await digest.close();
  });

  test('does not need one to wait for each piece', async () => {
    const digest = await openSha256(sizeBytes);
    const taken = [0, 1, 2].map((n) => digest.update(bytes.subarray(n * 1_000_000, (n + 1) * 1_000_000)));
    expect(await digest.digest()).toBe(expected);
    await Promise.all(taken);
    await digest.close();
  });

  test('of nothing is known', async () => {
    const digest = await openSha256(sizeBytes);
    expect(await digest.digest()).toBe(createHash('sha256').digest('hex'));
    await digest.close();
  });
});

test('a thread that ends before its time is not waited for', async () => {
  const digest = await openSha256(2 ** 30);
  const taking = digest.update(new Uint8Array(new SharedArrayBuffer(2 ** 28)));
  await Promise.all([
    digest.close(),
    expect(taking).rejects.toMatchObject({ code: 'INTERNAL', message: 'sha256: its thread ended with 1' }),
  ]);
});

test('where there is no thread to be had, it comes without', async () => {
  class NoThread extends EventEmitter {
    constructor() {
      super();
      setImmediate(() => this.emit('error', new Error('no resources')));
    }
  }
  vi.resetModules();
  vi.doMock('node:worker_threads', () => ({ Worker: NoThread }));
  onTestFinished(() => vi.doUnmock('node:worker_threads'));
  const fresh = await import('../../src/io/sha256-stream.js');
  const digest = await fresh.openSha256(2 ** 30);
  await digest.update(bytes);
  expect(await digest.digest()).toBe(expected);
});
