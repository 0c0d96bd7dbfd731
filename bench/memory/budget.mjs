// `--memory`: a budget that a delta does not fit is refused, and one that it just fits is kept to.
import { spawnSync } from 'node:child_process';
import { rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { deltaMemoryBytes } from 'update-repository';
import { measure } from '../measure.mjs';
import { ours } from '../program.mjs';
import { megabytes } from '../table.mjs';

/**
 * `refusal` is what the program said of a budget of 1 MB; empty when it took the job all the same. `idleRssBytes` is
 * the program that only tells its version, before any budget.
 * @typedef {{budgetBytes: number, peakRssBytes: number, idleRssBytes: number, refusal: string}} BudgetFigures
 */

/**
 * @param {{base: string, target: string, work: string, program: string}} request
 * @returns {Promise<BudgetFigures>}
 */
export async function measureBudget({ base, target, work, program }) {
  console.error('memory: --memory');
  const delta = join(work, 'delta');
  const line = (/** @type {string} */ budget) =>
    ours(
      program,
      'delta',
      '--quiet',
      '--jobs',
      '1',
      '--delta-effort',
      'normal',
      '--memory',
      budget,
      base,
      target,
      delta,
    );
  const budgetBytes = deltaMemoryBytes(statSync(base).size, 'normal');
  const refusal = refusalOf(line('1M'));
  rmSync(delta, { force: true });
  const kept = await run(line(String(budgetBytes)));
  const idle = await run(ours(program, '--version'));
  rmSync(delta);
  return { budgetBytes, peakRssBytes: kept.peakRssBytes, idleRssBytes: idle.peakRssBytes, refusal };
}

/**
 * @param {BudgetFigures} figures
 * @returns {import('../report.mjs').Block}
 */
export function budgetBlock({ budgetBytes, peakRssBytes, idleRssBytes, refusal }) {
  return {
    title: 'Memory budget of one delta, 1 thread, effort normal',
    notes: [`--memory 1M: ${refusal === '' ? 'NOT refused' : refusal}`],
    rows: [
      ['--memory', 'peak memory', 'of which Node and program, idle'],
      [megabytes(budgetBytes), megabytes(peakRssBytes), megabytes(idleRssBytes)],
    ],
  };
}

/** @param {readonly string[]} line */
function refusalOf([command = '', ...args]) {
  const { status, stderr } = spawnSync(command, args, { encoding: 'utf8' });
  return status === 0 ? '' : (stderr.split('\n')[0] ?? '');
}

/** @param {readonly string[]} line */
function run([command = '', ...args]) {
  return measure(command, args);
}
