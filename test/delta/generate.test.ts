import fs, {
  appendFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { type DeltaHooks, type DeltaRequest, deltaMemoryBytes, generateDelta } from '../../src/delta/generate.js';
import { pseudoRandomBytes } from '../support/pseudo-random.js';
import { temporaryDirectory, temporaryDirectoryOfSuite } from '../support/temporary-directory.js';
import { caught } from './support/caught.js';
import { applied, makeDelta } from './support/engine.js';
import { fillDisk } from './support/full-disk.js';

const dir = temporaryDirectoryOfSuite();
const random = pseudoRandomBytes('generate', 3_000_000);
const other = pseudoRandomBytes('other', 3_000_000);

/** The delta's bytes, once it is seen that they make the target. */
function deltaOf(base: Uint8Array, target: Uint8Array): Buffer {
  const { delta, basePath, deltaPath } = makeDelta(dir, base, target);
  expect(applied(basePath, deltaPath, target.length).equals(target)).toBe(true);
  return delta;
}

describe('a delta', () => {
  test('of two empty files is magic and end', () => {
    expect(deltaOf(Buffer.alloc(0), Buffer.alloc(0)).toString('hex')).toBe('7273023600');
  });

  test('into an empty file is magic and end', () => {
    expect(deltaOf(random, Buffer.alloc(0)).toString('hex')).toBe('7273023600');
  });

  test('from an empty file is all literal', () => {
    expect(deltaOf(Buffer.alloc(0), Buffer.from('abc')).toString('hex')).toBe('727302360361626300');
  });

  test('of equal files of several segments is one copy', () => {
    const length = random.length.toString(16).padStart(8, '0');
    expect(deltaOf(random, random).toString('hex')).toBe(`72730236 4700 ${length} 00`.replaceAll(' ', ''));
  });

  test('of files that are shifted by one byte is a literal and a copy', () => {
    expect(deltaOf(random, Buffer.concat([Buffer.from('x'), random]))).toHaveLength(4 + 2 + 6 + 1);
    expect(deltaOf(random, random.subarray(1))).toHaveLength(4 + 6 + 1);
  });

  test('of files shorter than a window copies what is equal at the same place', () => {
    expect(deltaOf(Buffer.from('0123456789abcdef'), Buffer.from('0123456789abcdex')).toString('hex')).toBe(
      '72730236 45000f 0178 00'.replaceAll(' ', ''),
    );
  });

  test('of unrelated files is hardly larger than the target', () => {
    expect(deltaOf(random, other).length).toBeLessThan(other.length * 1.0002);
  });

  test('copies zeros that the base has anywhere, a megabyte of them in a few bytes', () => {
    const base = Buffer.concat([random.subarray(0, 5000), Buffer.alloc(40_000), other.subarray(0, 5000)]);
    const target = Buffer.concat([other.subarray(0, 5000), Buffer.alloc(1_000_000), random.subarray(0, 5000)]);
    expect(deltaOf(base, target).length).toBeLessThan(250);
  });

  test('keeps a run literal when the base has none of that byte', () => {
    const target = Buffer.alloc(40_000, 1);
    expect(deltaOf(random.subarray(0, 5000), target).length).toBeGreaterThan(40_000);
  });

  test('does not make millions of commands out of a run where the base has short ones', () => {
    const base = Buffer.concat([random.subarray(0, 500), Buffer.alloc(32), random.subarray(500, 1000)]);
    const { statistics } = makeDelta(dir, base, Buffer.alloc(2 ** 20));
    expect(statistics.copyCommands).toBeLessThanOrEqual(4096);
  });

  test('finds moved blocks', () => {
    const parts = [0, 1, 2, 3].map((part) => random.subarray(part * 700_000, part * 700_000 + 700_000));
    const target = Buffer.concat([2, 0, 3, 1].map((part) => parts[part] ?? Buffer.alloc(0)));
    expect(deltaOf(random, target).length).toBeLessThan(100);
  });

  test('finds what is equal between single changed bytes, where no anchor fits', () => {
    const target = Buffer.from(random.subarray(0, 100_000));
    for (let at = 0; at < target.length; at += 25) target[at] = (target[at] ?? 0) ^ 1;
    // 4,000 changes: a byte, a header and a copy each; without the short copies the delta is 100,000 bytes.
    expect(deltaOf(random, target).length).toBeLessThan(4000 * 10);
  });
});

describe('the bytes of a delta', () => {
  const target = Buffer.concat([
    random.subarray(1_000_000, 2_500_000),
    Buffer.alloc(9000),
    other.subarray(0, 700_000),
    random.subarray(0, 999_990),
  ]);
  for (let at = 0; at < target.length; at += 999) target[at] = 0;

  test('do not depend on how the engine cuts its work', () => {
    const usual = makeDelta(dir, random, target, 'max').delta;
    for (const tuning of [
      { batchBytes: 1, pageBytes: 8192, maxPages: 1 },
      { batchBytes: 4097, pageBytes: 12_345, maxPages: 3 },
      { batchBytes: 65536, pageBytes: 2 ** 20, maxPages: 7 },
    ]) {
      expect(makeDelta(dir, random, target, 'max', tuning).delta.equals(usual)).toBe(true);
    }
  });

  test('shrink with the effort, where short pieces were moved', () => {
    const pieces = Array.from({ length: 3000 }, (_, n) => {
      const at = (n * 700_001) % 2_900_000;
      return Buffer.concat([random.subarray(at, at + 300), other.subarray(n * 20, n * 20 + 20)]);
    });
    const [fast = 0, normal = 0, max = 0] = (['fast', 'normal', 'max'] as const).map(
      (effort) => makeDelta(dir, random, Buffer.concat(pieces), effort).delta.length,
    );
    expect(normal).toBeLessThan(fast * 0.9);
    expect(max).toBeLessThan(normal * 0.9);
  });
});

describe('the memory that the engine says it takes', () => {
  test.each([
    ['fast', 2 ** 24, 2 ** 21],
    ['fast', 2 ** 30, 2 ** 25],
    ['normal', 2 ** 26 - 1, 2 ** 24],
    ['normal', 2 ** 30, 2 ** 26],
    ['max', 2 ** 30, 2 ** 28],
    ['max', 2 ** 32 - 1, 2 ** 30],
    ['normal', 2 ** 36, 2 ** 30],
    ['fast', 2 ** 50, 2 ** 30],
  ] as const)(
    'with effort %s and a base of %d bytes is a table of at most %d bytes and a fixed rest',
    (effort, base, table) => {
      const needed = deltaMemoryBytes(base, effort);
      expect(needed).toBeGreaterThan(table / 2.01);
      expect(needed).toBeLessThanOrEqual(table + 32 * 2 ** 20);
      // Another thread has buffers of its own, and shares the table.
      expect(deltaMemoryBytes(base, effort, 2) - needed).toBeLessThan(40 * 2 ** 20);
    },
  );
});

test('the buffers of a running engine stay within the memory that it says it takes', async () => {
  const request = await requestIn(await temporaryDirectory());
  const before = process.memoryUsage().arrayBuffers;
  let most = 0;
  const onProgress = () => {
    most = Math.max(most, process.memoryUsage().arrayBuffers - before);
  };
  generateDelta(request, { onProgress });
  expect(most).toBeLessThan(deltaMemoryBytes(random.length, 'normal'));
});

describe('progress', () => {
  test('counts the bytes of base and target up to their sum', async () => {
    const seen: number[] = [];
    const request = await requestIn(await temporaryDirectory());
    generateDelta(request, { onProgress: (bytesDone) => void seen.push(bytesDone) });
    const ofOne = [2 ** 20, 2 ** 21, 3_000_000];
    expect(seen).toEqual([...ofOne, ...ofOne.map((bytes) => 3_000_000 + bytes)]);
  });
});

test('a delta is on the disk before it is called done', async () => {
  const sync = vi.spyOn(fs, 'fsyncSync');
  onTestFinished(() => sync.mockRestore());
  generateDelta(await requestIn(await temporaryDirectory()));
  expect(sync).toHaveBeenCalledTimes(1);
});

describe('a delta that fails', () => {
  test.each<[string, string, Partial<DeltaRequest>, DeltaHooks]>([
    ['is too large', 'DELTA_TOO_LARGE', { maxDeltaBytes: 1_000_000 }, {}],
    ['is stopped before it starts', 'INTERRUPTED', {}, { signal: AbortSignal.abort() }],
  ])('because it %s leaves no file', async (_, code, request, hooks) => {
    const folder = await temporaryDirectory();
    const whole = { ...(await requestIn(folder)), ...request };
    expect(caught(() => generateDelta(whole, hooks)).code).toBe(code);
    expect(readdirSync(folder).sort()).toEqual(['base', 'target']);
  });

  test('because the caller stops it on the way leaves no file', async () => {
    const folder = await temporaryDirectory();
    const controller = new AbortController();
    const onProgress = (bytesDone: number) => bytesDone > 3_000_000 && controller.abort();
    const request = await requestIn(folder);
    expect(caught(() => generateDelta(request, { onProgress, signal: controller.signal })).code).toBe('INTERRUPTED');
    expect(existsSync(request.deltaPath)).toBe(false);
  });

  test('because a file gets shorter says so', async () => {
    for (const name of ['basePath', 'targetPath'] as const) {
      const request = await requestIn(await temporaryDirectory());
      const error = caught(() => generateDelta(request, { onProgress: () => truncateSync(request[name], 100) }));
      expect(error).toMatchObject({ code: 'CHANGED_WHILE_READ', data: { path: request[name] } });
      expect(existsSync(request.deltaPath)).toBe(false);
    }
  });

  test('because a file is written to says so, even if all was read', async () => {
    for (const name of ['basePath', 'targetPath'] as const) {
      const request = await requestIn(await temporaryDirectory());
      const { mtime } = statSync(request[name]);
      const changes = [
        () => utimesSync(request[name], 1, 1),
        () => {
          appendFileSync(request[name], 'more');
          utimesSync(request[name], mtime, mtime);
        },
      ];
      for (const change of changes) {
        utimesSync(request[name], mtime, mtime);
        const onProgress = (bytesDone: number) => bytesDone === 6_000_000 && change();
        expect(caught(() => generateDelta(request, { onProgress }))).toMatchObject({
          code: 'CHANGED_WHILE_READ',
          data: { path: request[name] },
        });
      }
    }
  });

  test('because a file is missing names it', async () => {
    const folder = await temporaryDirectory();
    const request = await requestIn(folder);
    for (const name of ['basePath', 'targetPath'] as const) {
      const path = join(folder, 'nowhere');
      expect(caught(() => generateDelta({ ...request, [name]: path }))).toMatchObject({
        code: 'NOT_FOUND',
        data: { path },
      });
    }
    expect(existsSync(request.deltaPath)).toBe(false);
  });

  test('because the disk is full says so and leaves no file', async () => {
    const request = await requestIn(await temporaryDirectory());
    fillDisk();
    expect(caught(() => generateDelta(request))).toMatchObject({ code: 'NO_SPACE', data: { path: request.deltaPath } });
    expect(existsSync(request.deltaPath)).toBe(false);
  });

  test('because something is at its path leaves that alone', async () => {
    const request = await requestIn(await temporaryDirectory());
    writeFileSync(request.deltaPath, 'precious');
    expect(caught(() => generateDelta(request)).code).toBe('IO');
    expect(readFileSync(request.deltaPath, 'utf8')).toBe('precious');
  });
});

async function requestIn(folder: string): Promise<DeltaRequest> {
  const request = {
    basePath: join(folder, 'base'),
    targetPath: join(folder, 'target'),
    deltaPath: join(folder, 'delta'),
    effort: 'normal' as const,
  };
  writeFileSync(request.basePath, random);
  writeFileSync(request.targetPath, other);
  return request;
}
