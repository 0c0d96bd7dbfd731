import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { findStructureFault } from '../../src/metadata/json-structure.js';

describe('the structure of a JSON text', () => {
  it.each([
    '{"a":1,"b":{"a":1}}',
    '[{"a":1},{"a":1}]',
    '{"a":"a","b":"a"}',
    '{"a":["a","a","b"]}',
    '{"a\\"b":1,"a":"\\"a\\":"}',
    '{"a":"{[\\\\"}',
    '"a"',
    ' 1 ',
    `${'['.repeat(64)}${']'.repeat(64)}`,
  ])('is fine in %s', (text) => {
    expect(JSON.parse(text)).toBeDefined();
    expect(findStructureFault(text)).toBeNull();
  });

  it.each([
    ['{"a":1,"a":2}', 'the key "a" twice in one object'],
    ['{ "a" : 1 , "b": [{}], "a"\n: 2}', 'the key "a" twice in one object'],
    ['{"a":1,"\\u0061":2}', 'the key "a" twice in one object'],
    ['[0,{"x":{"__proto__":1,"__proto__":2}}]', 'the key "__proto__" twice in one object'],
    ['{"":1,"":2}', 'the key "" twice in one object'],
    [`${'['.repeat(65)}${']'.repeat(65)}`, 'more than 64 levels of nesting'],
    [`${'{"a":'.repeat(65)}1${'}'.repeat(65)}`, 'more than 64 levels of nesting'],
  ])('has a fault in %s', (text, fault) => {
    expect(JSON.parse(text)).toBeDefined();
    expect(findStructureFault(text)).toBe(fault);
  });

  it('is looked at to the end of any text, JSON or not', () => {
    const text = fc.string({ unit: fc.constantFrom(...'{}[]:,"\\ua0 '), maxLength: 60 });
    fc.assert(
      fc.property(text, (text) => {
        expect(() => findStructureFault(text)).not.toThrow();
      }),
      { numRuns: 1000 },
    );
  });

  it('has no fault in what JSON.stringify writes, at any indentation', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 6 }), fc.nat({ max: 3 }), (value, indent) => {
        expect(findStructureFault(JSON.stringify(value, null, indent))).toBeNull();
      }),
    );
  });

  it('has a fault in any object that repeats its first key at the end', () => {
    const objects = fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 3 }), { minKeys: 1 });
    fc.assert(
      fc.property(objects, (object) => {
        const key = JSON.stringify(Object.keys(object)[0]);
        expect(findStructureFault(`${JSON.stringify(object).slice(0, -1)},${key}:0}`)).not.toBeNull();
      }),
    );
  });
});
