import fc from 'fast-check';
import { expect, it } from 'vitest';
import { describeName, describeValue } from '../../src/metadata/describe-value.js';
import { anyText } from './arbitraries.js';

it('values are shown by what a reader of the file would call them', () => {
  expect([undefined, null, true, 1.5, [1], { a: 1 }, 'a"b'].map(describeValue)).toEqual([
    'nothing',
    'null',
    'true',
    '1.5',
    'a list',
    'an object',
    '"a\\"b"',
  ]);
});

it('a printable name stands as it is, any other is quoted', () => {
  expect(describeName('päivä.img')).toBe('päivä.img');
  expect(describeName('')).toBe('""');
  expect(describeName('a b')).toBe('"a b"');
  expect(describeName('a\u202eb')).toBe('"a\\u{202e}b"');
});

it('whatever a foreign string holds, its description is one short printable line', () => {
  fc.assert(
    fc.property(anyText(400), (text) => {
      for (const shown of [describeValue(text), describeName(text)]) {
        expect(shown).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u);
        expect(shown.length).toBeLessThan(1000);
      }
    }),
  );
});
