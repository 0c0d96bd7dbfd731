// What is promised of deltas, and what came out.
import { threads } from '../delta/contenders.mjs';
import { yardstick } from '../delta/pair-block.mjs';
import { atLeast, atMost } from './target.mjs';

/** @typedef {import('../delta/measure-pair.mjs').PairFigures} PairFigures */
/** @typedef {import('../delta/measure-pair.mjs').Measured} Measured */
/** @typedef {import('./target.mjs').Target} Target */

/** How often rdiff's costs go into ours at least, on a desktop's images of about 1 GB. */
const speed = [
  { kind: 'gzip', cpu: 20, wall: 30, javascript: 8 },
  { kind: 'lzo', cpu: 18, wall: 25 },
  { kind: 'ext4', cpu: 10, wall: 18, javascript: 5 },
];

/** Below it, a third of rdiff's memory is less than Node itself takes. */
const smallPeakBytes = 130e6;

/**
 * @param {readonly PairFigures[]} pairs
 * @returns {Target[]}
 */
export function deltaTargets(pairs) {
  return [
    ...speed.flatMap((wanted) =>
      speedTargets(
        pairs.find(({ kind }) => kind === wanted.kind),
        wanted,
      ),
    ),
    ...pairs.map((pair) =>
      atMost(
        '2',
        `${pair.name}: bytes, ours / rdiff`,
        1,
        quotient(pair, 'wasm', yardstick, (one) => one.deltaBytes),
      ),
    ),
    ...pairs.filter(({ kind }) => kind === 'ext4').flatMap(rawSizeTargets),
    ...pairs.flatMap((pair) => ['wasm', 'wasm-all'].flatMap((id) => memoryTarget(pair, id))),
    ...pairs.flatMap(applyTargets),
  ];
}

/**
 * @param {PairFigures | undefined} pair
 * @param {{kind: string, cpu: number, wall: number, javascript?: number}} wanted
 */
function speedTargets(pair, { kind, cpu, wall, javascript }) {
  const [cpuOf, wallOf] = [
    (/** @type {Measured} */ one) => one.cost.cpuSeconds,
    (/** @type {Measured} */ one) => one.cost.wallSeconds,
  ];
  if (pair === undefined) return [];
  return [
    atLeast('1', `${kind}: CPU, rdiff / ours, 1 thread`, cpu, quotient(pair, yardstick, 'wasm', cpuOf)),
    atLeast(
      '1',
      `${kind}: wall, rdiff / ours, ${threads} threads`,
      wall,
      quotient(pair, yardstick, 'wasm-all', wallOf),
    ),
    ...(javascript === undefined
      ? []
      : [atLeast('1', `${kind}: CPU, rdiff / ours, JavaScript`, javascript, quotient(pair, yardstick, 'js', cpuOf))]),
  ];
}

/** @param {PairFigures} pair */
function rawSizeTargets(pair) {
  const bytes = (/** @type {Measured} */ one) => one.deltaBytes;
  const zst = (/** @type {Measured} */ one) => one.zstBytes ?? one.deltaBytes;
  return [
    atMost('2', `${pair.name}: bytes at normal, ours / rdiff`, 0.9, quotient(pair, 'wasm', yardstick, bytes)),
    atMost('2', `${pair.name}: bytes at max, ours / rdiff`, 0.86, quotient(pair, 'max', yardstick, bytes)),
    atMost('2', `${pair.name}: .zst, ours / zstd --patch-from`, 0.95, quotient(pair, 'wasm', 'zstd', zst)),
  ];
}

/**
 * @param {PairFigures} pair
 * @param {string} id
 */
function memoryTarget(pair, id) {
  const [mine, theirs] = [find(pair, id), find(pair, yardstick)];
  if (mine === undefined || theirs === undefined) return [];
  const most = Math.max(theirs.cost.peakRssBytes / 3, smallPeakBytes);
  return [atMost('3', `${pair.name}: MB, ${mine.name}`, Math.round(most / 1e6), mine.cost.peakRssBytes / 1e6)];
}

/**
 * By the clock, which is what whoever applies a delta waits by; the tables have the processor time too.
 * @param {PairFigures} pair
 */
function applyTargets(pair) {
  const costs = (/** @type {string} */ by) => find(pair, 'wasm')?.applied.find((one) => one.by === by)?.cost;
  return [
    ['rdiff', 'ours, --no-sync'],
    ['rdiff, then sync', 'ours'],
  ].flatMap(([by = '', own = '']) => {
    const [theirs, mine] = [costs(by), costs(own)];
    if (mine === undefined || theirs === undefined) return [];
    const what = `${pair.name}: apply the same delta, ${by} / ${own}`;
    return [atLeast('4', what, 1, theirs.wallSeconds / mine.wallSeconds)];
  });
}

/**
 * A figure of one contender through that of another.
 * @param {PairFigures} pair
 * @param {string} upper
 * @param {string} lower
 * @param {(one: Measured) => number} figure
 */
function quotient(pair, upper, lower, figure) {
  const [above, below] = [find(pair, upper), find(pair, lower)];
  return above === undefined || below === undefined ? undefined : figure(above) / figure(below);
}

/**
 * @param {PairFigures} pair
 * @param {string} id
 */
function find(pair, id) {
  return pair.measured.find((one) => one.id === id);
}
