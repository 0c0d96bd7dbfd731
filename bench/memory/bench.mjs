// `npm run bench -- memory`: what a delta and a build take, at sizes where it matters.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { machineLine } from '../machine.mjs';
import { megabytes } from '../table.mjs';
import { budgetBlock, measureBudget } from './budget.mjs';
import { measureLargeBuild } from './build.mjs';
import { makeLargeImage } from './large-images.mjs';
import { measurePeak, peaksBlock } from './peak.mjs';

const tenPairs = join(dirname(fileURLToPath(import.meta.url)), 'ten-pairs.mjs');

/**
 * Deltas from bases of `sizes` MiB beside rdiff's; at the first of them a budget, ten deltas in one process, and a
 * build of two images twice as large. Its files lie below `cache` meanwhile.
 * @param {{cache: string, program: string, sizes: readonly number[]}} request
 * @param {import('../report.mjs').Say} say
 */
export async function benchMemory({ cache, program, sizes }, say) {
  const work = mkdtempSync(join(cache, 'bench-'));
  try {
    const peaks = [];
    for (const mebibytes of sizes) {
      const files = makeFiles(work, mebibytes);
      peaks.push(await measurePeak({ ...files, work, program, mebibytes }));
      if (mebibytes !== sizes[0]) rmSync(dirname(files.base), { recursive: true });
    }
    say(peaksBlock(peaks));
    const files = makeFiles(work, Number(sizes[0]));
    const budget = await measureBudget({ ...files, work, program });
    say(budgetBlock(budget));
    const residentBytes = measureTenPairs(files, work);
    say(tenPairsBlock(residentBytes));
    rmSync(dirname(files.base), { recursive: true });
    const build = await measureLargeBuild({ cache, program, mebibytes: 2 * Number(sizes[0]) }, say);
    return { bench: 'memory', machine: machineLine(), peaks, budget, residentBytes, build };
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/**
 * @param {string} work
 * @param {number} mebibytes
 */
function makeFiles(work, mebibytes) {
  const files = { base: join(work, String(mebibytes), 'base'), target: join(work, String(mebibytes), 'target') };
  makeLargeImage(files.base, mebibytes, 0);
  makeLargeImage(files.target, Math.ceil(mebibytes / 3), 1);
  return files;
}

/**
 * @param {{base: string, target: string}} files
 * @param {string} work
 * @returns {number[]}
 */
function measureTenPairs({ base, target }, work) {
  console.error('memory: ten deltas in one process');
  const text = execFileSync(process.execPath, [tenPairs, base, target, join(work, 'delta')], { encoding: 'utf8' });
  return JSON.parse(text);
}

/**
 * @param {readonly number[]} residentBytes
 * @returns {import('../report.mjs').Block}
 */
function tenPairsBlock(residentBytes) {
  return {
    title: 'Ten deltas one after the other in one process: resident memory after each',
    rows: [residentBytes.map((_, index) => `${index + 1}.`), residentBytes.map(megabytes)],
  };
}
