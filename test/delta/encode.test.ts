import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DeltaWriter } from '../../src/delta/encode.js';
import { caught } from './support/caught.js';
import { propertyRuns } from './support/properties.js';

type Call = { readonly copy: readonly [offset: number, length: number] } | { readonly literal: Uint8Array };

function written(calls: readonly Call[], maxDeltaBytes?: number) {
  const pieces: Buffer[] = [];
  const writer = new DeltaWriter((bytes) => pieces.push(Buffer.from(bytes)), 'the.rdiff', maxDeltaBytes);
  for (const call of calls) {
    if ('copy' in call) writer.copy(...call.copy);
    else writer.literal(call.literal, 0, call.literal.length);
  }
  const statistics = writer.finish();
  return { delta: Buffer.concat(pieces), statistics };
}

/** The delta's commands in hexadecimal, without magic and end. */
function commands(...calls: Call[]): string {
  const hex = written(calls).delta.toString('hex');
  expect(hex.slice(0, 8)).toBe('72730236');
  expect(hex.slice(-2)).toBe('00');
  return hex.slice(8, -2);
}

const literal = (sizeBytes: number): Call => ({ literal: Buffer.alloc(sizeBytes, 0xaa) });
const copy = (offset: number, length: number): Call => ({ copy: [offset, length] });
const aa = (count: number) => 'aa'.repeat(count);

describe('commands', () => {
  test('a delta of nothing is magic and end', () => {
    expect(written([]).delta.toString('hex')).toBe('7273023600');
    expect(commands(literal(0), copy(7, 0))).toBe('');
    expect(commands(literal(2), copy(1, 0), literal(2), copy(3, 1), literal(0), copy(4, 1))).toBe('04aaaaaaaa450302');
  });

  test('a literal has its length in the opcode up to 64 bytes, then behind it in 1 or 2 bytes', () => {
    expect(commands(literal(1))).toBe('01aa');
    expect(commands(literal(64))).toBe(`40${aa(64)}`);
    expect(commands(literal(65))).toBe(`4141${aa(65)}`);
    expect(commands(literal(255))).toBe(`41ff${aa(255)}`);
    expect(commands(literal(256))).toBe(`420100${aa(256)}`);
    expect(commands(literal(32768))).toBe(`428000${aa(32768)}`);
  });

  test('a longer literal is cut every 32 KiB', () => {
    expect(commands(literal(32769))).toBe(`428000${aa(32768)}01aa`);
    expect(commands(literal(65536))).toBe(`428000${aa(32768)}428000${aa(32768)}`);
  });

  test.each([
    [0, 1, '450001'],
    [255, 255, '45ffff'],
    [255, 256, '46ff0100'],
    [256, 255, '490100ff'],
    [65535, 65535, '4affffffff'],
    [65535, 65536, '4bffff00010000'],
    [65536, 1, '4d0001000001'],
    [2 ** 32 - 1, 2 ** 32 - 1, '4fffffffffffffffff'],
    [2 ** 32 - 1, 2 ** 32, '50ffffffff0000000100000000'],
    [2 ** 32, 1, '51000000010000000001'],
    [2 ** 32, 256, '5200000001000000000100'],
    [2 ** 40, 65536, '53000001000000000000010000'],
    [2 ** 52, 2 ** 40, '5400100000000000000000010000000000'],
  ])('a copy of offset %d and length %d takes the fewest bytes: %s', (offset, length, hex) => {
    expect(commands(copy(offset, length))).toBe(hex);
  });

  test('copies that continue each other are one', () => {
    expect(commands(copy(10, 5), copy(15, 6), copy(21, 1))).toBe('450a0c');
    expect(commands(copy(10, 5), copy(16, 6))).toBe('450a05451006');
    expect(commands(copy(10, 5), copy(10, 5))).toBe('450a05450a05');
  });

  test('literals and copies that follow each other keep their order', () => {
    expect(commands(literal(2), copy(1, 3), literal(1), copy(4, 9))).toBe('02aaaa45010301aa450409');
  });

  test('the bytes do not depend on how literals and copies were cut into calls', () => {
    const piece = fc.oneof(
      fc.record({ literal: fc.uint8Array({ maxLength: 90 }) }),
      fc.record({ literal: fc.integer({ min: 0, max: 70_000 }).map((sizeBytes) => Buffer.alloc(sizeBytes, 5)) }),
      fc.record({ copy: fc.tuple(fc.nat({ max: 2 ** 30 }), fc.nat({ max: 300 })) }),
    );
    const cut = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(fc.array(fc.tuple(piece, cut), { maxLength: 8 }), (pieces) => {
        const whole = pieces.map(([call]) => call);
        const halves = pieces.flatMap(([call, at]) => halvesOf(call, at));
        expect(written(halves).delta.equals(written(whole).delta)).toBe(true);
      }),
      propertyRuns(100),
    );
  });

  test('statistics count what was written', () => {
    const { delta, statistics } = written([copy(0, 100), copy(100, 50), literal(40000), copy(7, 30)]);
    expect(statistics).toEqual({
      deltaBytes: delta.length,
      copyCommands: 2,
      copiedBytes: 180,
      literalCommands: 2,
      literalBytes: 40000,
    });
  });
});

describe('the size limit', () => {
  test('lets a delta of exactly that size through', () => {
    expect(written([literal(10), copy(0, 20)], 4 + 11 + 3 + 1).delta).toHaveLength(19);
  });

  test('stops one that is a byte larger, with the file, the limit and the size', () => {
    const error = caught(() => written([literal(10), copy(0, 20)], 18));
    expect(error).toMatchObject({ code: 'DELTA_TOO_LARGE', data: { path: 'the.rdiff', maxDeltaBytes: 18 } });
    expect(error.message).toBe('the.rdiff: expected a delta of at most 18 bytes, it grew to 19');
  });

  test('stops as soon as it is passed, not at the end', () => {
    const writer = new DeltaWriter(() => undefined, 'the.rdiff', 50_000);
    const text = Buffer.alloc(32768);
    writer.literal(text, 0, text.length);
    expect(caught(() => writer.literal(text, 0, text.length)).code).toBe('DELTA_TOO_LARGE');
  });
});

function halvesOf(call: Call, at: number): Call[] {
  if ('literal' in call) {
    const middle = Math.floor(at * call.literal.length);
    return [{ literal: call.literal.subarray(0, middle) }, { literal: call.literal.subarray(middle) }];
  }
  const [offset, length] = call.copy;
  const middle = Math.floor(at * length);
  return [copy(offset, middle), copy(offset + middle, length - middle)];
}
