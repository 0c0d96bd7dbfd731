import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, onTestFinished, test, vi } from 'vitest';
import { DeltaPatcher } from '../../src/delta/patch.js';
import { SourceFile } from '../../src/delta/source-file.js';
import { TargetBuffer } from '../../src/delta/target-buffer.js';
import { pseudoRandomBytes } from '../support/pseudo-random.js';
import { temporaryDirectory, temporaryDirectoryOfSuite } from '../support/temporary-directory.js';
import { propertyRuns } from './support/properties.js';

const base = pseudoRandomBytes('target buffer', 100_000);

function sourceIn(dir: string): SourceFile {
  const path = join(dir, 'base');
  writeFileSync(path, base);
  return new SourceFile(path);
}

type Command = { readonly literal: Buffer } | { readonly offset: number; readonly length: number };

/** Copies that mostly go on where the one before would be, with literals between them. */
const commands: fc.Arbitrary<Command[]> = fc
  .array(
    fc.record({
      kind: fc.constantFrom('literal', 'diagonal', 'jump'),
      length: fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 9000 })),
      to: fc.nat({ max: base.length - 1 }),
    }),
    { maxLength: 60 },
  )
  .map((steps) => {
    let position = 0;
    return steps.map(({ kind, length, to }): Command => {
      if (kind === 'literal') {
        position += length;
        return { literal: Buffer.alloc(length, to) };
      }
      const offset = kind === 'jump' || position >= base.length ? to : position;
      const copied = Math.min(length, base.length - offset);
      position = offset + copied;
      return { offset, length: copied };
    });
  });

const dir = temporaryDirectoryOfSuite();

test('whatever the order of copies and literals, it holds what they say', () => {
  const source = sourceIn(dir);
  fc.assert(
    fc.property(commands, fc.integer({ min: 1, max: 70_000 }), (list, capacity) => {
      const buffer = new TargetBuffer(source, capacity);
      const taken: Buffer[] = [];
      for (const command of list) {
        const length = 'literal' in command ? command.literal.length : command.length;
        for (let done = 0; done < length; ) {
          if (buffer.room === 0) taken.push(Buffer.from(buffer.take()));
          const part = Math.min(buffer.room, length - done);
          if ('literal' in command) buffer.literal(command.literal, done, done + part);
          else buffer.copy(command.offset + done, part);
          done += part;
        }
      }
      taken.push(Buffer.from(buffer.take()));
      const wanted = list.map((command) =>
        'literal' in command ? command.literal : base.subarray(command.offset, command.offset + command.length),
      );
      expect(Buffer.concat(taken).equals(Buffer.concat(wanted))).toBe(true);
    }),
    propertyRuns(300),
  );
  source.close();
});

test.each([
  ['within one buffer', 2 ** 20],
  ['over several buffers', 20_000],
])('copies that go on behind replaced bytes are read together, %s', async (_, capacity) => {
  const source = sourceIn(await temporaryDirectory());
  onTestFinished(() => source.close());
  const read = vi.spyOn(source, 'read');
  const buffer = new TargetBuffer(source, capacity);
  for (let at = 0; at < base.length; at += 40) {
    buffer.literal(Buffer.from('literal!'), 0, 8);
    buffer.copy(at + 8, 32);
    if (buffer.room === 0) buffer.take();
  }
  expect(read.mock.calls.length).toBeLessThan(10);
});

test('a few bytes of a delta that stand for much are applied step by step', async () => {
  const source = sourceIn(await temporaryDirectory());
  onTestFinished(() => source.close());
  let bytes = 0;
  const patcher = new DeltaPatcher({ base: source, deltaName: 'a.rdiff' }, (piece) => {
    bytes += piece.length;
  });
  // Two hundred copies of 100,000 bytes.
  const copies = Array<string>(200).fill('4700000186a0').join('');
  const steps: number[] = [];
  let rest: Uint8Array | null = Buffer.from(`72730236${copies}00`, 'hex');
  while (rest !== null) {
    rest = patcher.pushSome(rest);
    steps.push(bytes);
  }
  expect(steps).toEqual(Array.from({ length: 153 }, (_, step) => Math.min(step + 1, 152) * 2 ** 17));
  expect(patcher.finish()).toBe(20_000_000);
  expect(bytes).toBe(20_000_000);
});
