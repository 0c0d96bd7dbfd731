// `npm run bench -- delta OLD NEW`: deltas of one pair of files, or of all pairs of the corpus, by us and by the tools
// that people use instead.
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { machineLine } from '../machine.mjs';
import { findTools } from '../tools.mjs';
import { contendersFor, referenceTools } from './contenders.mjs';
import { measurePair } from './measure-pair.mjs';
import { pairBlock } from './pair-block.mjs';

/**
 * Measures the pairs one after the other, and says each one's table when it is done. Deltas and results lie below
 * `cache` meanwhile. Returns the figures.
 * @param {{
 *   pairs: readonly import('../corpus/pairs.mjs').Pair[], cache: string, program: string, runs: number, xdelta: boolean,
 * }} request
 * @param {import('../report.mjs').Say} say
 */
export async function benchDelta({ pairs, cache, program, runs, xdelta }, say) {
  const tools = findTools(referenceTools.filter((tool) => xdelta || tool !== 'xdelta3'));
  const figures = { bench: 'delta', machine: machineLine(), runs, pairs: [] };
  /** @type {import('./measure-pair.mjs').PairFigures[]} */
  const measured = [];
  for (const pair of pairs) {
    const work = mkdtempSync(join(cache, 'bench-'));
    try {
      const contenders = contendersFor({ program, tools, pair, xdelta });
      measured.push(await measurePair(pair, contenders, { runs, work, zstd: tools.has('zstd') }));
    } finally {
      rmSync(work, { recursive: true, force: true });
    }
    const last = measured.at(-1);
    if (last !== undefined) say(pairBlock(last));
  }
  return { ...figures, pairs: measured };
}
