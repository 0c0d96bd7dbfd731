import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { eventsOf, startedJobs } from './support/events.js';
import { fileStates } from './support/file-states.js';
import { addImages, build, dayDeltaPath, dayImage, makeWorkshop, prune, type Run, SERIES } from './support/workshop.js';

const INDEXES = [`meta/${SERIES}.json`, 'CKSUMS', 'SHA256SUMS', 'rdiffs/SHA256SUMS', 'index.json'];

describe('a dry run', () => {
  it('of a new mirror tells all that would be made, sizes unknown, and makes nothing, not even the mirror', async () => {
    const workshop = await makeWorkshop(2);
    const before = fileStates(workshop.folder);
    const run = await build(workshop, { dryRun: true });
    expect(run.summary).toMatchObject({ dryRun: true, changed: true, examined: 0, deltasMade: 0 });
    expect(fileStates(workshop.folder)).toEqual(before);
    expect(actions(run)).toEqual([
      `link ${dayImage(1)}`,
      `link ${dayImage(2)}`,
      `delta ${dayDeltaPath(2, 1)}`,
      `delta ${dayDeltaPath(1, 2)}`,
      ...INDEXES.map((path) => `write-index ${path}`),
    ]);
    const deltas = planned(run).filter(({ action }) => action === 'delta');
    expect(deltas.map(({ sizeBytes, detail }) => [sizeBytes, detail])).toEqual([
      [null, `from ${dayImage(2)}`],
      [null, `from ${dayImage(1)}`],
    ]);
  });

  it('expects new deltas to be as large as those that the series had, measured by their images', async () => {
    const workshop = await makeWorkshop(3);
    await build(workshop);
    await addImages(workshop, [4]);
    const before = fileStates(workshop.folder);
    const dry = await build(workshop, { dryRun: true });
    expect(fileStates(workshop.folder)).toEqual(before);

    const real = await build(workshop);
    expect(planned(real)).toEqual(planned(dry));
    for (const { path, sizeBytes } of planned(dry).filter(({ action }) => action === 'delta')) {
      const made = eventsOf(real, 'job-finished').find((job) => job.path === path)?.sizeBytes ?? 0;
      expect(sizeBytes).toBeGreaterThan(made / 3);
      expect(sizeBytes).toBeLessThan(made * 3);
    }
    const announced = planned(dry).filter(({ action }) => action === 'link' || action === 'delta');
    expect(announced.map(({ path }) => path).sort()).toEqual(
      startedJobs(real)
        .map((job) => job.split(' ')[1])
        .sort(),
    );
  });

  it('says that an up-to-date mirror has nothing to do', async () => {
    const workshop = await makeWorkshop(2);
    await build(workshop);
    const run = await build(workshop, { dryRun: true });
    expect(run.summary).toMatchObject({ dryRun: true, changed: false });
    expect(actions(run)).toEqual([]);
  });

  it('tells of indexes that change, of files that they no longer name, and why', async () => {
    const workshop = await makeWorkshop(3);
    await build(workshop);
    rmSync(join(workshop.imagesDir, dayImage(3)));
    const run = await build(workshop, { dryRun: true, deltas: { kind: 'none' } });
    expect(run.summary.changed).toBe(true);
    expect(actions(run).sort()).toEqual(
      [
        ...[dayImage(3), dayDeltaPath(1, 2), dayDeltaPath(2, 3), dayDeltaPath(3, 2)].map((path) => `drop ${path}`),
        'drop rdiffs/SHA256SUMS',
        ...INDEXES.filter((path) => !path.startsWith('rdiffs/')).map((path) => `write-index ${path}`),
      ].sort(),
    );
  });

  it('tells of another base URL', async () => {
    const workshop = await makeWorkshop(1);
    await build(workshop);
    const run = await build(workshop, { dryRun: true, baseUrl: 'https://other.example.org' });
    expect(run.summary.changed).toBe(true);
    expect(actions(run)).toEqual([`write-index meta/${SERIES}.json`]);
  });

  it('of a build that prunes tells what it would remove', async () => {
    const workshop = await makeWorkshop(2);
    await build(workshop);
    rmSync(join(workshop.imagesDir, dayImage(2)));
    await build(workshop);
    const before = fileStates(workshop.folder);
    const run = await build(workshop, { dryRun: true, prune: { graceMs: 0 } });
    expect(run.summary.changed).toBe(true);
    expect(actions(run)).toEqual([dayImage(2), dayDeltaPath(1, 2), dayDeltaPath(2, 1)].map((path) => `remove ${path}`));
    expect(fileStates(workshop.folder)).toEqual(before);
    expect((await prune(workshop)).summary.removed).toBe(3);
  });
});

function planned(run: Run<unknown>) {
  return eventsOf(run, 'plan').flatMap((plan) => plan.actions);
}

function actions(run: Run<unknown>): string[] {
  return planned(run).map(({ action, path }) => `${action} ${path}`);
}
