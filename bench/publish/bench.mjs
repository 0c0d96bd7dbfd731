// `npm run bench -- publish MIRROR`: a mirror goes to a directory, by us and by rclone.
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { machineLine } from '../machine.mjs';
import { measure, medianCost } from '../measure.mjs';
import { ours } from '../program.mjs';
import { megabytes, ratio, seconds } from '../table.mjs';
import { findTools } from '../tools.mjs';

/** @typedef {import('../measure.mjs').Cost} Cost */
/** @typedef {{name: string, first: Cost, again: Cost}} Published what a first copy costs, and one of nothing new */

/** Both move so many files at once. */
const transfers = '4';

/**
 * Copies the mirror to an empty directory and then once more, by each in turn, `runs` times.
 * @param {{mirror: string, cache: string, program: string, runs: number}} request
 * @param {import('../report.mjs').Say} say
 */
export async function benchPublish({ mirror, cache, program, runs }, say) {
  const contenders = [
    {
      name: 'ours',
      line: (/** @type {string} */ target) =>
        ours(program, 'publish', '--quiet', '--transfers', transfers, mirror, target),
    },
    ...(findTools(['rclone']).has('rclone')
      ? [
          {
            name: 'rclone copy',
            line: (/** @type {string} */ target) => [
              'rclone',
              'copy',
              '--config',
              '/dev/null',
              '--transfers',
              transfers,
              '--exclude',
              '/.update-repository/**',
              mirror,
              target,
            ],
          },
        ]
      : []),
  ];
  const costs = contenders.map(() => ({ first: /** @type {Cost[]} */ ([]), again: /** @type {Cost[]} */ ([]) }));
  for (let run = 1; run <= runs; run++) {
    for (const [index, { name, line }] of contenders.entries()) {
      console.error(`publish: run ${run} of ${runs}: ${name}`);
      const work = mkdtempSync(join(cache, 'bench-'));
      const [command = '', ...args] = line(join(work, 'www'));
      try {
        costs[index]?.first.push(await measure(command, args));
        costs[index]?.again.push(await measure(command, args));
      } finally {
        rmSync(work, { recursive: true, force: true });
      }
    }
  }
  const sizeBytes = servedBytes(mirror);
  /** @type {Published[]} */
  const published = contenders.map(({ name }, index) => ({
    name,
    first: medianCost(costs[index]?.first ?? []),
    again: medianCost(costs[index]?.again ?? []),
  }));
  const figures = { bench: 'publish', machine: machineLine(), sizeBytes, runs, published };
  say(publishBlock(figures));
  return figures;
}

/** @param {string} mirror */
function servedBytes(mirror) {
  return readdirSync(mirror, { recursive: true, encoding: 'utf8' })
    .filter((path) => !path.startsWith('.'))
    .reduce(
      (total, path) => total + (statSync(join(mirror, path)).isFile() ? statSync(join(mirror, path)).size : 0),
      0,
    );
}

/**
 * @param {{sizeBytes: number, runs: number, published: readonly Published[]}} figures
 * @returns {import('../report.mjs').Block}
 */
function publishBlock({ sizeBytes, runs, published }) {
  const [mine] = published;
  return {
    title: `A mirror of ${megabytes(sizeBytes)} into a directory`,
    notes: [runs === 1 ? 'one run' : `medians of ${runs} runs`, `${transfers} files at once`],
    rows: [
      ['', 'CPU', 'wall', 'MB/s', 'memory', 'CPU / ours', 'wall / ours', 'again: CPU', 'again: wall'],
      ...published.map(({ name, first, again }) => [
        name,
        seconds(first.cpuSeconds),
        seconds(first.wallSeconds),
        (sizeBytes / first.wallSeconds / 1e6).toFixed(0),
        megabytes(first.peakRssBytes),
        mine === undefined ? '' : ratio(first.cpuSeconds, mine.first.cpuSeconds),
        mine === undefined ? '' : ratio(first.wallSeconds, mine.first.wallSeconds),
        seconds(again.cpuSeconds),
        seconds(again.wallSeconds),
      ]),
    ],
  };
}
