import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type ComposeRequest, composeDeltas } from '../../src/delta/compose.js';
import { UpdateRepositoryError } from '../../src/errors.js';
import { pseudoRandomBytes } from '../support/pseudo-random.js';
import { temporaryDirectory, temporaryDirectoryOfSuite } from '../support/temporary-directory.js';
import { requireTools } from '../support/tools.js';
import { commands, copy, literal } from './support/commands.js';
import { editedChain } from './support/edited-pairs.js';
import { applied, makeDelta } from './support/engine.js';
import { propertyRuns } from './support/properties.js';

const dir = temporaryDirectoryOfSuite();
const LIMITS = { memoryBytes: 2 ** 26, maxDeltaBytes: 2 ** 26 };
let files = 0;

function freshPath(): string {
  files += 1;
  return join(dir, `composed-${files}`);
}

async function composed(firstPath: string, secondPath: string): Promise<string> {
  const deltaPath = freshPath();
  const statistics = await composeDeltas({ firstPath, secondPath, deltaPath, ...LIMITS });
  expect(statistics.deltaBytes).toBe(readFileSync(deltaPath).length);
  return deltaPath;
}

/** A delta of Debian's rdiff. */
function theirDelta(base: Buffer, target: Buffer, blockBytes: string): string {
  const [basePath, targetPath, signature, delta] = [freshPath(), freshPath(), freshPath(), freshPath()];
  writeFileSync(basePath, base);
  writeFileSync(targetPath, target);
  execFileSync('rdiff', ['-b', blockBytes, 'signature', basePath, signature]);
  execFileSync('rdiff', ['delta', signature, targetPath, delta]);
  return delta;
}

describe('two deltas that follow each other, composed', () => {
  test('make of the first base what they make one after the other', async () => {
    await fc.assert(
      fc.asyncProperty(editedChain(300_000, 3), async ([a, b, c]) => {
        const first = makeDelta(dir, a!, b!, 'max');
        const second = makeDelta(dir, b!, c!, 'normal');
        const delta = await composed(first.deltaPath, second.deltaPath);
        expect(applied(first.basePath, delta, c!.length).equals(c!)).toBe(true);
      }),
      propertyRuns(100),
    );
  });

  test('can be composed with a third', async () => {
    await fc.assert(
      fc.asyncProperty(editedChain(100_000, 4), async ([a, b, c, d]) => {
        const first = makeDelta(dir, a!, b!);
        const [second, third] = [makeDelta(dir, b!, c!).deltaPath, makeDelta(dir, c!, d!).deltaPath];
        const left = await composed(await composed(first.deltaPath, second), third);
        const right = await composed(first.deltaPath, await composed(second, third));
        expect(applied(first.basePath, left, d!.length).equals(d!)).toBe(true);
        expect(readFileSync(left).equals(readFileSync(right))).toBe(true);
      }),
      propertyRuns(50),
    );
  });

  test('may be of rdiff, and rdiff applies what comes of them', async (context) => {
    requireTools(context, 'rdiff');
    const blockBytes = fc.constantFrom('16', '128', '2048');
    await fc.assert(
      fc.asyncProperty(editedChain(60_000, 3), blockBytes, fc.boolean(), async ([a, b, c], blockBytes, ours) => {
        const made = makeDelta(dir, a!, b!);
        const first = ours ? made.deltaPath : theirDelta(a!, b!, blockBytes);
        const delta = await composed(first, theirDelta(b!, c!, blockBytes));
        expect(applied(made.basePath, delta, c!.length).equals(c!)).toBe(true);
        const patched = freshPath();
        execFileSync('rdiff', ['patch', made.basePath, delta, patched]);
        expect(readFileSync(patched).equals(c!)).toBe(true);
      }),
      propertyRuns(25),
    );
  });

  test('copy what comes together in the base with one command', async () => {
    const first = commands(copy(0, 1000), copy(2000, 1000));
    expect(await composedOf(first, commands(copy(0, 500), copy(500, 1500)))).toEqual(first);
  });

  test('copy a literal of the first from its delta, also a part of it', async () => {
    const first = commands(copy(0, 10), literal('abcdefghij'), copy(10, 10));
    const delta = await composedOf(first, commands(copy(12, 5), literal('XY'), copy(8, 4)));
    expect(delta).toEqual(commands(literal('cdefgXY'), copy(8, 2), literal('ab')));
  });

  test('copy a literal from anywhere in a first delta that is read in several pieces', async () => {
    const [a, b] = [pseudoRandomBytes('short', 1000), pseudoRandomBytes('long', 900_000)];
    const c = Buffer.concat([b.subarray(700_000), Buffer.from('fresh'), b.subarray(10, 600_000)]);
    const first = makeDelta(dir, a, b);
    const delta = await composed(first.deltaPath, makeDelta(dir, b, c).deltaPath);
    expect(applied(first.basePath, delta, c.length).equals(c)).toBe(true);
  });
});

describe('what cannot be composed', () => {
  test('a second delta that was made of another file is refused, naming it', async () => {
    const attempt = composedOf(commands(copy(0, 10)), commands(copy(5, 6)));
    await expect(attempt).rejects.toMatchObject({
      code: 'FORMAT',
      message: expect.stringMatching(
        /second: at byte 4 of the delta: expected a copy inside the base's 10 bytes, found 6 bytes at 5$/,
      ),
    });
  });

  test('every truncation of either one is refused, naming it and the place', async () => {
    const { first, second } = smallDeltas();
    for (let length = 0; length < first.length; length += 1) {
      await expect(composedOf(first.subarray(0, length), second)).rejects.toMatchObject({
        code: 'FORMAT',
        message: expect.stringMatching(/first: at byte \d+ of the delta: expected its end command/),
      });
    }
    for (let length = 0; length < second.length; length += 1) {
      await expect(composedOf(first, second.subarray(0, length))).rejects.toMatchObject({
        code: 'FORMAT',
        message: expect.stringMatching(/second: at byte \d+ of the delta: expected its end command/),
      });
    }
  });

  test('with any one bit flipped they compose or are refused as malformed', async () => {
    const { first, second } = smallDeltas();
    let refused = 0;
    for (const [which, delta] of [first, second].entries()) {
      for (let bit = 0; bit < 8 * delta.length; bit += 1) {
        const damaged = Buffer.from(delta);
        damaged[bit >> 3] = damaged[bit >> 3]! ^ (1 << (bit & 7));
        const attempt = which === 0 ? composedOf(damaged, second) : composedOf(first, damaged);
        refused += await attempt.then(
          () => 0,
          (error: unknown) => {
            expect(error).toMatchObject({ code: expect.stringMatching(/^(FORMAT|DELTA_TOO_LARGE)$/) });
            return 1;
          },
        );
      }
    }
    expect(refused).toBeGreaterThan(50);
  });

  test('a few bytes that stand for much are given up at the limit, and leave nothing', async () => {
    // Of the middle file every byte but one comes from somewhere else; the second delta copies it again and again.
    const scattered = Array.from({ length: 1000 }, (_, index) => copy(2 * index, 1));
    const again = Array.from({ length: 1000 }, () => copy(0, 1000));
    const folder = await temporaryDirectory();
    const request = requestOf(commands(...scattered), commands(...again), folder);
    const attempt = composeDeltas({ ...request, maxDeltaBytes: 1_000_000 });
    await expect(attempt).rejects.toMatchObject({ code: 'DELTA_TOO_LARGE', data: { maxDeltaBytes: 1_000_000 } });
    expect(readdirSync(folder).sort()).toEqual(['first', 'second']);
  });

  test('a first delta with more commands than there is memory for is refused', async () => {
    const request = requestOf(
      commands(...Array.from({ length: 70_000 }, (_, index) => copy(2 * (index % 1000), 1))),
      commands(copy(0, 70_000)),
    );
    await expect(composeDeltas({ ...request, memoryBytes: 2 ** 20 })).rejects.toMatchObject({
      code: 'MEMORY',
      data: { path: request.firstPath, maxCommands: 65_536 },
    });
    expect((await composeDeltas({ ...request, memoryBytes: 2 ** 21 })).copyCommands).toBe(70_000);
  });

  test('it is stopped by the caller, also within one copy, and leaves nothing', async () => {
    const folder = await temporaryDirectory();
    const request = requestOf(commands(copy(0, 2 ** 30)), commands(copy(0, 2 ** 30)), folder);
    const stop = new AbortController();
    const onProgress = (doneBytes: number) => {
      if (doneBytes > readFileSync(request.firstPath).length) stop.abort();
    };
    const attempt = composeDeltas(request, { onProgress, signal: stop.signal });
    await expect(attempt).rejects.toMatchObject({ code: 'INTERRUPTED' });
    expect(readdirSync(folder).sort()).toEqual(['first', 'second']);
  });

  test('a missing file is told as such', async () => {
    const request = { ...requestOf(commands(), commands()), secondPath: join(dir, 'nowhere') };
    await expect(composeDeltas(request)).rejects.toBeInstanceOf(UpdateRepositoryError);
    await expect(composeDeltas(request)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });
});

function smallDeltas() {
  const first = commands(copy(0, 300), literal('some fresh bytes'), copy(1000, 50));
  const second = commands(copy(290, 40), literal('more of them'), copy(0, 7), copy(299, 3));
  return { first, second };
}

async function composedOf(first: Buffer, second: Buffer): Promise<Buffer> {
  const request = requestOf(first, second);
  await composeDeltas(request);
  return readFileSync(request.deltaPath);
}

function requestOf(first: Buffer, second: Buffer, folder = dir): ComposeRequest {
  const [firstPath, secondPath, deltaPath] = [join(folder, 'first'), join(folder, 'second'), join(folder, 'delta')];
  writeFileSync(firstPath, first);
  writeFileSync(secondPath, second);
  return { firstPath, secondPath, deltaPath, memoryBytes: 2 ** 26, maxDeltaBytes: 1_000_000 };
}
