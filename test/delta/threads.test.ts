import { readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { DeltaBase, type RunDeltaPart } from '../../src/delta/delta-base.js';
import type { DeltaPart } from '../../src/delta/delta-part.js';
import type { EngineChoice } from '../../src/delta/generate.js';
import { pseudoRandomBytes } from '../support/pseudo-random.js';
import { temporaryDirectoryOfSuite } from '../support/temporary-directory.js';
import { compiledPool } from './support/compiled-pool.js';
import { editedPair } from './support/edited-pairs.js';
import { applied, makeDelta } from './support/engine.js';
import { propertyRuns } from './support/properties.js';
import { repetitivePair } from './support/repetitive-pairs.js';

const dir = temporaryDirectoryOfSuite();
const pool = await compiledPool(3);
afterAll(() => pool.destroy());
const segmentBytes = 2 ** 20;
let files = 0;

interface ThreadedRequest {
  readonly base: Uint8Array;
  readonly targets: readonly Uint8Array[];
  readonly threads: number;
  readonly engine?: EngineChoice;
  readonly effort?: 'fast' | 'normal' | 'max';
  readonly run?: RunDeltaPart;
}

/** The deltas from one base to all targets, made by several threads of the pool. */
async function threaded({
  base,
  targets,
  threads,
  engine = 'auto',
  effort = 'normal',
  run = pool.run,
}: ThreadedRequest) {
  files = (files + 1) % 64;
  const basePath = join(dir, `threads-base-${files}`);
  writeFileSync(basePath, base);
  using index = await DeltaBase.index({ basePath, effort, threads }, run, { engine });
  const deltas: Buffer[] = [];
  for (const [n, target] of targets.entries()) {
    const [targetPath, deltaPath] = [`${basePath}-target-${n}`, `${basePath}-delta-${n}`];
    writeFileSync(targetPath, target);
    rmSync(deltaPath, { force: true });
    await index.delta({ targetPath, deltaPath }, run);
    deltas.push(readFileSync(deltaPath));
  }
  return deltas;
}

const random = pseudoRandomBytes('threads', 5 * segmentBytes + 1234);
/** Moves, runs and changes in and across segments; more segments than there are slots to wait in. */
const large = Buffer.concat([
  random.subarray(100_000, 3 * segmentBytes),
  Buffer.alloc(2 * segmentBytes + 40, 7),
  random.subarray(50_000),
  random.subarray(0, 4 * segmentBytes),
  pseudoRandomBytes('fresh', 3 * segmentBytes),
]);

describe('a delta made by several threads has the bytes of one made by one', () => {
  test.each([
    ['wasm', 1],
    ['wasm', 2],
    ['wasm', 3],
    ['js', 2],
  ] as const)('with the engine %s and %d threads', async (engine, threads) => {
    const base = Buffer.concat([random, Buffer.alloc(segmentBytes + 77, 7)]);
    const targets = [large, random, large.subarray(segmentBytes), Buffer.alloc(0), large];
    const deltas = await threaded({ base, targets, threads, engine });
    for (const [n, target] of targets.entries()) {
      const { delta, basePath, deltaPath } = makeDelta(dir, base, target);
      expect(deltas[n]?.equals(delta)).toBe(true);
      if (n === 0) expect(applied(basePath, deltaPath, target.length).equals(target)).toBe(true);
    }
  });

  test('for edited texts of all sorts, with one, two and three threads', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(editedPair(1_000_000), repetitivePair(2_000_000)),
        fc.constantFrom('fast' as const, 'normal' as const, 'max' as const),
        async ({ base, target }, effort) => {
          const { delta } = makeDelta(dir, base, target, effort, { engine: 'js' });
          for (const threads of [1, 2, 3]) {
            const [made] = await threaded({ base, targets: [target], threads, effort });
            expect(made?.equals(delta)).toBe(true);
          }
        },
      ),
      propertyRuns(40),
    );
  });

  test('for thousands of anchors that meet in the same buckets', async () => {
    // Pages that differ in few bytes: each key occurs in all of them, and only the lowest position may stay.
    const page = random.subarray(0, 4096);
    const pages = Array.from({ length: 3 * 512 + 100 }, (_, n) => {
      const changed = Buffer.from(page);
      changed.writeUInt32LE(n, (n * 37) % 4000);
      return changed;
    });
    const base = Buffer.concat(pages);
    const target = Buffer.concat(pages.toReversed());
    const { delta } = makeDelta(dir, base, target, 'max');
    for (let time = 0; time < 5; time += 1) {
      const [made] = await threaded({ base, targets: [target], threads: 3, effort: 'max' });
      expect(made?.equals(delta)).toBe(true);
    }
  });
});

describe('when a part fails', () => {
  test('the others stop, the error comes out, no file stays, and the memory serves the next delta', async () => {
    const base = random;
    let parts = 0;
    const failing: RunDeltaPart = (part) => {
      parts += part.kind === 'match' ? 1 : 0;
      return pool.run(part.kind === 'match' && parts === 2 ? withoutTarget(part) : part);
    };
    await expect(threaded({ base, targets: [large], threads: 3, run: failing })).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
    expect(() => readFileSync(join(dir, `threads-base-${files}-delta-0`))).toThrow('ENOENT');
    const [made] = await threaded({ base, targets: [large], threads: 3 });
    expect(made?.equals(makeDelta(dir, base, large).delta)).toBe(true);
  });
});

test('when a thread ends without a word the others stop, too', async () => {
  const basePath = join(dir, 'with a hole');
  writeFileSync(basePath, Buffer.concat([random, Buffer.alloc(segmentBytes)]));
  // Nothing but a hole, so large that no machine is through with it before the thread ends.
  const targetPath = join(dir, 'hole');
  writeFileSync(targetPath, '');
  truncateSync(targetPath, 2 ** 36);
  for (const delayMs of [5, 20, 60]) {
    const ending: RunDeltaPart = (part) => {
      const isTheOne = part.kind === 'match' && part.thread === 0;
      return pool.run(part, isTheOne ? AbortSignal.timeout(delayMs) : undefined);
    };
    using index = await DeltaBase.index({ basePath, effort: 'normal', threads: 2 }, ending);
    const made = index.delta({ targetPath, deltaPath: join(dir, 'of the hole') }, ending);
    await expect(made).rejects.toMatchObject({ name: expect.stringMatching(/AbortError|TimeoutError/) });
  }
  const [made] = await threaded({ base: random, targets: [large], threads: 3 });
  expect(made?.equals(makeDelta(dir, random, large).delta)).toBe(true);
});

function withoutTarget(part: Extract<DeltaPart, { kind: 'match' }>): DeltaPart {
  return { ...part, delta: { ...part.delta, target: { ...part.delta.target, path: join(dir, 'not there') } } };
}
