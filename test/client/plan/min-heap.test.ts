import fc from 'fast-check';
import { expect, it } from 'vitest';
import { MinHeap } from '../../../src/client/plan/min-heap.js';

it('gives back what comes first, whatever was put in and taken out between', () => {
  fc.assert(
    fc.property(fc.array(fc.option(fc.nat(20), { freq: 3 })), (steps) => {
      const heap = new MinHeap<number>((a, b) => a < b);
      const items: number[] = [];
      for (const step of [...steps, ...steps.map(() => null)]) {
        if (step === null) expect(heap.pop()).toBe(items.sort((a, b) => a - b).shift());
        else {
          heap.push(step);
          items.push(step);
        }
      }
      expect(heap.pop()).toBe(items[0]);
    }),
  );
});
