import { execFileSync, spawnSync } from 'node:child_process';
import { rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { freeMemoryFor } from '../freed-memory.mjs';
import { measure, medianCost, sumCost } from '../measure.mjs';

/** @typedef {import('../measure.mjs').Cost} Cost */
/** @typedef {import('./contenders.mjs').Contender} Contender */
/** @typedef {import('../corpus/pairs.mjs').Pair} Pair */

/**
 * `zstBytes`: the delta compressed by `zstd -9`. `runs`: of which `cost` and those of `applied` are the medians.
 * @typedef {{
 *   id: string, name: string, runs: number, cost: Cost, deltaBytes: number, zstBytes?: number,
 *   applied: {by: string, cost: Cost}[],
 * }} Measured
 */

/** @typedef {Pair & {baseBytes: number, targetBytes: number, measured: Measured[]}} PairFigures */

/** @typedef {{contender: Contender, made: Cost[], applied: Cost[][]}} Entry what a contender's runs cost */

/**
 * Makes and applies a pair's deltas by all contenders in turn, `runs` times, so that what else the machine does hits
 * all alike. In the first run every result is compared with the target, and deltas that must be equal with each other;
 * throws where they differ. `work` is an empty folder for deltas and results; `zstd` says whether it is installed.
 * @param {Pair} pair
 * @param {readonly Contender[]} contenders
 * @param {{runs: number, work: string, zstd: boolean}} options
 * @returns {Promise<PairFigures>}
 */
export async function measurePair(pair, contenders, { runs, work, zstd }) {
  // All find the images in the page cache.
  execFileSync('cat', [pair.base, pair.target], { stdio: ['ignore', 'ignore', 'inherit'] });
  /** @type {Entry[]} */
  const entries = contenders.map((contender) => ({ contender, made: [], applied: contender.appliers.map(() => []) }));
  for (const entry of entries) await runOnce(pair, entry, work, 'compare');
  const sizes = entries.map(({ contender }) => deltaSizes(contender, work, zstd));
  compareDeltas(contenders, work);
  for (let run = 2; run <= runs; run++) {
    for (const entry of entries.filter(({ contender }) => contender.once !== true)) {
      rmSync(deltaOf(work, entry.contender.id), { force: true });
      await runOnce(pair, entry, work, 'trust');
    }
  }
  return {
    ...pair,
    baseBytes: statSync(pair.base).size,
    targetBytes: statSync(pair.target).size,
    measured: entries.map((entry, index) => ({ ...summary(entry), deltaBytes: 0, ...sizes[index] })),
  };
}

/**
 * @param {Pair} pair
 * @param {Entry} entry
 * @param {string} work
 * @param {'compare' | 'trust'} results
 */
async function runOnce(pair, { contender, made, applied }, work, results) {
  console.error(`${pair.name}: run ${made.length + 1}: ${contender.name}`);
  const delta = deltaOf(work, contender.id);
  const result = join(work, 'result');
  freeMemoryFor(pair.target, 1);
  made.push(await measureSteps(contender.make(pair, delta)));
  for (const [index, applier] of contender.appliers.entries()) {
    freeMemoryFor(pair.target, 4);
    applied[index]?.push(await measureSteps(applier.steps(pair, delta, result)));
    if (results === 'compare') requireEqual(result, pair.target, `${contender.name}, applied by ${applier.by}`);
    rmSync(result);
  }
  rmSync(`${delta}.signature`, { force: true });
}

/** @param {readonly import('./contenders.mjs').Step[]} steps */
async function measureSteps(steps) {
  const costs = [];
  for (const [command = '', ...args] of steps) costs.push(await measure(command, args));
  return sumCost(costs);
}

/**
 * Of the delta as it is and, where its format leaves compression to others, compressed by `zstd -9`.
 * @param {Contender} contender
 * @param {string} work
 * @param {boolean} zstd
 */
function deltaSizes(contender, work, zstd) {
  const delta = deltaOf(work, contender.id);
  const deltaBytes = statSync(delta).size;
  if (!zstd || !contender.isRdiff || contender.sameBytesAs !== undefined) return { deltaBytes };
  execFileSync('zstd', ['-9', '-q', delta, '-o', `${delta}.zst`]);
  const zstBytes = statSync(`${delta}.zst`).size;
  rmSync(`${delta}.zst`);
  return { deltaBytes, zstBytes };
}

/**
 * @param {readonly Contender[]} contenders
 * @param {string} work
 */
function compareDeltas(contenders, work) {
  for (const { id, name, sameBytesAs } of contenders) {
    if (sameBytesAs !== undefined) requireEqual(deltaOf(work, id), deltaOf(work, sameBytesAs), name);
  }
}

/**
 * @param {string} found
 * @param {string} expected
 * @param {string} made what `found` is
 */
function requireEqual(found, expected, made) {
  const { status } = spawnSync('cmp', [found, expected], { stdio: ['ignore', 'inherit', 'inherit'] });
  if (status !== 0) throw new Error(`${made}: expected the same bytes as ${expected}, found others`);
}

/** @param {Entry} entry */
function summary({ contender: { id, name, appliers }, made, applied }) {
  const costs = appliers.map(({ by }, index) => ({ by, cost: medianCost(applied[index] ?? []) }));
  return { id, name, runs: made.length, cost: medianCost(made), applied: costs };
}

/**
 * @param {string} work
 * @param {string} id
 */
function deltaOf(work, id) {
  return join(work, `${id}.delta`);
}
