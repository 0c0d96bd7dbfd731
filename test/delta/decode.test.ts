import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type DeltaBounds, DeltaDecoder } from '../../src/delta/decode.js';
import { caught } from './support/caught.js';
import { propertyRuns } from './support/properties.js';

/** The commands of a delta as text, literals joined whatever pieces they came in. */
function decoded(delta: Uint8Array, bounds: Partial<DeltaBounds> = {}, pieceBytes = delta.length): string {
  const commands: string[] = [];
  const decoder = new DeltaDecoder(
    { name: 'the.rdiff', ...bounds },
    {
      literal: (bytes, from, to) => void commands.push(Buffer.from(bytes.subarray(from, to)).toString('hex')),
      copy: (offset, length) => void commands.push(` copy(${offset},${length}) `),
    },
  );
  for (let at = 0; at < delta.length; at += pieceBytes) decoder.push(delta.subarray(at, at + pieceBytes));
  decoder.finish();
  return commands.join('').trim();
}

const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex');
const magic = '72730236';

describe('what a delta may hold', () => {
  test.each([
    ['nothing', `${magic} 00`, ''],
    ['a literal of one byte', `${magic} 01 aa 00`, 'aa'],
    ['a literal with its length in 1 byte', `${magic} 41 02 aabb 00`, 'aabb'],
    ['in 2 bytes', `${magic} 42 0002 aabb 00`, 'aabb'],
    ['in 4 bytes', `${magic} 43 00000002 aabb 00`, 'aabb'],
    ['in 8 bytes', `${magic} 44 0000000000000002 aabb 00`, 'aabb'],
    ['a copy, 1 and 1 byte', `${magic} 45 05 06 00`, 'copy(5,6)'],
    ['a copy, 1 and 8 bytes', `${magic} 48 05 0000000100000000 00`, `copy(5,${2 ** 32})`],
    ['a copy, 2 and 4 bytes', `${magic} 4b 0102 00000003 00`, 'copy(258,3)'],
    ['a copy, 4 and 2 bytes', `${magic} 4e 00010000 0003 00`, 'copy(65536,3)'],
    ['a copy, 8 and 1 byte', `${magic} 51 0000000100000000 03 00`, `copy(${2 ** 32},3)`],
    ['a copy, 8 and 8 bytes', `${magic} 54 0010000000000000 0000000000000003 00`, `copy(${2 ** 52},3)`],
    ['several', `${magic} 01 aa 45 05 06 02 bbcc 45 00 01 00`, 'aa copy(5,6) bbcc copy(0,1)'],
  ])('%s', (_, delta, commands) => {
    expect(decoded(hex(delta))).toBe(commands);
  });

  test('it does not matter in what pieces it comes', () => {
    const command = fc.oneof(
      fc.uint8Array({ minLength: 1, maxLength: 64 }).map((bytes) => Buffer.concat([Buffer.of(bytes.length), bytes])),
      fc.tuple(fc.nat({ max: 3 }), fc.nat({ max: 3 }), fc.nat({ max: 200 })).map(([offset, length, value]) => {
        const integer = (code: number) => Buffer.concat([Buffer.alloc(2 ** code - 1), Buffer.of(value + 1)]);
        return Buffer.concat([Buffer.of(0x45 + 4 * offset + length), integer(offset), integer(length)]);
      }),
    );
    fc.assert(
      fc.property(fc.array(command), fc.integer({ min: 1, max: 40 }), (commands, pieceBytes) => {
        const delta = Buffer.concat([hex(magic), ...commands, Buffer.of(0)]);
        expect(decoded(delta, {}, pieceBytes)).toBe(decoded(delta));
      }),
      propertyRuns(100),
    );
  });

  test('pieces may be empty', () => {
    const decoder = new DeltaDecoder({ name: 'the.rdiff' }, { literal: () => undefined, copy: () => undefined });
    for (const piece of ['', '7273', '', '023602aa', '', 'aa', '00', '']) decoder.push(hex(piece));
    expect(decoder.finish()).toBe(2);
  });
});

describe('what a delta may not hold', () => {
  test.each([
    [
      'another magic',
      '72730136 00',
      {},
      'at byte 0 of the delta: expected the magic 0x72730236 of a delta, found 0x72730136',
    ],
    [
      'a reserved opcode',
      `${magic} 55`,
      {},
      'at byte 4 of the delta: expected a command, found the reserved opcode 0x55',
    ],
    [
      'the last opcode',
      `${magic} 01 aa ff`,
      {},
      'at byte 6 of the delta: expected a command, found the reserved opcode 0xff',
    ],
    [
      'a literal of no bytes',
      `${magic} 41 00`,
      {},
      'at byte 4 of the delta: expected a command of at least 1 byte, found 0 bytes',
    ],
    [
      'a copy of no bytes',
      `${magic} 45 05 00`,
      {},
      'at byte 4 of the delta: expected a command of at least 1 byte, found 0 bytes',
    ],
    [
      'a copy past the base',
      `${magic} 45 05 06 00`,
      { baseBytes: 10 },
      "at byte 4 of the delta: expected a copy inside the base's 10 bytes, found 6 bytes at 5",
    ],
    [
      'a copy from behind the base',
      `${magic} 45 0b 01 00`,
      { baseBytes: 10 },
      "at byte 4 of the delta: expected a copy inside the base's 10 bytes, found 1 bytes at 11",
    ],
    [
      'an offset that no file has',
      `${magic} 51 ffffffffffffffff 01 00`,
      {},
      'at byte 4 of the delta: expected an integer up to 9007199254740991, found about 18446744073709552000',
    ],
    [
      'a length that no file has',
      `${magic} 44 8000000000000000`,
      {},
      'at byte 4 of the delta: expected an integer up to 9007199254740991, found about 9223372036854776000',
    ],
    [
      'more than the target by a literal',
      `${magic} 02 aabb 00`,
      { targetBytes: 1 },
      'at byte 4 of the delta: expected a target of 1 bytes, found at least 2 bytes',
    ],
    [
      'more than the target by a copy',
      `${magic} 01 aa 45 00 01 00`,
      { targetBytes: 1 },
      'at byte 6 of the delta: expected a target of 1 bytes, found at least 2 bytes',
    ],
    [
      'less than the target',
      `${magic} 01 aa 00`,
      { targetBytes: 2 },
      'at byte 6 of the delta: expected a target of 2 bytes, found 1 bytes',
    ],
    [
      'anything after the end',
      `${magic} 00 00`,
      {},
      'at byte 5 of the delta: expected nothing after the end command, found 0x00',
    ],
    ['nothing at all', '', {}, 'at byte 0 of the delta: expected its end command, found the end of the data'],
    ['no end', `${magic} 01 aa`, {}, 'at byte 6 of the delta: expected its end command, found the end of the data'],
    [
      'half a literal',
      `${magic} 03 aa`,
      {},
      'at byte 6 of the delta: expected its end command, found the end of the data',
    ],
    [
      'half a header',
      `${magic} 46 01 02`,
      {},
      'at byte 7 of the delta: expected its end command, found the end of the data',
    ],
  ])('%s', (_, delta, bounds, complaint) => {
    for (const pieceBytes of [1, 3, 100]) {
      const error = caught(() => decoded(hex(delta), bounds, pieceBytes));
      expect(error.code).toBe('FORMAT');
      expect(error.message).toBe(`the.rdiff: ${complaint}`);
    }
  });

  test('a copy is checked before the receiver sees it, and a literal before its first byte', () => {
    const seen: string[] = [];
    const receiver = { literal: () => seen.push('literal'), copy: () => seen.push('copy') };
    for (const delta of [`${magic} 45 05 06`, `${magic} 05 aabbccddee`]) {
      const decoder = new DeltaDecoder({ name: 'the.rdiff', baseBytes: 8, targetBytes: 4 }, receiver);
      expect(caught(() => decoder.push(hex(delta))).code).toBe('FORMAT');
    }
    expect(seen).toEqual([]);
  });

  test.each([Number.NaN, -1, 0.5, 2 ** 53])('bounds that are no sizes, such as %d, are refused', (bytes) => {
    const receiver = { literal: () => undefined, copy: () => undefined };
    for (const bounds of [{ baseBytes: bytes }, { targetBytes: bytes }]) {
      expect(caught(() => new DeltaDecoder({ name: 'the.rdiff', ...bounds }, receiver)).code).toBe('USAGE');
    }
  });

  test('a huge literal that has only begun holds no memory and passes its bytes on', () => {
    const pieces: number[] = [];
    const decoder = new DeltaDecoder(
      { name: 'the.rdiff' },
      { literal: (_bytes, from, to) => void pieces.push(to - from), copy: () => undefined },
    );
    decoder.push(hex(`${magic} 44 0010000000000000`));
    decoder.push(Buffer.alloc(100_000));
    expect(pieces).toEqual([100_000]);
    expect(caught(() => decoder.finish()).code).toBe('FORMAT');
  });
});

test('a receiver that is full gets the rest when it has room again', () => {
  const command = fc.oneof(
    fc.uint8Array({ minLength: 1, maxLength: 64 }).map((bytes) => Buffer.concat([Buffer.of(bytes.length), bytes])),
    fc.tuple(fc.nat({ max: 255 }), fc.integer({ min: 1, max: 255 })).map((numbers) => Buffer.of(0x45, ...numbers)),
  );
  fc.assert(
    fc.property(fc.array(command), fc.integer({ min: 1, max: 90 }), (commands, room) => {
      const delta = Buffer.concat([hex(magic), ...commands, Buffer.of(0)]);
      expect(decodedInSteps(delta, room)).toEqual(targetOf(delta));
    }),
    propertyRuns(100),
  );
});

/** The target's bytes one by one: where they are copied from, or what they are. */
function targetOf(delta: Buffer): string[] {
  return decodedInSteps(delta, Number.POSITIVE_INFINITY);
}

function decodedInSteps(delta: Buffer, roomBytes: number): string[] {
  const target: string[] = [];
  const receiver = {
    room: roomBytes,
    literal(bytes: Uint8Array, from: number, to: number) {
      for (let at = from; at < to; at += 1) target.push(`= ${bytes[at]}`);
      receiver.room -= to - from;
    },
    copy(offset: number, length: number) {
      for (let at = offset; at < offset + length; at += 1) target.push(`@ ${at}`);
      receiver.room -= length;
    },
  };
  const decoder = new DeltaDecoder({ name: 'the.rdiff' }, receiver);
  for (let rest = delta; ; receiver.room = roomBytes) {
    rest = rest.subarray(decoder.push(rest));
    expect(receiver.room).toBeGreaterThanOrEqual(0);
    if (rest.length === 0 && !decoder.isPending) break;
    expect(receiver.room).toBe(0);
  }
  expect(decoder.finish()).toBe(target.length);
  return target;
}
