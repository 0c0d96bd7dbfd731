import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { servedTree } from '../support/served-tree.js';
import { notes, startedJobs, writtenIndexes } from './support/events.js';
import { build, dayImage, makeWorkshop, type Workshop } from './support/workshop.js';

const RECORDS = [
  'settings.json',
  'dropped.json',
  `images/${dayImage(1)}.json`,
  `images/${dayImage(2)}.json`,
  'deltas/puavo-os-acme-bookworm-2024-01-01-060000--2024-01-02-060000-amd64.rdiff.json',
];

const GARBAGE = ['', '{', 'null', '[]', '{}', '{"source":null}', '\0\xff\xfe', '{"outcome":{"kind":"too-large"}}'];

describe('a build whose private memory is', () => {
  it('lost in part, one record at a time, serves the same files and has nothing left to do', async () => {
    const workshop = await builtWorkshop();
    const served = servedTree(workshop.mirrorDir);
    for (const record of RECORDS) {
      rmSync(join(privateDir(workshop), record));
      await expectSame(workshop, served, record);
    }
  });

  it('damaged in part, one record at a time, serves the same files and has nothing left to do', async () => {
    const workshop = await builtWorkshop();
    const served = servedTree(workshop.mirrorDir);
    for (const record of RECORDS) {
      writeFileSync(join(privateDir(workshop), record), '{"puavoConf": 7, "outcome"');
      await expectSame(workshop, served, record);
    }
  });

  it.each(GARBAGE)('overwritten with %j everywhere serves the same files', async (garbage) => {
    const workshop = await builtWorkshop();
    const served = servedTree(workshop.mirrorDir);
    for (const record of RECORDS) writeFileSync(join(privateDir(workshop), record), garbage, 'latin1');
    await expectSame(workshop, served, garbage);
  });

  it('gone altogether reads the images and applies the deltas once more, and makes none again', async () => {
    const workshop = await builtWorkshop();
    const served = servedTree(workshop.mirrorDir);
    rmSync(privateDir(workshop), { recursive: true });
    const run = await expectSame(workshop, served, 'all');
    expect(startedJobs(run).map((job) => job.split(' ')[0])).toEqual(['check-delta', 'examine', 'examine']);
  });

  it('that of a build which was killed between two indexes writes those that differ and ends that state', async () => {
    const workshop = await builtWorkshop();
    const served = servedTree(workshop.mirrorDir);
    writeFileSync(join(privateDir(workshop), 'publishing'), '');
    writeFileSync(join(workshop.mirrorDir, 'SHA256SUMS'), '');
    const run = await expectSame(workshop, served, 'publishing');
    expect(writtenIndexes(run)).toEqual(['SHA256SUMS']);
    expect(readdirSync(privateDir(workshop))).not.toContain('publishing');
  });
});

it('the base URL is taken from the meta when the settings are lost', async () => {
  const workshop = await builtWorkshop();
  rmSync(join(privateDir(workshop), 'settings.json'));
  const run = await build(workshop, { baseUrl: undefined, deltas: LATEST });
  expect(notes(run)).toEqual([]);
  expect(writtenIndexes(run)).toEqual([]);
});

it('without a base URL anywhere a build warns and writes URLs relative to the root', async () => {
  const workshop = await makeWorkshop(1);
  const run = await build(workshop, { baseUrl: undefined });
  expect(notes(run)).toEqual([expect.stringMatching(/^no base URL: /)]);
  const meta = readFileSync(join(workshop.mirrorDir, 'meta/puavo-os-acme-bookworm-amd64.json'), 'utf8');
  expect(meta).toContain(`"urls":["/${dayImage(1)}"]`);
});

/** Two images and one delta; a second delta was dropped, so that every kind of record is there. */
async function builtWorkshop(): Promise<Workshop> {
  const workshop = await makeWorkshop(2);
  await build(workshop);
  await build(workshop, { deltas: LATEST });
  rmSync(join(privateDir(workshop), 'deltas', droppedDelta));
  rmSync(join(workshop.mirrorDir, 'rdiffs', droppedDelta.slice(0, -'.json'.length)));
  expect(Object.keys(servedTree(workshop.mirrorDir))).toHaveLength(8);
  return workshop;
}

const LATEST = { kind: 'latest', count: 1 } as const;
const droppedDelta = 'puavo-os-acme-bookworm-2024-01-02-060000--2024-01-01-060000-amd64.rdiff.json';

function privateDir({ mirrorDir }: Workshop): string {
  return join(mirrorDir, '.update-repository');
}

async function expectSame(workshop: Workshop, served: Record<string, string>, what: string): ReturnType<typeof build> {
  const run = await build(workshop, { deltas: LATEST });
  expect(run.summary, what).toMatchObject({ failures: 0, deltasMade: 0 });
  expect(servedTree(workshop.mirrorDir), what).toEqual(served);
  expect((await build(workshop, { deltas: LATEST })).summary.changed, what).toBe(false);
  return run;
}
