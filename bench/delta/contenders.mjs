// Who makes a delta of a pair, by which commands, and who applies it.
import { statSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { ours } from '../program.mjs';

/** @typedef {import('../corpus/pairs.mjs').Pair} Pair */
/** @typedef {readonly string[]} Step a command and its arguments */
/** @typedef {{by: string, needs?: string, steps: (pair: Pair, delta: string, result: string) => readonly Step[]}} Applier */

/**
 * `once`: in the first run only. `sameBytesAs`: the contender whose delta it must equal, which is applied in its place.
 * `isRdiff`: the delta is in librsync's format, which leaves compression to others.
 * @typedef {{
 *   id: string, name: string, needs?: string, once?: boolean, sameBytesAs?: string, isRdiff: boolean,
 *   make: (pair: Pair, delta: string) => readonly Step[], appliers: readonly Applier[],
 * }} Contender
 */

/** What the targets call all cores. */
export const threads = availableParallelism();

/** Neither xdelta3 nor zstd looks further back. */
const mostWindowBytes = 2 ** 31;

/** The programs that are asked for beside ours. */
export const referenceTools = ['rdiff', 'xdelta3', 'zstd'];

/**
 * All that have what they need, ours first.
 * @param {{program: string, tools: ReadonlySet<string>, pair: Pair, xdelta: boolean}} request
 * @returns {Contender[]}
 */
export function contendersFor({ program, tools, pair, xdelta }) {
  const isThere = (/** @type {{needs?: string}} */ { needs }) => needs === undefined || tools.has(needs);
  const isLarge = statSync(pair.base).size > mostWindowBytes;
  if (isLarge) console.error(`LEFT OUT: ${pair.base} is larger than the windows of xdelta3 and zstd`);
  const others = isLarge ? [] : [...(xdelta ? [xdelta3()] : []), zstd()];
  return [...ourContenders(program, pair), rdiff(128), rdiff(2048), ...others]
    .filter(isThere)
    .map((contender) => ({ ...contender, appliers: contender.appliers.filter(isThere) }));
}

/**
 * @param {string} program
 * @param {Pair} pair
 * @returns {Contender[]}
 */
function ourContenders(program, { kind, effort }) {
  const chosen = effort === undefined ? [] : ['--delta-effort', effort];
  const make =
    (/** @type {readonly string[]} */ ...flags) =>
    (/** @type {Pair} */ { base, target }, /** @type {string} */ delta) => [
      ours(program, 'delta', '--quiet', '--no-sync', ...flags, base, target, delta),
    ];
  const patch = { by: 'ours', steps: ourPatch(program) };
  const unsynced = { by: 'ours, --no-sync', steps: ourPatch(program, '--no-sync') };
  const appliers = [patch, unsynced, rdiffPatch(), rdiffPatchOnDisk()];
  const one = { id: 'wasm', name: 'ours, WebAssembly, 1 thread', isRdiff: true, appliers };
  const same = { sameBytesAs: 'wasm', isRdiff: true, appliers: [] };
  const max = { id: 'max', name: 'ours, effort max, 1 thread', once: true, isRdiff: true, appliers: [patch] };
  return [
    { ...one, make: make('--engine', 'wasm', '--jobs', '1', ...chosen) },
    {
      ...same,
      id: 'wasm-all',
      name: `ours, WebAssembly, ${threads} threads`,
      make: make('--engine', 'wasm', '--jobs', String(threads), ...chosen),
    },
    { ...same, id: 'js', name: 'ours, JavaScript, 1 thread', make: make('--engine', 'js', '--jobs', '1', ...chosen) },
    ...(kind === 'ext4' ? [{ ...max, make: make('--engine', 'wasm', '--jobs', '1', '--delta-effort', 'max') }] : []),
  ];
}

/**
 * @param {string} program
 * @param {readonly string[]} flags
 * @returns {Applier['steps']}
 */
function ourPatch(program, ...flags) {
  return ({ base }, delta, result) => [ours(program, 'patch', '--quiet', ...flags, base, delta, result)];
}

/** @returns {Applier} */
function rdiffPatch() {
  return { by: 'rdiff', needs: 'rdiff', steps: ({ base }, delta, result) => [['rdiff', 'patch', base, delta, result]] };
}

/**
 * Ours is done when the result is on the disk, rdiff when it is in memory.
 * @returns {Applier}
 */
function rdiffPatchOnDisk() {
  return {
    by: 'rdiff, then sync',
    needs: 'rdiff',
    steps: ({ base }, delta, result) => [
      ['rdiff', 'patch', base, delta, result],
      ['sync', result],
    ],
  };
}

/**
 * @param {number} blockBytes
 * @returns {Contender}
 */
function rdiff(blockBytes) {
  return {
    id: `rdiff-${blockBytes}`,
    name: `rdiff -b ${blockBytes}`,
    needs: 'rdiff',
    isRdiff: true,
    make: ({ base, target }, delta) => [
      ['rdiff', '-b', String(blockBytes), 'signature', base, `${delta}.signature`],
      ['rdiff', 'delta', `${delta}.signature`, target, delta],
    ],
    appliers: [rdiffPatch()],
  };
}

/**
 * It keeps the whole base in its window, and takes minutes.
 * @returns {Contender}
 */
function xdelta3() {
  const windowOf = (/** @type {string} */ base) => ['-q', '-B', String(statSync(base).size)];
  return {
    id: 'xdelta3',
    name: 'xdelta3 -9, whole window',
    needs: 'xdelta3',
    once: true,
    isRdiff: false,
    make: ({ base, target }, delta) => [['xdelta3', '-e', '-9', ...windowOf(base), '-s', base, target, delta]],
    appliers: [
      {
        by: 'xdelta3',
        needs: 'xdelta3',
        steps: ({ base }, delta, result) => [['xdelta3', '-d', ...windowOf(base), '-s', base, delta, result]],
      },
    ],
  };
}

/** @returns {Contender} */
function zstd() {
  const from = (/** @type {string} */ base) => ['-q', '--long=31', `--patch-from=${base}`];
  return {
    id: 'zstd',
    name: 'zstd -3 --patch-from',
    needs: 'zstd',
    isRdiff: false,
    make: ({ base, target }, delta) => [['zstd', '-3', ...from(base), target, '-o', delta]],
    appliers: [
      {
        by: 'zstd',
        needs: 'zstd',
        steps: ({ base }, delta, result) => [['zstd', '-d', ...from(base), delta, '-o', result]],
      },
    ],
  };
}
