import fs, { closeSync, ftruncateSync, openSync, readFileSync, truncateSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { layOutArena } from '../../src/delta/arena-layout.js';
import {
  deltaMemoryBytes,
  type EngineChoice,
  type EngineTuning,
  generateDelta,
  usualTuning,
} from '../../src/delta/generate.js';
import { deltaParameters } from '../../src/delta/parameters.js';
import { WasmMemory } from '../../src/delta/wasm-memory.js';
import { compileWasmModule } from '../../src/delta/wasm-module.js';
import { pseudoRandomBytes } from '../support/pseudo-random.js';
import { temporaryDirectory, temporaryDirectoryOfSuite } from '../support/temporary-directory.js';
import { caught } from './support/caught.js';
import { editedPair } from './support/edited-pairs.js';
import { applied, makeDelta } from './support/engine.js';
import { propertyRuns } from './support/properties.js';
import { repetitivePair } from './support/repetitive-pairs.js';

const dir = temporaryDirectoryOfSuite();
const effort = fc.constantFrom('fast' as const, 'normal' as const, 'max' as const);
const segmentBytes = 2 ** 20;

/** The delta by one engine, once the other has made the same bytes. */
function deltaOfBoth(base: Uint8Array, target: Uint8Array, effort: 'fast' | 'normal' | 'max' = 'normal') {
  const made = makeDelta(dir, base, target, effort, { engine: 'wasm' });
  const { delta, statistics } = makeDelta(dir, base, target, effort, { engine: 'js' });
  expect(made.delta.equals(delta)).toBe(true);
  expect(made.statistics).toEqual(statistics);
  return made;
}

describe('the WebAssembly engine makes the bytes of the one in TypeScript', () => {
  test('for edited texts of all sorts', () => {
    fc.assert(
      fc.property(editedPair(1_000_000), effort, ({ base, target }, effort) => {
        deltaOfBoth(base, target, effort);
      }),
      propertyRuns(150),
    );
  });

  test('for texts that repeat the same few cycles', () => {
    fc.assert(
      fc.property(repetitivePair(1_000_000), effort, ({ base, target }, effort) => {
        deltaOfBoth(base, target, effort);
      }),
      propertyRuns(60),
    );
  });

  test('however it cuts its work', () => {
    const tuning = fc.record<Partial<EngineTuning>>({
      engine: fc.constant('wasm' as const),
      batchBytes: fc.integer({ min: 1, max: 20_000 }),
      pageBytes: fc.integer({ min: 512, max: 100_000 }),
      maxPages: fc.integer({ min: 1, max: 5 }),
    });
    const pair = fc.oneof(editedPair(100_000), repetitivePair(30_000));
    fc.assert(
      fc.property(pair, effort, tuning, ({ base, target }, effort, tuning) => {
        const { delta } = makeDelta(dir, base, target, effort, tuning);
        expect(delta.equals(makeDelta(dir, base, target, effort, { engine: 'js' }).delta)).toBe(true);
      }),
      propertyRuns(60),
    );
  });

  test('for texts of several segments, with moves, runs and changes that cross their borders', () => {
    const random = pseudoRandomBytes('several segments', 3 * segmentBytes + 300_000);
    const base = Buffer.concat([random, Buffer.alloc(segmentBytes + 77, 7), random.subarray(1000, 5000)]);
    const target = Buffer.concat([
      random.subarray(100_000, 2 * segmentBytes + 1234),
      Buffer.alloc(segmentBytes + 40, 7),
      random.subarray(50_000, 2 * segmentBytes),
      pseudoRandomBytes('fresh', 70_000),
      random.subarray(2 * segmentBytes + 40_000),
    ]);
    for (let at = 10_000; at < target.length; at += 1234) target[at] = 1;
    const { basePath, deltaPath } = deltaOfBoth(base, target);
    expect(applied(basePath, deltaPath, target.length).equals(target)).toBe(true);
  });

  test('for windows that differ in one byte, whichever it is', () => {
    const text = pseudoRandomBytes('one byte', 40_000);
    for (let byte = 0; byte < 64; byte += 1) {
      const target = Buffer.from(text);
      for (let at = 64 + byte; at < target.length; at += 129) target[at] = (target[at] ?? 0) ^ 0x80;
      deltaOfBoth(text, target, 'max');
    }
  });

  test('for runs of all lengths and places', () => {
    const parts = Array.from({ length: 400 }, (_, n) =>
      Buffer.concat([pseudoRandomBytes(`part ${n}`, n % 37), Buffer.alloc((n * 7) % 90, n % 5)]),
    );
    const base = Buffer.concat(parts);
    for (const target of [base.subarray(13), Buffer.concat(parts.toReversed())]) deltaOfBoth(base, target, 'max');
    for (let length = 0; length < 100; length += 1) deltaOfBoth(Buffer.alloc(length, 1), Buffer.alloc(2 * length, 1));
  });

  test('for short runs anywhere in bytes without any', () => {
    const run = Buffer.alloc(32, 7);
    const places = Array.from({ length: 160 }, (_, n) => 256 + n);
    const varied = (place: number) => pseudoRandomBytes(`varied ${place}`, place);
    const inTarget = Buffer.concat(places.flatMap((place) => [varied(place), run]));
    const found = deltaOfBoth(run, Buffer.concat([inTarget, varied(300)]), 'fast');
    expect(found.delta.length).toBeLessThan(inTarget.length + 300 - 25 * places.length);
    for (const place of places) {
      const base = Buffer.concat([varied(place), run, varied(300)]);
      expect(deltaOfBoth(base, Buffer.alloc(64, 7), 'fast').delta.length).toBeLessThan(20);
    }
  });

  test('for offsets around and behind 2^32', { timeout: 300_000 }, async () => {
    const folder = await temporaryDirectory();
    const [basePath, targetPath] = [join(folder, 'base'), join(folder, 'target')];
    const pieces = sparse(basePath, 2 ** 32 + 2 ** 22, [2 ** 31, 2 ** 32 - 3000, 2 ** 32 + 2 ** 21 - 2000]);
    const target = Buffer.concat([...pieces.toReversed(), ...pieces]);
    // Stretches of 9 to 19 equal bytes: whether they are copied depends on where they are in the base.
    for (let at = 20; at < target.length; at += at % 1000 < 500 ? 10 + (at % 11) : 500) {
      target[at] = (target[at] ?? 0) ^ 1;
    }
    writeFileSync(targetPath, target);
    const [js, wasm] = (['js', 'wasm'] as const).map((engine) => {
      const deltaPath = join(folder, engine);
      generateDelta({ basePath, targetPath, deltaPath, effort: 'normal' }, {}, { engine });
      return readFileSync(deltaPath);
    });
    expect(js?.equals(wasm ?? Buffer.alloc(0))).toBe(true);
    expect(js?.length).toBeLessThan(0.6 * target.length);
  });
});

describe('the memory of the WebAssembly engine', () => {
  const large = pseudoRandomBytes('large', 6_000_000);
  const small = pseudoRandomBytes('small', 30_000);

  test('is used again, and what one delta left there does not reach the next', () => {
    const grow = vi.spyOn(WebAssembly.Memory.prototype, 'grow');
    onTestFinished(() => grow.mockRestore());
    for (const [base, target] of [
      [large, large.subarray(5)],
      [small, large.subarray(0, 3_000_000)],
      [large, Buffer.concat([small, large])],
      [Buffer.alloc(0), large.subarray(0, 100)],
    ] as const) {
      deltaOfBoth(base, target, 'max');
    }
    expect(grow.mock.calls.length).toBeLessThanOrEqual(1);
  });

  test('serves a delta after one that failed in the midst of the core', async () => {
    const folder = await temporaryDirectory();
    const [basePath, targetPath, deltaPath] = [join(folder, 'base'), join(folder, 'target'), join(folder, 'delta')];
    for (let time = 0; time < 300; time += 1) {
      writeFileSync(basePath, small);
      writeFileSync(targetPath, small);
      const onProgress = () => truncateSync(basePath, 10);
      const request = { basePath, targetPath, deltaPath, effort: 'normal' as const };
      const error = caught(() => generateDelta(request, { onProgress }, { engine: 'wasm' }));
      expect(error).toMatchObject({ code: 'CHANGED_WHILE_READ', data: { path: basePath } });
    }
    deltaOfBoth(large, large.subarray(1000));
  });

  test('is not shared with a delta that is made while another one is', async () => {
    const folder = await temporaryDirectory();
    const [basePath, targetPath, deltaPath] = [join(folder, 'base'), join(folder, 'target'), join(folder, 'delta')];
    writeFileSync(basePath, large);
    writeFileSync(targetPath, large.subarray(1000));
    const onProgress = () => void deltaOfBoth(small, small.subarray(1));
    generateDelta({ basePath, targetPath, deltaPath, effort: 'normal' }, { onProgress }, { engine: 'wasm' });
    expect(readFileSync(deltaPath).equals(deltaOfBoth(large, large.subarray(1000)).delta)).toBe(true);
  });

  test.each([0, 1, 2 ** 20, 2 ** 30, 2 ** 34, 2 ** 40])(
    'for a base of %d bytes is within what is said',
    (baseBytes) => {
      for (const effort of ['fast', 'normal', 'max'] as const) {
        for (const threads of [1, 2, 32]) {
          const { end } = layOutArena(
            2 ** 15,
            baseBytes,
            deltaParameters(baseBytes, effort),
            usualTuning(effort),
            threads,
          );
          expect(end).toBeLessThan(deltaMemoryBytes(baseBytes, effort, threads));
          expect(end).toBeLessThan(2 ** 32);
        }
      }
    },
  );

  test('that the machine does not have is missed by name', () => {
    const grow = vi.spyOn(WebAssembly.Memory.prototype, 'grow').mockImplementation(() => {
      throw new RangeError('out of memory');
    });
    onTestFinished(() => grow.mockRestore());
    const memory = new WasmMemory(compileWasmModule('delta-core.wasm'));
    expect(caught(() => memory.grow(2 ** 30))).toMatchObject({
      code: 'MEMORY',
      data: { neededBytes: 2 ** 30 },
    });
  });
});

describe('without the module', () => {
  const text = pseudoRandomBytes('without the module', 50_000);

  /** A fresh engine whose module is what `bytes` says, or is not there. */
  async function engineWith(bytes?: Uint8Array) {
    vi.resetModules();
    const read = vi.spyOn(fs, 'readFileSync').mockImplementation(() => {
      if (bytes !== undefined) return Buffer.from(bytes);
      throw Object.assign(new Error('no such file'), { code: 'ENOENT', errno: -2, syscall: 'open' });
    });
    const { generateDelta } = await import('../../src/delta/generate.js');
    onTestFinished(() => {
      read.mockRestore();
      vi.resetModules();
    });
    return async (engine: EngineChoice) => {
      const folder = await temporaryDirectory();
      const [basePath, targetPath, deltaPath] = [join(folder, 'base'), join(folder, 'target'), join(folder, 'delta')];
      writeFileSync(basePath, text);
      writeFileSync(targetPath, text.subarray(10));
      return generateDelta({ basePath, targetPath, deltaPath, effort: 'normal' }, {}, { engine });
    };
  }

  test.each([
    ['is not there', undefined],
    ['does not compile', Buffer.from('not a module')],
  ])('that %s the engine in TypeScript makes the delta, unless the other one is asked for', async (_, bytes) => {
    const generate = await engineWith(bytes);
    expect(await generate('auto')).toEqual(makeDelta(dir, text, text.subarray(10)).statistics);
    await expect(generate('wasm')).rejects.toMatchObject({ code: 'CONFIG', hint: /engine js/ });
  });
});

/** A file of zeros with random pieces at the given offsets; returns the pieces. */
function sparse(path: string, sizeBytes: number, offsets: readonly number[]): Buffer[] {
  const fd = openSync(path, 'wx');
  ftruncateSync(fd, sizeBytes);
  const pieces = offsets.map((offset) => pseudoRandomBytes(`piece ${offset}`, 6000));
  for (const [n, piece] of pieces.entries()) writeSync(fd, piece, 0, piece.length, offsets[n]);
  closeSync(fd);
  return pieces;
}
