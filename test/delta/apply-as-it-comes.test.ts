import { createHash } from 'node:crypto';
import { existsSync, readFileSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { applyAsItComes, type Checkpoints, type IncomingDelta } from '../../src/delta/apply-as-it-comes.js';
import type { BaseReader } from '../../src/delta/base-reader.js';
import { COMMAND_HEADER_MAX_BYTES } from '../../src/delta/format.js';
import { SourceFile } from '../../src/delta/source-file.js';
import { TargetView } from '../../src/delta/target-view.js';
import { pseudoRandomBytes } from '../support/pseudo-random.js';
import { mountSmallDisk } from '../support/small-disk.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { commands, copy, literal } from './support/commands.js';
import { editedChain, editedPair } from './support/edited-pairs.js';
import { makeDelta } from './support/engine.js';
import { Cut, incoming, keeper } from './support/incoming.js';
import { propertyRuns } from './support/properties.js';

const smallBase = pseudoRandomBytes('as it comes', 70_000);
const smallTarget = Buffer.concat([
  smallBase.subarray(66_000),
  Buffer.from('a short literal'),
  smallBase.subarray(100, 4000),
  pseudoRandomBytes('as it comes fresh', 100),
  smallBase.subarray(5, 60),
]);
const largeBase = pseudoRandomBytes('as it comes, large', 6_000_000);
const largeTarget = Buffer.concat([
  largeBase.subarray(3_000_001),
  pseudoRandomBytes('as it comes, large, fresh', 1_500_000),
  largeBase.subarray(0, 5_000_000),
]);
for (let at = 1_000_000; at < largeTarget.length; at += 9000) largeTarget[at] = 0;

/** A base, a delta and where its target goes. */
async function workshop(baseBytes: Buffer, targetBytes: Buffer) {
  const dir = await temporaryDirectory();
  const { delta, basePath } = makeDelta(dir, baseBytes, targetBytes, 'max');
  const base = new SourceFile(basePath);
  onTestFinished(() => base.close());
  return { dir, delta, base, basePath, path: join(dir, 'made'), bytes: targetBytes };
}

interface Run {
  readonly base: BaseReader;
  readonly path: string;
  /** The target that is wanted. */
  readonly bytes: Buffer;
}

function apply({ base, path, bytes }: Run, delta: IncomingDelta, checkpoints: Checkpoints, signal?: AbortSignal) {
  const target = { path, sizeBytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') };
  return applyAsItComes({ base, delta, target, checkpoints }, signal === undefined ? {} : { signal });
}

/** For work that ends well: it would fail if there was a checkpoint. */
const unsaved: Checkpoints = { save: () => expect.unreachable('a checkpoint') };

describe('a delta that is applied as it comes', () => {
  test.each([1, 7, 70_000, 3_000_000])('makes its target, in pieces of %d bytes', async (pieceBytes) => {
    const large = pieceBytes > 100;
    const work = await workshop(large ? largeBase : smallBase, large ? largeTarget : smallTarget);
    writeFileSync(work.path, 'what was there before');
    await apply(work, incoming(work.delta, pieceBytes), unsaved);
    expect(readFileSync(work.path).equals(work.bytes)).toBe(true);
  });

  test('makes an empty target', async () => {
    const work = await workshop(smallBase, Buffer.alloc(0));
    await apply(work, incoming(work.delta, 10), unsaved);
    expect(readFileSync(work.path)).toHaveLength(0);
  });

  test('may start from the view of another target', async () => {
    await fc.assert(
      fc.asyncProperty(editedChain(100_000, 3), async ([a, b, c]) => {
        const dir = await temporaryDirectory();
        const first = makeDelta(dir, a!, b!);
        const { delta } = makeDelta(dir, b!, c!);
        const file = new SourceFile(first.basePath);
        const { deltaPath } = first;
        const view = await TargetView.open({ base: file, deltaPath, memoryBytes: 2 ** 24 });
        const path = join(dir, 'made');
        await apply({ base: view, path, bytes: c! }, incoming(delta, 999), unsaved);
        expect(readFileSync(path).equals(c!)).toBe(true);
        view[Symbol.dispose]();
        file.close();
      }),
      propertyRuns(30),
    );
  });

  test('tells how much of the target is made, also of what was made before', async () => {
    const work = await workshop(largeBase, largeTarget);
    const { kept, checkpoints } = keeper(work.path);
    await expect(apply(work, incoming(work.delta, 5000, 1_000_000), checkpoints())).rejects.toThrow(Cut);
    const seen: number[] = [];
    const target = { path: work.path, sizeBytes: work.bytes.length, sha256: 'wrong' };
    const request = { base: work.base, delta: incoming(work.delta, 5000), target, checkpoints: checkpoints() };
    const onProgress = (bytes: number) => void seen.push(bytes);
    await expect(applyAsItComes(request, { onProgress })).rejects.toMatchObject({ code: 'VERIFICATION' });
    expect(seen[0]).toBe(2 ** 20);
    expect(seen).toContain(kept[0]!.place.targetBytes);
    expect(seen.at(-1)).toBe(work.bytes.length);
    expect(seen).toEqual(seen.toSorted((a, b) => a - b));
  });
});

describe('a delta whose source fails', () => {
  test('at any byte goes on from there, and what was made is not made again', async () => {
    const work = await workshop(smallBase, smallTarget);
    for (let cut = 0; cut <= work.delta.length; cut += 1) {
      for (const pieceBytes of [1, 1000]) {
        const { kept, checkpoints } = keeper(work.path);
        await expect(apply(work, incoming(work.delta, pieceBytes, cut), checkpoints())).rejects.toThrow(Cut);
        const place = kept.at(-1)?.place;
        expect(cut - (place?.deltaBytes ?? 0)).toBeLessThanOrEqual(COMMAND_HEADER_MAX_BYTES);
        const rest = incoming(work.delta, pieceBytes);
        await apply(work, rest, checkpoints());
        expect(rest.asked).toEqual([place?.deltaBytes ?? 0]);
        expect(readFileSync(work.path).equals(work.bytes)).toBe(true);
      }
    }
  });

  test('again and again is completed in the end', async () => {
    const work = await workshop(smallBase, smallTarget);
    const { kept, checkpoints } = keeper(work.path);
    for (let cut = 3; cut <= work.delta.length; cut += 3) {
      await expect(apply(work, incoming(work.delta, 2, cut), checkpoints())).rejects.toThrow(Cut);
    }
    const made = kept.map(({ place }) => place.targetBytes);
    expect(made).toEqual(made.toSorted((a, b) => a - b));
    await apply(work, incoming(work.delta, 2), checkpoints());
    expect(readFileSync(work.path).equals(work.bytes)).toBe(true);
  });

  test('is completed whatever it is, wherever it is cut', async () => {
    const cuts = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 4 });
    const piece = fc.oneof(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 1, max: 100_000 }));
    await fc.assert(
      fc.asyncProperty(editedPair(2_500_000), cuts, piece, fc.integer({ min: 1, max: 10 ** 6 }), async (...given) => {
        const [{ base, target }, parts, pieceBytes, everyBytes] = given;
        const dir = await temporaryDirectory();
        const made = makeDelta(dir, base, target);
        const path = join(dir, 'made');
        const file = new SourceFile(made.basePath);
        const { kept, checkpoints } = keeper(path, everyBytes);
        for (const part of parts) {
          const source = incoming(made.delta, pieceBytes, Math.floor(part * made.delta.length));
          await expect(apply({ base: file, path, bytes: target }, source, checkpoints())).rejects.toThrow(Cut);
        }
        await apply({ base: file, path, bytes: target }, incoming(made.delta, pieceBytes), checkpoints());
        expect(readFileSync(path).equals(target)).toBe(true);
        for (const { place, made } of kept) expect(made.equals(target.subarray(0, place.targetBytes))).toBe(true);
        file.close();
      }),
      propertyRuns(40),
    );
  });

  test('without an error, by an end too early, can go on as well', async () => {
    const work = await workshop(smallBase, smallTarget);
    const { checkpoints } = keeper(work.path);
    const short = incoming(work.delta.subarray(0, -20), 50);
    await expect(apply(work, short, checkpoints())).rejects.toMatchObject({
      code: 'FORMAT',
      message: expect.stringMatching(/a\.rdiff: at byte \d+ of the delta: expected its end command, found the end/),
    });
    const rest = incoming(work.delta, 50);
    await apply(work, rest, checkpoints());
    expect(rest.asked[0]).toBeGreaterThan(work.delta.length - 20 - COMMAND_HEADER_MAX_BYTES);
    expect(readFileSync(work.path).equals(work.bytes)).toBe(true);
  });
});

describe('checkpoints', () => {
  test('come every so often, and from each of them the rest can be made', async () => {
    const work = await workshop(largeBase, largeTarget);
    const { kept, checkpoints } = keeper(work.path, 2 ** 20);
    await apply(work, incoming(work.delta, 60_000), checkpoints());
    expect(kept.length).toBeGreaterThan(5);
    for (const { place, made } of kept) {
      expect(made.equals(work.bytes.subarray(0, place.targetBytes))).toBe(true);
      // What lies behind a checkpoint is as good as anything.
      const path = join(work.dir, 'again');
      writeFileSync(path, Buffer.concat([made, pseudoRandomBytes('left over', 100_000)]));
      await apply({ ...work, path }, incoming(work.delta, 60_000), { last: place, save: () => undefined });
      expect(readFileSync(path).equals(work.bytes)).toBe(true);
    }
  });

  test('are far apart where nothing is said', async () => {
    const base = pseudoRandomBytes('64 MiB', 2 ** 20);
    const dir = await temporaryDirectory();
    const basePath = join(dir, 'base');
    writeFileSync(basePath, base);
    const file = new SourceFile(basePath);
    onTestFinished(() => file.close());
    const delta = commands(...Array<Buffer>(140).fill(copy(0, 2 ** 20)));
    const places: number[] = [];
    const checkpoints: Checkpoints = { save: ({ targetBytes }) => void places.push(targetBytes) };
    const bytes = Buffer.concat(Array<Buffer>(140).fill(base));
    await apply({ base: file, path: join(dir, 'made'), bytes }, incoming(delta, 100), checkpoints);
    expect(places).toEqual([64 * 2 ** 20, 128 * 2 ** 20]);
  });

  test('come only when the target is on the disk up to there, one after the other', async () => {
    const work = await workshop(largeBase, largeTarget);
    const calls: string[] = [];
    await spyOnHandles(work.dir, calls);
    const save = async () => {
      calls.push('save');
      await sleep(5);
      calls.push('saved');
    };
    await apply(work, incoming(work.delta, 100_000), { everyBytes: 2 ** 20, save });
    const saves = calls.filter((call) => call === 'save').length;
    expect(saves).toBeGreaterThan(3);
    const wanted = Array.from({ length: saves }, () => ['datasync', 'datasync done', 'save', 'saved']).flat();
    expect(calls.slice(calls.indexOf('datasync'))).toEqual([...wanted, 'sync', 'sync done']);
  });

  test('that cannot be saved end the work with what went wrong', async () => {
    const work = await workshop(largeBase, largeTarget);
    const save = () => Promise.reject(new RangeError('no room'));
    await expect(apply(work, incoming(work.delta, 9999), { everyBytes: 2 ** 20, save })).rejects.toThrow(RangeError);
  });

  test.each([
    ['a text', 'here', 'a whole number as deltaBytes, found none'],
    ['less', { deltaBytes: 10, targetBytes: 3, copyDone: 0 }, 'a whole number as literalLeft, found none'],
    ['a part of a byte', { ...place(10, 3), targetBytes: 0.5 }, 'a whole number as targetBytes, found 0.5'],
    ['a negative number', { ...place(10, 3), copyDone: -1 }, 'a whole number as copyDone, found -1'],
    ['text for a number', { ...place(10, 3), deltaBytes: '10' }, 'a whole number as deltaBytes, found "10"'],
    ['a place within the magic', place(3, 0), 'deltaBytes of at least 4, or 0, found {'],
    ['much made of nothing', place(0, 5), 'nothing made at byte 0 of the delta, found {'],
    ['more than the target', place(10, smallTarget.length + 1), `a place in a target of ${smallTarget.length} bytes,`],
    ['a literal past the target', { ...place(10, 1), literalLeft: smallTarget.length }, 'a place in a target of'],
    ['more copied than made', { ...place(10, 1), copyDone: 2 }, 'no more copied than made, found {'],
    ['two commands at once', { ...place(10, 5), copyDone: 2, literalLeft: 1 }, 'either a literal or a copy, found {'],
  ])('that are %s are refused before anything is touched', async (_, last, message) => {
    const work = await workshop(smallBase, smallTarget);
    writeFileSync(work.path, 'half made');
    const source = incoming(work.delta, 10);
    const applying = apply(work, source, { ...unsaved, last: last as never });
    await expect(applying).rejects.toMatchObject({
      code: 'FORMAT',
      message: expect.stringContaining(`${work.path}: checkpoint: expected ${message}`),
    });
    expect(readFileSync(work.path, 'utf8')).toBe('half made');
    expect(source.asked).toEqual([]);
  });

  test('of more than the file has are refused', async () => {
    const work = await workshop(smallBase, smallTarget);
    writeFileSync(work.path, 'half made');
    const applying = apply(work, incoming(work.delta, 10), { ...unsaved, last: place(50, 10) });
    await expect(applying).rejects.toMatchObject({
      code: 'FORMAT',
      message: `${work.path}: expected at least the 10 bytes of its checkpoint, found 9`,
    });
  });

  test('of another place make no other target, but an error', async () => {
    const work = await workshop(smallBase, smallTarget);
    const { kept, checkpoints } = keeper(work.path);
    await expect(apply(work, incoming(work.delta, 9, 120), checkpoints())).rejects.toThrow(Cut);
    const right = kept[0]!.place;
    const near = fc.integer({ min: -20, max: 20 });
    await fc.assert(
      fc.asyncProperty(near, near, fc.nat({ max: 30 }), fc.nat({ max: 30 }), async (delta, target, left, done) => {
        const last = {
          deltaBytes: right.deltaBytes + delta,
          targetBytes: right.targetBytes + target,
          literalLeft: left,
          copyDone: done,
        };
        fc.pre(JSON.stringify(last) !== JSON.stringify(right));
        writeFileSync(work.path, work.bytes);
        const outcome = await apply(work, incoming(work.delta, 9), { last, save: () => undefined }).then(
          () => 'made',
          (error: unknown) => (error as { code: string }).code,
        );
        if (outcome === 'made') expect(readFileSync(work.path).equals(work.bytes)).toBe(true);
        else expect(['FORMAT', 'VERIFICATION']).toContain(outcome);
      }),
      propertyRuns(300),
    );
  });

  test('amid a copy do without what is made of it', async () => {
    const dir = await temporaryDirectory();
    const basePath = join(dir, 'base');
    writeFileSync(basePath, largeBase);
    const base = new SourceFile(basePath);
    onTestFinished(() => base.close());
    const work: Run = { base, path: join(dir, 'made'), bytes: Buffer.concat([Buffer.from('new'), largeBase]) };
    const delta = commands(literal('new'), copy(0, largeBase.length));
    const stop = new AbortController();
    const places: unknown[] = [];
    const save: Checkpoints['save'] = (saved) => {
      places.push(saved);
      stop.abort();
    };
    const stopped = apply(work, incoming(delta, 100), { everyBytes: 2 ** 21, save }, stop.signal);
    await expect(stopped).rejects.toMatchObject({ code: 'INTERRUPTED' });
    const last = places.at(-1) as Checkpoints['last'];
    expect(last).toMatchObject({ deltaBytes: 8, literalLeft: 0, copyDone: last!.targetBytes - 3 });
    expect(last!.copyDone).toBeGreaterThan(2_000_000);
    const read = vi.spyOn(base, 'read');
    await apply(work, incoming(delta, 100), { last: last!, save: () => undefined });
    expect(read.mock.calls.reduce((sum, [, , length]) => sum + length, 0)).toBe(work.bytes.length - last!.targetBytes);
    expect(readFileSync(work.path).equals(work.bytes)).toBe(true);
  });
});

describe('what keeps a delta from being applied', () => {
  test('a wrong byte in a literal ends in VERIFICATION, naming both sha256', async () => {
    const work = await workshop(smallBase, smallTarget);
    const damaged = Buffer.from(work.delta);
    damaged[damaged.indexOf('short')] = 0;
    await expect(apply(work, incoming(damaged, 9), unsaved)).rejects.toMatchObject({
      code: 'VERIFICATION',
      data: { path: work.path, expected: createHash('sha256').update(smallTarget).digest('hex') },
      message: expect.stringMatching(
        /made: made by https:\S+a\.rdiff: expected sha256 [0-9a-f]{64}, found [0-9a-f]{64}$/,
      ),
    });
    expect(existsSync(work.path)).toBe(true);
  });

  test('every flipped bit ends in VERIFICATION or FORMAT, and what came before it may be kept', async () => {
    const work = await workshop(smallBase, smallTarget);
    for (let bit = 0; bit < 8 * work.delta.length; bit += 5) {
      const damaged = Buffer.from(work.delta);
      damaged[bit >> 3]! ^= 1 << (bit & 7);
      const failed = await apply(work, incoming(damaged, 64), { save: () => undefined }).catch((error) => error.code);
      expect(['VERIFICATION', 'FORMAT']).toContain(failed);
    }
  });

  test('bytes behind its end, another size, or another sha256 are refused without a checkpoint', async () => {
    const work = await workshop(smallBase, smallTarget);
    const { kept, checkpoints } = keeper(work.path);
    const longer = Buffer.concat([work.delta, Buffer.of(1)]);
    const trailing = { code: 'FORMAT', message: expect.stringContaining('expected nothing after the end command') };
    await expect(apply(work, incoming(longer, 9), checkpoints())).rejects.toMatchObject(trailing);
    const shorter = { ...work, bytes: Buffer.concat([smallTarget, Buffer.of(1)]) };
    const size = { code: 'FORMAT', data: { expected: `a target of ${smallTarget.length + 1} bytes` } };
    await expect(apply(shorter, incoming(work.delta, 9), checkpoints())).rejects.toMatchObject(size);
    const other = { ...work, bytes: Buffer.from(smallTarget).fill(0, 9, 10) };
    const sha256 = { code: 'VERIFICATION' };
    await expect(apply(other, incoming(work.delta, 9), checkpoints())).rejects.toMatchObject(sha256);
    expect(kept).toEqual([]);
  });

  test('a disk that is full ends in NO_SPACE; with more room it goes on', { timeout: 60_000 }, async (context) => {
    const work = await workshop(largeBase, largeTarget);
    const disk = mountSmallDisk(context, join(work.dir, 'disk'), 5 * 2 ** 20);
    const path = join(disk.path, 'made');
    const { kept, checkpoints } = keeper(path, 2 ** 20);
    const full = apply({ ...work, path }, incoming(work.delta, 50_000), checkpoints());
    await expect(full).rejects.toMatchObject({ code: 'NO_SPACE', data: { path } });
    expect(kept.at(-1)?.place.targetBytes).toBeGreaterThanOrEqual(4 * 2 ** 20);
    disk.resize(20 * 2 ** 20);
    const rest = incoming(work.delta, 50_000);
    await apply({ ...work, path }, rest, checkpoints());
    expect(rest.asked[0]).toBeGreaterThan(0);
    expect(readFileSync(path).equals(work.bytes)).toBe(true);
  });

  test('a base that changes meanwhile ends in CHANGED_WHILE_READ, and nothing is saved any more', async () => {
    for (const change of [(path: string) => utimesSync(path, 1, 1), (path: string) => truncateSync(path, 3)]) {
      const work = await workshop(largeBase, largeTarget);
      const source = incoming(work.delta, 100_000);
      const changing: IncomingDelta = {
        name: 'changing',
        async *bytesFrom(position) {
          let pieces = 0;
          for await (const piece of source.bytesFrom(position)) {
            if (pieces++ === 5) change(work.basePath);
            yield piece;
          }
        },
      };
      const saved: number[] = [];
      const save: Checkpoints['save'] = ({ targetBytes }) => void saved.push(targetBytes);
      await expect(apply(work, changing, { everyBytes: 5 * 2 ** 20, save })).rejects.toMatchObject({
        code: 'CHANGED_WHILE_READ',
        data: { path: work.basePath },
      });
      expect(saved).toEqual([]);
    }
  });

  test('a directory that is not there is named', async () => {
    const work = await workshop(smallBase, smallTarget);
    const path = join(work.dir, 'no', 'made');
    const applying = apply({ ...work, path }, incoming(work.delta, 9), unsaved);
    await expect(applying).rejects.toMatchObject({ code: 'NOT_FOUND', data: { path } });
  });
});

describe('a caller that stops the work', () => {
  test('is heard while bytes do not come, and what was made is saved', async () => {
    const work = await workshop(smallBase, smallTarget);
    const stalled: IncomingDelta = {
      name: 'stalled',
      async *bytesFrom() {
        yield work.delta.subarray(0, 100);
        setTimeout(() => stop.abort(), 50);
        await new Promise(() => undefined);
      },
    };
    const { kept, checkpoints } = keeper(work.path);
    const stop = new AbortController();
    await expect(apply(work, stalled, checkpoints(), stop.signal)).rejects.toMatchObject({
      code: 'INTERRUPTED',
      message: 'stalled: stopped by the caller',
    });
    expect(kept).toHaveLength(1);
    const rest = incoming(work.delta, 9);
    await apply(work, rest, checkpoints());
    expect(rest.asked[0]).toBeGreaterThan(100 - COMMAND_HEADER_MAX_BYTES);
    expect(readFileSync(work.path).equals(work.bytes)).toBe(true);
  });

  test('is heard amid one command that makes much', async () => {
    const work = await workshop(smallBase, smallTarget);
    const stop = new AbortController();
    setTimeout(() => stop.abort(), 5);
    const delta = commands(...Array<Buffer>(30_000).fill(copy(0, 70_000)));
    const target = { path: work.path, sizeBytes: 30_000 * 70_000, sha256: '' };
    const request = {
      base: work.base,
      delta: incoming(delta, delta.length),
      target,
      checkpoints: { save: () => undefined },
    };
    await expect(applyAsItComes(request, { signal: stop.signal })).rejects.toMatchObject({ code: 'INTERRUPTED' });
  });

  test('has the source told to end', async () => {
    const work = await workshop(smallBase, smallTarget);
    let ended = false;
    const endless: IncomingDelta = {
      name: 'endless',
      async *bytesFrom() {
        try {
          for (;;) yield Buffer.from('no delta at all');
        } finally {
          ended = true;
        }
      },
    };
    await expect(apply(work, endless, unsaved)).rejects.toMatchObject({ code: 'FORMAT' });
    expect(ended).toBe(true);
  });
});

function place(deltaBytes: number, targetBytes: number) {
  return { deltaBytes, targetBytes, literalLeft: 0, copyDone: 0 };
}

/** Writes into `calls` when file handles are synced. */
async function spyOnHandles(dir: string, calls: string[]): Promise<void> {
  const handle = await open(join(dir, 'any'), 'w');
  const prototype = Object.getPrototypeOf(handle) as typeof handle;
  await handle.close();
  for (const name of ['datasync', 'sync'] as const) {
    const real = prototype[name];
    const spy = vi.spyOn(prototype, name).mockImplementation(async function (this: typeof handle) {
      calls.push(name);
      await real.call(this);
      calls.push(`${name} done`);
    });
    onTestFinished(() => spy.mockRestore());
  }
}
