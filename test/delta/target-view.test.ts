import { truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import type { BaseReader } from '../../src/delta/base-reader.js';
import { composeDeltas } from '../../src/delta/compose.js';
import { DeltaPatcher } from '../../src/delta/patch.js';
import { SourceFile } from '../../src/delta/source-file.js';
import { TargetView } from '../../src/delta/target-view.js';
import { pseudoRandomBytes } from '../support/pseudo-random.js';
import { temporaryDirectory, temporaryDirectoryOfSuite } from '../support/temporary-directory.js';
import { caught } from './support/caught.js';
import { commands, copy, literal } from './support/commands.js';
import { editedChain } from './support/edited-pairs.js';
import { applied, makeDelta } from './support/engine.js';
import { propertyRuns } from './support/properties.js';

const memoryBytes = 2 ** 26;
const dir = temporaryDirectoryOfSuite();
let chains = 0;

/** The deltas from each version to the next; the paths stay those of this chain. */
function deltasOf(versions: readonly Buffer[]): { basePath: string; deltaPaths: string[] } {
  chains = (chains + 1) % 8;
  const basePath = join(dir, `first-${chains}`);
  writeFileSync(basePath, versions[0]!);
  const deltaPaths = versions.slice(1).map((target, n) => {
    const path = join(dir, `step-${chains}-${n}`);
    writeFileSync(path, makeDelta(dir, versions[n]!, target, 'max').delta);
    return path;
  });
  return { basePath, deltaPaths };
}

/** Runs `work` on the view of the last of several deltas, each of which starts from the view of the one before. */
async function withViews(basePath: string, deltaPaths: readonly string[], work: (view: BaseReader) => unknown) {
  const file = new SourceFile(basePath);
  const views: TargetView[] = [];
  try {
    for (const deltaPath of deltaPaths) {
      views.push(await TargetView.open({ base: views.at(-1) ?? file, deltaPath, memoryBytes }));
    }
    await work(views.at(-1) ?? file);
  } finally {
    for (const view of views) view[Symbol.dispose]();
    file.close();
  }
}

function readOf(view: BaseReader, position: number, length: number): Buffer {
  const into = Buffer.alloc(length + 20, 0xee);
  view.read(into, 10, length, position);
  expect(into.subarray(0, 10).equals(Buffer.alloc(10, 0xee))).toBe(true);
  expect(into.subarray(length + 10).equals(Buffer.alloc(10, 0xee))).toBe(true);
  return into.subarray(10, 10 + length);
}

/** Places in a text, as a part of it, and lengths. */
const places = fc.array(fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.nat({ max: 100_000 })), {
  minLength: 1,
  maxLength: 30,
});

describe('the view of a target', () => {
  test('reads as the target at any place', async () => {
    await fc.assert(
      fc.asyncProperty(editedChain(300_000, 2), places, async (versions, reads) => {
        const target = versions[1]!;
        const { basePath, deltaPaths } = deltasOf(versions);
        await withViews(basePath, deltaPaths, (view) => {
          expect(view.sizeBytes).toBe(target.length);
          for (const [part, length] of reads) {
            const position = Math.floor(part * target.length);
            const end = Math.min(target.length, position + length);
            expect(readOf(view, position, end - position).equals(target.subarray(position, end))).toBe(true);
          }
        });
      }),
      propertyRuns(100),
    );
  });

  test('reads so whatever the order of copies and literals', async () => {
    const base = pseudoRandomBytes('any order', 300);
    const file = sourceOf(await temporaryDirectory(), base);
    const command = fc.record({
      isCopy: fc.boolean(),
      at: fc.nat({ max: 280 }),
      length: fc.integer({ min: 1, max: 20 }),
    });
    const deltaPath = join(await temporaryDirectory(), 'delta');
    await fc.assert(
      fc.asyncProperty(fc.array(command, { minLength: 1, maxLength: 30 }), fc.nat(), async (list, anywhere) => {
        const text = (length: number) => 'x'.repeat(length);
        const made = list.map(({ isCopy, at, length }) => (isCopy ? copy(at, length) : literal(text(length))));
        const parts = list.map(({ isCopy, at, length }) =>
          isCopy ? base.subarray(at, at + length) : Buffer.from(text(length)),
        );
        writeFileSync(deltaPath, commands(...made));
        const target = Buffer.concat(parts);
        const position = anywhere % target.length;
        using view = await TargetView.open({ base: file, deltaPath, memoryBytes });
        expect(readOf(view, position, target.length - position).equals(target.subarray(position))).toBe(true);
      }),
      propertyRuns(200),
    );
  });

  test('can stand on views', async () => {
    await fc.assert(
      fc.asyncProperty(editedChain(100_000, 4), places, async (versions, reads) => {
        const target = versions[3]!;
        const { basePath, deltaPaths } = deltasOf(versions);
        await withViews(basePath, deltaPaths, (view) => {
          expect(readOf(view, 0, target.length).equals(target)).toBe(true);
          for (const [part, length] of reads) {
            const position = Math.floor(part * target.length);
            const end = Math.min(target.length, position + length);
            expect(readOf(view, position, end - position).equals(target.subarray(position, end))).toBe(true);
          }
        });
      }),
      propertyRuns(50),
    );
  });

  test('is a base to which a delta makes the same as composed with the one before', async () => {
    await fc.assert(
      fc.asyncProperty(editedChain(200_000, 3), async (versions) => {
        const { basePath, deltaPaths } = deltasOf(versions);
        const [firstPath = '', secondPath = ''] = deltaPaths;
        const deltaPath = join(dir, 'composed');
        await composeDeltas({ firstPath, secondPath, deltaPath, memoryBytes, maxDeltaBytes: memoryBytes });
        const target = applied(basePath, deltaPath, versions[2]!.length);
        await withViews(basePath, [firstPath], (view) => {
          expect(patched(view, secondPath).equals(target)).toBe(true);
        });
        expect(target.equals(versions[2]!)).toBe(true);
      }),
      propertyRuns(50),
    );
  });

  test('reads the base once where short literals are all that divides copies that go on alike', async () => {
    const base = pseudoRandomBytes('bridged', 50_000);
    const list = Array.from({ length: 100 }, (_, n) => [copy(n * 500, 490), literal('0123456789')]);
    const deltaPath = join(await temporaryDirectory(), 'delta');
    writeFileSync(deltaPath, commands(...list.flat()));
    const file = sourceOf(await temporaryDirectory(), base);
    const view = await TargetView.open({ base: file, deltaPath, memoryBytes });
    onTestFinished(() => view[Symbol.dispose]());
    const read = vi.spyOn(file, 'read');
    const text = readOf(view, 0, 50_000);
    expect(read).toHaveBeenCalledTimes(1);
    for (let at = 0; at < 50_000; at += 500) {
      expect(text.subarray(at, at + 490).equals(base.subarray(at, at + 490))).toBe(true);
      expect(text.toString('latin1', at + 490, at + 500)).toBe('0123456789');
    }
  });

  test('does not read the base where it is not wanted', async () => {
    const list = [copy(0, 10), literal('ab'), copy(12, 10), copy(5, 3)];
    const deltaPath = join(await temporaryDirectory(), 'delta');
    writeFileSync(deltaPath, commands(...list));
    const file = sourceOf(await temporaryDirectory(), Buffer.from('0123456789abcdefghijklmnop'));
    const view = await TargetView.open({ base: file, deltaPath, memoryBytes });
    onTestFinished(() => view[Symbol.dispose]());
    const read = vi.spyOn(file, 'read');
    expect(readOf(view, 10, 2).toString()).toBe('ab');
    expect(read).not.toHaveBeenCalled();
    expect(readOf(view, 21, 3).toString()).toBe('l56');
    expect(read.mock.calls.map(([, , length, position]) => [length, position])).toEqual([
      [1, 21],
      [2, 5],
    ]);
  });
});

describe('what a view does not take', () => {
  test('a delta that is cut anywhere, that reaches past the base, or yields another size, naming the place', async () => {
    const folder = await temporaryDirectory();
    const base = sourceOf(folder, Buffer.from('0123456789'));
    const deltaPath = join(folder, 'delta');
    const whole = commands(copy(0, 10), literal('abc'), copy(5, 5));
    const open = (bytes: Uint8Array, targetBytes = 18) => {
      writeFileSync(deltaPath, bytes);
      return TargetView.open({ base, deltaPath, memoryBytes, targetBytes });
    };
    for (let length = 0; length < whole.length; length += 1) {
      await expect(open(whole.subarray(0, length))).rejects.toMatchObject({ code: 'FORMAT', data: { offset: length } });
    }
    await expect(open(commands(copy(5, 6)))).rejects.toMatchObject({
      code: 'FORMAT',
      message: expect.stringMatching(/at byte 4 of the delta: expected a copy inside the base's 10 bytes/),
    });
    await expect(open(whole, 17)).rejects.toMatchObject({ code: 'FORMAT', data: { expected: 'a target of 17 bytes' } });
    (await open(whole))[Symbol.dispose]();
  });

  test('more commands than fit into its memory', async () => {
    const folder = await temporaryDirectory();
    const base = sourceOf(folder, Buffer.from('0123456789'));
    const deltaPath = join(folder, 'delta');
    writeFileSync(deltaPath, commands(...Array.from({ length: 65_537 }, (_, n) => copy((n * 2) % 10, 1))));
    await expect(TargetView.open({ base, deltaPath, memoryBytes: 2 ** 20 })).rejects.toMatchObject({
      code: 'MEMORY',
      data: { path: deltaPath, maxCommands: 65_536 },
    });
    (await TargetView.open({ base, deltaPath, memoryBytes: 2 ** 21 }))[Symbol.dispose]();
  });

  test.each(['base', 'delta'] as const)('a %s that changes meanwhile', async (which) => {
    const versions = [pseudoRandomBytes('changes', 60_000), pseudoRandomBytes('changes', 50_000)];
    const { basePath, deltaPaths } = deltasOf([versions[0]!, Buffer.concat([versions[1]!, Buffer.from('more')])]);
    const path = which === 'base' ? basePath : deltaPaths[0]!;
    await withViews(basePath, deltaPaths, (view) => {
      view.assertUnchanged();
      utimesSync(path, 1, 1);
      expect(caught(() => view.assertUnchanged())).toMatchObject({ code: 'CHANGED_WHILE_READ', data: { path } });
      truncateSync(path, 3);
      expect(caught(() => readOf(view, 0, view.sizeBytes))).toMatchObject({
        code: 'CHANGED_WHILE_READ',
        data: { path },
      });
    });
  });
});

function sourceOf(folder: string, bytes: Uint8Array): SourceFile {
  const path = join(folder, 'base');
  writeFileSync(path, bytes);
  const file = new SourceFile(path);
  onTestFinished(() => file.close());
  return file;
}

/** What a delta makes of a base. */
function patched(base: BaseReader, deltaPath: string): Buffer {
  const pieces: Buffer[] = [];
  const patcher = new DeltaPatcher({ base, deltaName: deltaPath }, (bytes) => void pieces.push(Buffer.from(bytes)));
  const delta = new SourceFile(deltaPath);
  for (const chunk of delta.chunks(65_536)) patcher.push(chunk);
  patcher.finish();
  delta.close();
  return Buffer.concat(pieces);
}
