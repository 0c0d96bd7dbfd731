import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { threads } from '../delta/contenders.mjs';
import { measure, sumCost } from '../measure.mjs';
import { ours } from '../program.mjs';
import { megabytes, seconds } from '../table.mjs';
import { findTools } from '../tools.mjs';

/** @typedef {import('../measure.mjs').Cost} Cost */
/** @typedef {{mebibytes: number, one: Cost, all: Cost, rdiff?: Cost}} PeakFigures ours by one thread and by all */

/**
 * What one delta costs from a base of `mebibytes` MiB, by us and by rdiff -b 128.
 * @param {{base: string, target: string, work: string, program: string, mebibytes: number}} request
 * @returns {Promise<PeakFigures>}
 */
export async function measurePeak({ base, target, work, program, mebibytes }) {
  const delta = join(work, 'delta');
  const byJobs = (/** @type {number} */ jobs) =>
    costOf([ours(program, 'delta', '--quiet', '--engine', 'wasm', '--jobs', String(jobs), base, target, delta)], delta);
  console.error(`memory: base of ${mebibytes} MiB`);
  const own = { mebibytes, one: await byJobs(1), all: await byJobs(threads) };
  if (!findTools(['rdiff']).has('rdiff')) return own;
  const signature = join(work, 'signature');
  const steps = [
    ['rdiff', '-b', '128', 'signature', base, signature],
    ['rdiff', 'delta', signature, target, delta],
  ];
  const rdiff = await costOf(steps, delta);
  rmSync(signature);
  return { ...own, rdiff };
}

/**
 * @param {readonly PeakFigures[]} peaks
 * @returns {import('../report.mjs').Block}
 */
export function peaksBlock(peaks) {
  const row = (/** @type {string} */ who, /** @type {Cost} */ cost) => [
    who,
    megabytes(cost.peakRssBytes),
    seconds(cost.cpuSeconds),
    seconds(cost.wallSeconds),
  ];
  return {
    title: 'Memory of one delta, random bytes',
    notes: ['the target is a third of the base; nine tenths of it are in the base'],
    rows: [
      ['', 'peak memory', 'CPU', 'wall'],
      ...peaks.flatMap(({ mebibytes, one, all, rdiff }) => [
        row(`${mebibytes} MiB: ours, 1 thread`, one),
        row(`${mebibytes} MiB: ours, ${threads} threads`, all),
        ...(rdiff === undefined ? [] : [row(`${mebibytes} MiB: rdiff -b 128`, rdiff)]),
      ]),
    ],
  };
}

/**
 * @param {readonly (readonly string[])[]} steps
 * @param {string} delta
 */
async function costOf(steps, delta) {
  const costs = [];
  for (const [command = '', ...args] of steps) costs.push(await measure(command, args));
  rmSync(delta);
  return sumCost(costs);
}
