import { describe, expect, it } from 'vitest';
import { allShapes, normalShape } from '../../bench/shapes/inputs.mjs';
import { sampleAnchors } from '../../src/delta/sample.js';

/** What the engine samples a base of 512 MiB by, at the normal effort. */
const sampleBits = 8;

const shapes = await allShapes();

describe('the shapes', () => {
  it('have a period of three bytes that makes an anchor of most positions', () => {
    const dense = shapes.find((shape) => shape.name.startsWith('period of 3 bytes'));
    const bytes = Buffer.concat([...(dense?.base(1) ?? [])]);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    expect(sampleAnchors(view, 0, 3000, sampleBits, new Int32Array(3000))).toBe(2000);
  });

  it('are as large as they are asked to be, and the same each time', () => {
    for (const shape of shapes) {
      const [base, target] = [Buffer.concat([...shape.base(2)]), Buffer.concat([...shape.target(2)])];
      expect(base.length, shape.name).toBeGreaterThan(2 ** 21 - 2 ** 14);
      expect(target.length, shape.name).toBeGreaterThan(2 ** 21 - 2 ** 14);
      expect(Buffer.concat([...shape.base(2)]).equals(base), shape.name).toBe(true);
      expect(base.equals(target), shape.name).toBe(shape.name === 'identical');
    }
  });

  it('are measured against the one whose files have nothing in common', () => {
    expect(shapes.map((shape) => shape.name)).toContain(normalShape);
  });
});
