import { basename } from 'node:path';
import { grouped, megabytes, ratio, seconds } from '../table.mjs';

/** @typedef {import('./measure-pair.mjs').PairFigures} PairFigures */
/** @typedef {import('./measure-pair.mjs').Measured} Measured */

/** What every ratio is against: the command that made the deltas before. */
export const yardstick = 'rdiff-128';

const head = [
  '',
  'CPU',
  'wall',
  'peak memory',
  'delta bytes',
  'as .zst',
  'CPU vs rdiff',
  'wall vs rdiff',
  'bytes vs rdiff',
  'apply CPU',
  'apply wall',
];

/**
 * A pair's figures as a table, a line for each who made a delta.
 * @param {PairFigures} figures
 * @returns {import('../report.mjs').Block}
 */
export function pairBlock({ name, base, target, baseBytes, targetBytes, effort, measured }) {
  const reference = measured.find(({ id }) => id === yardstick);
  const runs = Math.max(...measured.map((one) => one.runs));
  return {
    title: `${name}: ${basename(base)} (${megabytes(baseBytes)}) to ${basename(target)} (${megabytes(targetBytes)})`,
    notes: [
      `effort ${effort ?? 'by default'}; ${runs === 1 ? 'one run' : `medians of ${runs} runs`}` +
        `${measured.some((one) => one.runs < runs) ? ' but where one run is said' : ''}; CPU and wall vs rdiff are ` +
        "rdiff -b 128's through the line's, bytes the line's through rdiff -b 128's",
    ],
    rows: [head, ...measured.flatMap((one) => contenderRows(one, reference, runs))],
  };
}

/**
 * @param {Measured} one
 * @param {Measured | undefined} reference
 * @param {number} runs
 */
function contenderRows(one, reference, runs) {
  const { name, cost, deltaBytes, zstBytes, applied } = one;
  const against =
    reference === undefined
      ? ['', '', '']
      : [
          ratio(reference.cost.cpuSeconds, cost.cpuSeconds),
          ratio(reference.cost.wallSeconds, cost.wallSeconds),
          (deltaBytes / reference.deltaBytes).toFixed(4),
        ];
  const [first, ...others] = applied;
  return [
    [
      one.runs < runs ? `${name} (one run)` : name,
      seconds(cost.cpuSeconds),
      seconds(cost.wallSeconds),
      megabytes(cost.peakRssBytes),
      grouped(deltaBytes),
      zstBytes === undefined ? '' : grouped(zstBytes),
      ...against,
      ...(first === undefined ? ['', ''] : [seconds(first.cost.cpuSeconds), seconds(first.cost.wallSeconds)]),
    ],
    ...others.map((other) => [
      `  applied by ${other.by}`,
      ...Array(8).fill(''),
      seconds(other.cost.cpuSeconds),
      seconds(other.cost.wallSeconds),
    ]),
  ];
}
