// `--memory`: a budget that a delta does not fit is refused, naming the one that it needs, and that one is kept to.
import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { measure } from '../measure.mjs';
import { ours } from '../program.mjs';
import { megabytes } from '../table.mjs';

/**
 * `refusal` is what the program said of a budget of 1 MiB, and `budgetBytes` what it asked for there. `idleRssBytes` is
 * the program that only tells its version: Node, before any budget.
 * @typedef {{refusal: string, budgetBytes: number, peakRssBytes: number, idleRssBytes: number}} BudgetFigures
 */

/**
 * Throws where the small budget is not refused, or the refusal names no other.
 * @param {{base: string, target: string, work: string, program: string}} request
 * @returns {Promise<BudgetFigures>}
 */
export async function measureBudget({ base, target, work, program }) {
  console.error('memory: --memory');
  const delta = join(work, 'delta');
  const line = (/** @type {string} */ budget) =>
    ours(program, 'delta', '--quiet', '--jobs', '1', '--memory', budget, base, target, delta);
  const refusal = refusalOf(line('1M'));
  const needed = /--memory (\d+)M/.exec(refusal)?.[1];
  if (needed === undefined) throw new Error(`--memory 1M: expected a refusal that names the need, found: ${refusal}`);
  const kept = await run(line(`${needed}M`));
  const idle = await run(ours(program, '--version'));
  rmSync(delta);
  return {
    refusal,
    budgetBytes: Number(needed) * 2 ** 20,
    peakRssBytes: kept.peakRssBytes,
    idleRssBytes: idle.peakRssBytes,
  };
}

/**
 * @param {BudgetFigures} figures
 * @returns {import('../report.mjs').Block}
 */
export function budgetBlock({ budgetBytes, peakRssBytes, idleRssBytes }) {
  return {
    title: 'Memory budget of one delta, 1 thread',
    notes: ['--memory 1M is refused; the budget is what the refusal asks for'],
    rows: [
      ['', 'bytes'],
      ['--memory', megabytes(budgetBytes)],
      ['peak memory', megabytes(peakRssBytes)],
      ['of which Node and program, idle', megabytes(idleRssBytes)],
    ],
  };
}

/** @param {readonly string[]} line */
function refusalOf([command = '', ...args]) {
  const { status, stderr } = spawnSync(command, args, { encoding: 'utf8' });
  return status === 0 ? 'a delta' : stderr.trim().replaceAll('\n', '; ');
}

/** @param {readonly string[]} line */
function run([command = '', ...args]) {
  return measure(command, args);
}
