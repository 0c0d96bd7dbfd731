import { expect } from 'vitest';
import { startedJobs } from './events.js';
import { fileStates } from './file-states.js';
import { build, makeWorkshop, type Workshop } from './workshop.js';

/** What makes a build compress its deltas. */
export const COMPRESS = { compressDeltas: true };

/** A workshop of two images whose deltas can be compressed, and its mirror, with compressed deltas. */
export async function compressedWorkshop(): Promise<Workshop> {
  const workshop = await makeWorkshop(2, { compressible: true });
  await build(workshop, COMPRESS);
  return workshop;
}

/** The name or path of a delta's compressed form. */
export function zst(delta: string): string {
  return `${delta}.zst`;
}

/** Expects that what was learnt is remembered: the next build has nothing to do, and touches nothing. */
export async function expectAtRest(workshop: Workshop): Promise<void> {
  const before = fileStates(workshop.folder);
  const run = await build(workshop, { maxDeltaRatio: 10 });
  expect(run.summary.changed).toBe(false);
  expect(startedJobs(run)).toEqual([]);
  expect(fileStates(workshop.folder)).toEqual(before);
}
