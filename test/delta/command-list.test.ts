import fc from 'fast-check';
import { expect, test } from 'vitest';
import { CommandList } from '../../src/delta/command-list.js';
import { propertyRuns } from './support/properties.js';

const nothing = new Uint8Array(0);

test('a command is found by any byte that it makes, whatever the guess', () => {
  const command = fc.record({ copy: fc.boolean(), at: fc.nat({ max: 1000 }), length: fc.integer({ min: 1, max: 30 }) });
  fc.assert(
    fc.property(fc.array(command, { minLength: 1, maxLength: 50 }), fc.nat(), fc.nat(), (list, anywhere, guess) => {
      const commands = new CommandList('a.rdiff', 2 ** 20);
      for (const { copy, at, length } of list) {
        if (copy) commands.copy(at, length);
        else commands.literal(nothing, at, at + length);
      }
      const position = anywhere % commands.targetBytes;
      const index = commands.indexOf(position, guess % commands.count);
      expect(commands.startOf(index)).toBeLessThanOrEqual(position);
      expect(commands.startOf(index + 1)).toBeGreaterThan(position);
      expect(commands.startOf(commands.count)).toBe(list.reduce((sum, { length }) => sum + length, 0));
    }),
    propertyRuns(300),
  );
});

test('commands that continue each other count once, but never a copy and a literal', () => {
  const commands = new CommandList('a.rdiff', 2 ** 20);
  commands.copy(5, 10);
  commands.copy(15, 1);
  commands.literal(nothing, 20, 30);
  commands.pieceOffset = 30;
  commands.literal(nothing, 0, 4);
  commands.literal(nothing, 5, 6);
  commands.copy(0, 3);
  expect(commands.count).toBe(4);
  expect([0, 1, 2, 3, 4].map((index) => commands.startOf(index))).toEqual([0, 11, 25, 26, 29]);
  expect([0, 1, 2, 3].map((index) => commands.placeOf(index))).toEqual([5, -21, -36, 0]);
});

test('a copy and a literal whose numbers would fit stay apart', () => {
  const commands = new CommandList('a.rdiff', 2 ** 20);
  commands.copy(5, 10);
  commands.literal(nothing, 4, 19);
  commands.copy(10, 1);
  expect([0, 1, 2].map((index) => commands.placeOf(index))).toEqual([5, -5, 10]);
});

test('long lists keep every command', () => {
  const commands = new CommandList('a.rdiff', 2 ** 22);
  for (let n = 0; n < 200_000; n += 1) commands.copy(7 * n, 1 + (n % 2));
  for (const index of [0, 65_535, 65_536, 131_072, 199_999]) {
    expect(commands.placeOf(index)).toBe(7 * index);
    expect(commands.indexOf(commands.startOf(index), 0)).toBe(index);
  }
});
