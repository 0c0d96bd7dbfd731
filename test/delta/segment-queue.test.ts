import { Worker } from 'node:worker_threads';
import { describe, expect, onTestFinished, test } from 'vitest';
import { NO_SEGMENT, NO_SLOT_YET, queueBytes, SegmentQueue } from '../../src/delta/segment-queue.js';

function queueOf(segments: number, slots: number): SegmentQueue {
  return new SegmentQueue(new SharedArrayBuffer(queueBytes(slots)), 0, segments, slots);
}

describe('a queue of segments', () => {
  test('hands out each segment once, in order, and then none', () => {
    const queue = queueOf(3, 1);
    expect([1, 2, 3, 4, 5].map(() => queue.claim())).toEqual([0, 1, 2, NO_SEGMENT, NO_SEGMENT]);
    queue.reset();
    expect(queue.claim()).toBe(0);
  });

  test('has results written in order, whoever completes them and when', () => {
    const queue = queueOf(5, 3);
    const written: number[] = [];
    const complete = (segment: number) => queue.complete(segment, (slot) => void written.push(slot));
    for (const segment of [0, 1, 2]) expect(queue.waitForSlot(segment)).toBe(segment);
    complete(2);
    complete(1);
    expect(written).toEqual([]);
    complete(0);
    expect(written).toEqual([0, 1, 2]);
    expect([queue.waitForSlot(3), queue.waitForSlot(4)]).toEqual([0, 1]);
    complete(3);
    complete(4);
    expect(written).toEqual([0, 1, 2, 0, 1]);
  });

  test('that is stopped hands out nothing, and ends every wait', () => {
    const queue = queueOf(5, 1);
    queue.stop();
    expect(queue.claim()).toBe(NO_SEGMENT);
    expect(queue.waitForSlot(3)).toBe(NO_SEGMENT);
  });

  test('lets a thread see to other things when its slot stays taken', () => {
    const queue = queueOf(5, 1);
    const startedAt = performance.now();
    expect(queue.waitForSlot(1)).toBe(NO_SLOT_YET);
    expect(performance.now() - startedAt).toBeGreaterThan(50);
  });

  test('whose writing failed can still be stopped, and is not written on', () => {
    const queue = queueOf(5, 2);
    const fail = () => {
      throw new Error('no space');
    };
    expect(() => queue.complete(0, fail)).toThrow('no space');
    queue.stop();
    expect(queue.waitForSlot(2)).toBe(NO_SEGMENT);
  });

  test('lets a thread wait until another one has written what is in its slot', async () => {
    const buffer = new SharedArrayBuffer(queueBytes(1));
    const queue = new SegmentQueue(buffer, 0, 2, 1);
    // The words that a writer changes: segments written, at index 1.
    const writer = new Worker(
      `const { workerData: words } = require('node:worker_threads');
       setTimeout(() => { Atomics.store(words, 1, 1); Atomics.notify(words, 1); }, 300);`,
      { eval: true, workerData: new Int32Array(buffer) },
    );
    onTestFinished(async () => void (await writer.terminate()));
    // Each wait ends after a tenth of a second, and a thread may be long in starting.
    const waits = Array.from({ length: 100 }, () => queue.waitForSlot(1));
    expect(waits).toContain(NO_SLOT_YET);
    expect(waits.at(-1)).toBe(0);
  });
});
