import { setImmediate as turn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { MemoryBudget } from '../../../src/publish/s3/memory-budget.js';

test('no more is lent at once than the limit, and who came first gets it first', async () => {
  const budget = new MemoryBudget(100, 40);
  const lent: number[] = [];
  const borrow = async (sizeBytes: number) => {
    const buffer = await budget.borrow(sizeBytes);
    lent.push(sizeBytes);
    return buffer;
  };
  const [first, second] = [await borrow(40), await borrow(50)];
  const large = borrow(60);
  const small = borrow(1);
  await turn();
  expect(lent).toEqual([40, 50]);
  budget.giveBack(second);
  await turn();
  expect(lent).toEqual([40, 50, 60]);
  await large;
  budget.giveBack(first);
  await small;
  expect(lent).toEqual([40, 50, 60, 1]);
});

test('what is larger than the limit is lent alone', async () => {
  const budget = new MemoryBudget(100, 40);
  const small = await budget.borrow(1);
  let isLent = false;
  const large = budget.borrow(500).then((buffer) => {
    isLent = true;
    return buffer;
  });
  await turn();
  expect(isLent).toBe(false);
  budget.giveBack(small);
  expect(await large).toHaveLength(500);
});

test('memory of the usual size is used again', async () => {
  const budget = new MemoryBudget(100, 40);
  const first = await budget.borrow(40);
  budget.giveBack(first);
  expect(await budget.borrow(40)).toBe(first);
});
