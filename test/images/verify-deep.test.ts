import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { compressedWorkshop, zst } from './support/compressed.js';
import { selectionOf } from './support/config.js';
import { eventsOf, problems, startedJobs } from './support/events.js';
import { writeIndexesOf } from './support/honest-indexes.js';
import { build, dayDeltaPath, dayImage, makeWorkshop, SERIES, verify } from './support/workshop.js';

const ALL = { kind: 'all' } as const;

describe('verify --deep', () => {
  it('applies every delta that is listed once', async () => {
    const workshop = await makeWorkshop(3);
    const selection = selectionOf(workshop, {
      [SERIES]: [dayImage(1), dayImage(2), dayImage(3)],
      [`${SERIES}-devel`]: [dayImage(2), dayImage(3)],
    });
    await build(workshop, { deltas: ALL, selection });
    const run = await verify(workshop, { deep: true });
    expect(problems(run)).toEqual([]);
    expect(run.summary.deltasApplied).toBe(6);
    expect(startedJobs(run).filter((job) => job.startsWith('check-delta'))).toHaveLength(6);
  });

  it('finds deltas that lead elsewhere, although all their checksums agree', async () => {
    const workshop = await makeWorkshop(3);
    await build(workshop, { deltas: ALL });
    const [one, other] = [dayDeltaPath(1, 2), dayDeltaPath(1, 3)].map((path) => join(workshop.mirrorDir, path));
    swap(one ?? '', other ?? '');
    writeIndexesOf(workshop.mirrorDir);

    expect(problems(await verify(workshop))).toEqual([]);
    const run = await verify(workshop, { deep: true });
    expect(problems(run)).toEqual([`error mismatch ${dayDeltaPath(1, 2)}`, `error mismatch ${dayDeltaPath(1, 3)}`]);
    expect(run.summary).toMatchObject({ errors: 2, deltasApplied: 6 });
  });

  it('finds a delta that is no delta, although its checksums agree', async () => {
    const workshop = await makeWorkshop(2);
    await build(workshop);
    writeFileSync(join(workshop.mirrorDir, dayDeltaPath(1, 2)), 'rs\x026 and then nonsense', 'latin1');
    writeIndexesOf(workshop.mirrorDir);
    expect(problems(await verify(workshop))).toEqual([]);
    expect(problems(await verify(workshop, { deep: true }))).toEqual([`error mismatch ${dayDeltaPath(1, 2)}`]);
  });

  it('unpacks every compressed delta, and finds those that are of another, although all their checksums agree', async () => {
    const workshop = await compressedWorkshop();
    const good = await verify(workshop, { deep: true });
    const paths = [dayDeltaPath(1, 2), dayDeltaPath(2, 1)];
    expect(startedJobs(good).filter((job) => job.startsWith('check-delta'))).toEqual(
      paths.flatMap((path) => [`check-delta ${path}`, `check-delta ${zst(path)}`]),
    );
    expect(problems(good)).toEqual([]);

    const [one, other] = paths.map((path) => join(workshop.mirrorDir, zst(path)));
    swap(one ?? '', other ?? '');
    writeIndexesOf(workshop.mirrorDir);
    expect(problems(await verify(workshop))).toEqual([]);
    const run = await verify(workshop, { deep: true });
    expect(problems(run)).toEqual(paths.map((path) => `error mismatch ${zst(path)}`));
  });

  it('finds an image that was exchanged, although its checksums agree: no delta leads to or from it', async () => {
    const workshop = await makeWorkshop(2);
    await build(workshop, { link: 'copy' });
    rmSync(join(workshop.mirrorDir, dayImage(2)));
    writeFileSync(join(workshop.mirrorDir, dayImage(2)), 'another image');
    writeIndexesOf(workshop.mirrorDir);
    expect(problems(await verify(workshop))).toEqual([]);
    expect(problems(await verify(workshop, { deep: true }))).toEqual([
      `error mismatch ${dayDeltaPath(1, 2)}`,
      `error mismatch ${dayDeltaPath(2, 1)}`,
    ]);
  });

  it('says which image a delta makes', async () => {
    const workshop = await makeWorkshop(2);
    await build(workshop, { deltas: { kind: 'latest', count: 1 } });
    const run = await verify(workshop, { deep: true });
    const finished = eventsOf(run, 'job-finished').find(({ kind }) => kind === 'check-delta');
    expect(finished).toMatchObject({ path: dayDeltaPath(1, 2), detail: `makes ${dayImage(2)}` });
  });
});

function swap(one: string, other: string): void {
  renameSync(one, `${one}.away`);
  renameSync(other, one);
  renameSync(`${one}.away`, other);
}
