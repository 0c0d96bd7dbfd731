import { expect, test } from 'vitest';
import { Health } from '../../../src/client/download/health.js';

const [a, b, c] = ['a', 'b', 'c'].map((mirror) => ({ mirror })) as [
  { mirror: string },
  { mirror: string },
  { mirror: string },
];

function healthAt() {
  const clock = { nowMs: 0 };
  return { clock, health: new Health(() => clock.nowMs) };
}

test('who fails goes behind the others for a while, and comes back', () => {
  const { clock, health } = healthAt();
  health.failed('a');
  expect(health.order([a, b, c])).toEqual([b, c, a]);
  clock.nowMs = 14_999;
  expect(health.order([a, b, c])).toEqual([b, c, a]);
  clock.nowMs = 15_000;
  expect(health.order([a, b, c])).toEqual([a, b, c]);
});

test('who fails again rests longer, and a success makes up for all', () => {
  const { clock, health } = healthAt();
  health.failed('a');
  health.failed('a');
  health.failed('b');
  expect(health.order([a, b, c])).toEqual([c, b, a]);
  clock.nowMs = 20_000;
  expect(health.order([a, b, c])).toEqual([b, c, a]);
  health.succeeded('a');
  expect(health.order([a, b, c])).toEqual([a, b, c]);
});

test('nobody rests for ever, and who asks for longer gets it', () => {
  const { clock, health } = healthAt();
  for (let failures = 0; failures < 50; failures += 1) health.failed('a');
  clock.nowMs = 600_000;
  expect(health.order([a, b])).toEqual([a, b]);
  health.failed('b', 700_000);
  clock.nowMs = 1_299_999;
  expect(health.order([b, a])).toEqual([a, b]);
});
