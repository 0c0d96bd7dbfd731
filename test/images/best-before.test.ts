import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { releaseOfMirror } from '../../src/images/mirror-release.js';
import { eventsOf, notes, problems, startedJobs, writtenIndexes } from './support/events.js';
import { fileStates } from './support/file-states.js';
import { addImages, build, dayImage, makeWorkshop, prune, verify, type Workshop } from './support/workshop.js';

const DAY_MS = 86_400_000;
const MONTH = { bestBeforeMs: 30 * DAY_MS };
const [FIRST, SECOND] = ['BEST-BEFORE-2026-04-01', 'BEST-BEFORE-2026-04-17'] as const;

describe('a mirror whose list of images is good until a day', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['Date'], now: new Date('2026-03-01T12:00:00Z') }));
  afterEach(() => void vi.useRealTimers());

  it('names the day first in SHA256SUMS alone, with an empty file that sha256sum finds', async () => {
    const workshop = await datedWorkshop();
    expect(lines(workshop)[0]).toMatch(new RegExp(`^[0-9a-f]{64}  ${FIRST}$`));
    expect(marks(workshop)).toEqual([FIRST]);
    execFileSync('sha256sum', ['--check', '--strict', '--quiet', 'SHA256SUMS'], { cwd: workshop.mirrorDir });
    for (const list of ['CKSUMS', 'rdiffs/SHA256SUMS']) {
      expect(readFileSync(join(workshop.mirrorDir, list), 'utf8')).not.toContain('BEST');
    }
    expect(problems(await verify(workshop))).toEqual([]);
  });

  it('keeps its day while half of the time is left, though nobody says it again, and writes nothing', async () => {
    const workshop = await datedWorkshop();
    const before = fileStates(workshop.folder);
    vi.setSystemTime(new Date('2026-03-17T00:00:00Z'));
    expect((await build(workshop)).summary.changed).toBe(false);
    expect(fileStates(workshop.folder)).toEqual(before);
    await addImages(workshop, [3]);
    await build(workshop);
    expect(marks(workshop)).toEqual([FIRST]);
  });

  it('gets another day then, by its list alone, and the file of the day before goes', async () => {
    const workshop = await datedWorkshop();
    vi.setSystemTime(new Date('2026-03-17T12:00:00Z'));
    const dry = await build(workshop, { dryRun: true });
    const actions = eventsOf(dry, 'plan').flatMap((plan) =>
      plan.actions.map(({ action, path }) => `${action} ${path}`),
    );
    expect(actions).toEqual([`write-index ${SECOND}`, 'write-index SHA256SUMS', `drop ${FIRST}`]);
    const run = await build(workshop);
    expect(startedJobs(run)).toEqual([]);
    expect(writtenIndexes(run)).toEqual([SECOND, 'SHA256SUMS']);
    expect(notes(run, 'info')).toContain(`${FIRST}: removed: its day is not listed any more`);
    expect(marks(workshop)).toEqual([SECOND]);
    expect(lines(workshop)[0]).toContain(SECOND);
    expect((await prune(workshop)).summary).toMatchObject({ removed: 0, waiting: 0 });
    expect(problems(await verify(workshop))).toEqual([]);
  });

  it('is published with the file before the list', async () => {
    const workshop = await datedWorkshop();
    const { indexStages } = await releaseOfMirror(workshop.mirrorDir);
    const stages = indexStages.map((stage) => stage.map(({ path }) => path));
    expect(stages.slice(1, 3)).toEqual([
      ['CKSUMS', FIRST],
      ['SHA256SUMS', 'rdiffs/SHA256SUMS'],
    ]);
  });

  it('without the file is a fault, which the next build mends', async () => {
    const workshop = await datedWorkshop();
    rmSync(join(workshop.mirrorDir, FIRST));
    expect(problems(await verify(workshop))).toEqual([`error missing ${FIRST}`]);
    expect(writtenIndexes(await build(workshop))).toEqual([FIRST]);
    expect(problems(await verify(workshop))).toEqual([]);
  });

  it('keeps its day while an image is withdrawn and replaced', async () => {
    const workshop = await datedWorkshop();
    rmSync(join(workshop.imagesDir, dayImage(2)));
    writeFileSync(join(workshop.imagesDir, dayImage(2)), 'other bytes');
    await build(workshop, { replace: true });
    expect(lines(workshop)[0]).toContain(FIRST);
    expect(marks(workshop)).toEqual([FIRST]);
  });

  it('has none any more once that is ended; a file of such a name that is not empty is not touched', async () => {
    const workshop = await datedWorkshop();
    writeFileSync(join(workshop.mirrorDir, 'BEST-BEFORE-2020-01-01'), 'mine');
    await build(workshop, { bestBeforeMs: 0 });
    expect(lines(workshop).join()).not.toContain('BEST');
    expect(marks(workshop)).toEqual(['BEST-BEFORE-2020-01-01']);
    expect((await build(workshop)).summary.changed).toBe(false);
  });
});

async function datedWorkshop(): Promise<Workshop> {
  const workshop = await makeWorkshop(2);
  await build(workshop, MONTH);
  expect(existsSync(join(workshop.mirrorDir, FIRST))).toBe(true);
  return workshop;
}

function lines({ mirrorDir }: Workshop): string[] {
  return readFileSync(join(mirrorDir, 'SHA256SUMS'), 'utf8').trimEnd().split('\n');
}

/** The files that say until when. */
function marks({ mirrorDir }: Workshop): string[] {
  return readdirSync(mirrorDir).filter((name) => name.startsWith('BEST-BEFORE-'));
}
