import { chmodSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { compressDelta } from '../../src/delta/compress-delta.js';
import { servedTree } from '../support/served-tree.js';
import { validityWatch } from './support/always-valid.js';
import { caught } from './support/caught.js';
import { COMPRESS, compressedWorkshop, expectAtRest, zst } from './support/compressed.js';
import { problems, startedJobs, writtenIndexes } from './support/events.js';
import { expectAsFresh } from './support/fresh-build.js';
import { editInPlace, replaceByOlder } from './support/tamper.js';
import { build, dayDeltaPath, dayImage, makeWorkshop, prune, verify } from './support/workshop.js';

describe('a build of a mirror with compressed deltas', () => {
  it('makes one again that is gone, which no index names meanwhile', async () => {
    const workshop = await compressedWorkshop();
    const served = servedTree(workshop.mirrorDir);
    rmSync(join(workshop.mirrorDir, zst(dayDeltaPath(1, 2))));
    const watch = validityWatch(workshop.mirrorDir);
    const run = await build(workshop, { onEvent: onceWorkBegins(watch.onEvent) });
    expect(startedJobs(run)).toEqual([`compress-delta ${zst(dayDeltaPath(1, 2))}`]);
    expect(servedTree(workshop.mirrorDir)).toEqual(served);
    expect(watch.seen.at(0)).not.toContain(zst(dayDeltaPath(1, 2)));
    expect(watch.seen.at(0)).toContain(dayDeltaPath(1, 2));
    await expectAtRest(workshop);
  });

  it('unpacks one again that was touched, and changes no index', async () => {
    const workshop = await compressedWorkshop();
    chmodSync(join(workshop.mirrorDir, zst(dayDeltaPath(1, 2))), 0o664);
    const run = await build(workshop);
    expect(startedJobs(run)).toEqual([`check-delta ${zst(dayDeltaPath(1, 2))}`]);
    expect(writtenIndexes(run)).toEqual([]);
    await expectAtRest(workshop);
  });

  it('keeps what is known of the compressed form of a delta that was touched', async () => {
    const workshop = await compressedWorkshop();
    chmodSync(join(workshop.mirrorDir, dayDeltaPath(1, 2)), 0o664);
    expect(startedJobs(await build(workshop))).toEqual([`check-delta ${dayDeltaPath(1, 2)}`]);
    await expectAtRest(workshop);
  });

  it('makes one again whose bytes are wrong, or which has the bytes of another', async () => {
    const workshop = await compressedWorkshop();
    const served = servedTree(workshop.mirrorDir);
    const [one, other] = [dayDeltaPath(1, 2), dayDeltaPath(2, 1)].map((path) => join(workshop.mirrorDir, zst(path)));
    editInPlace(one ?? '');
    writeFileSync(other ?? '', readFileSync(one ?? ''));
    expect(startedJobs(await build(workshop))).toEqual(
      ['check-delta', 'compress-delta'].flatMap((kind) => [
        `${kind} ${zst(dayDeltaPath(1, 2))}`,
        `${kind} ${zst(dayDeltaPath(2, 1))}`,
      ]),
    );
    expect(servedTree(workshop.mirrorDir)).toEqual(served);
  });

  it('does not take one that was left there and saves nothing', async () => {
    const workshop = await makeWorkshop(2);
    await build(workshop);
    const deltaPath = join(workshop.mirrorDir, dayDeltaPath(1, 2));
    await compressDelta({ deltaPath, zstPath: zst(deltaPath), effort: 'normal' });
    expect(startedJobs(await build(workshop, COMPRESS))).toEqual([
      `check-delta ${zst(dayDeltaPath(1, 2))}`,
      `compress-delta ${zst(dayDeltaPath(1, 2))}`,
      `compress-delta ${zst(dayDeltaPath(2, 1))}`,
    ]);
    expect(problems(await verify(workshop))).toEqual([`warning unlisted ${zst(dayDeltaPath(1, 2))}`]);
    await expectAtRest(workshop);
  });

  it('takes a compressed delta that a build has left that was killed, once it is proven', async () => {
    const workshop = await compressedWorkshop();
    const served = servedTree(workshop.mirrorDir);
    rmSync(join(workshop.mirrorDir, '.update-repository/deltas'), { recursive: true });
    const jobs = startedJobs(await build(workshop));
    expect(jobs).toEqual(
      [dayDeltaPath(1, 2), dayDeltaPath(2, 1)].flatMap((path) => [`check-delta ${path}`, `check-delta ${zst(path)}`]),
    );
    expect(servedTree(workshop.mirrorDir)).toEqual(served);
  });

  it('gets other ones along with the deltas of an image that is replaced', async () => {
    const workshop = await compressedWorkshop();
    replaceByOlder(join(workshop.imagesDir, dayImage(2)));
    const watch = validityWatch(workshop.mirrorDir);
    const run = await build(workshop, { replace: true, onEvent: watch.onEvent });
    expect(startedJobs(run).filter((job) => job.startsWith('check'))).toEqual([]);
    // The list of the deltas goes last.
    expect(watch.seen.map((names) => names.length)).toEqual([6, 5, 1, 6]);
    await expectAsFresh(workshop, COMPRESS);
    expect((await verify(workshop, { deep: true })).summary).toMatchObject({ errors: 0, warnings: 0 });
  });
});

describe('prune of a mirror with compressed deltas', () => {
  it('removes one that a killed build had made for an image which is gone since', async () => {
    const workshop = await makeWorkshop(2, { compressible: true });
    await build(workshop, { deltas: { kind: 'none' } });
    const stop = new AbortController();
    const killed = build(workshop, {
      ...COMPRESS,
      resources: { jobs: 1, memoryBytes: 2 ** 30 },
      signal: stop.signal,
      onEvent: (event) => event.type === 'job-finished' && event.kind === 'compress-delta' && stop.abort(),
    });
    expect((await caught(killed)).code).toBe('INTERRUPTED');
    expect(Object.keys(servedTree(workshop.mirrorDir)).filter((path) => path.endsWith('.zst'))).toHaveLength(1);

    rmSync(join(workshop.imagesDir, dayImage(2)));
    await build(workshop, COMPRESS);
    expect((await prune(workshop)).summary.removed).toBe(4);
    await expectAsFresh(workshop, COMPRESS);
  });

  it('leaves others alone that lie beside a delta', async () => {
    const workshop = await makeWorkshop(2);
    await build(workshop);
    const foreign = join(workshop.mirrorDir, zst(dayDeltaPath(1, 2)));
    writeFileSync(foreign, 'mine');
    await prune(workshop);
    expect(readFileSync(foreign, 'utf8')).toBe('mine');
  });
});

describe('verify of a mirror with compressed deltas', () => {
  it('finds a byte that was turned round', async () => {
    const workshop = await compressedWorkshop();
    editInPlace(join(workshop.mirrorDir, zst(dayDeltaPath(1, 2))));
    expect(new Set(problems(await verify(workshop)))).toEqual(new Set([`error mismatch ${zst(dayDeltaPath(1, 2))}`]));
  });

  it('finds one that is missing, and one that no index names', async () => {
    const workshop = await compressedWorkshop();
    rmSync(join(workshop.mirrorDir, zst(dayDeltaPath(1, 2))));
    expect(problems(await verify(workshop))).toEqual([`error missing ${zst(dayDeltaPath(1, 2))}`]);
    await build(workshop, { compressDeltas: false });
    expect(problems(await verify(workshop))).toEqual([`warning unlisted ${zst(dayDeltaPath(2, 1))}`]);
  });
});

/** A sink that hears nothing before the first job: until then indexes name a file that a test has taken away. */
function onceWorkBegins<T extends { readonly type: string }>(sink: (event: T) => void): (event: T) => void {
  let isWorking = false;
  return (event) => {
    isWorking ||= event.type === 'job-started';
    if (isWorking) sink(event);
  };
}
