// `npm run bench -- client [OLD NEW]`: a delta is applied as it comes, beside rdiff and cp.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startStaticNginx } from '../../test/peers/nginx.mjs';
import { freeMemoryFor } from '../freed-memory.mjs';
import { measure, medianCost, sumCost } from '../measure.mjs';
import { ours } from '../program.mjs';
import { megabytes, ratio, seconds } from '../table.mjs';
import { findTools } from '../tools.mjs';

/** @typedef {import('../measure.mjs').Cost} Cost */
/** @typedef {import('../corpus/pairs.mjs').Pair} Pair */
/** @typedef {{name: string, needs: readonly string[], steps: readonly (readonly string[])[]}} Contender */
/** @typedef {{pair: string, targetBytes: number, deltaBytes: number, applied: readonly {name: string, cost: Cost}[]}} PairFigures */

const applyOnce = fileURLToPath(new URL('apply-once.mjs', import.meta.url));

/**
 * Makes the delta of a pair once and has all apply it, in turn, `runs` times. In the first run the results are compared
 * with the target.
 * @param {{pair: Pair, cache: string, program: string, runs: number}} request
 * @param {import('../report.mjs').Say} say
 */
export async function benchClient({ pair, cache, program, runs }, say) {
  const work = mkdtempSync(join(cache, 'bench-'));
  try {
    const figures = await measurePair(pair, { work, program, runs });
    say(pairBlock(figures, runs));
    return figures;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/**
 * What ours costs against the same done by rdiff and others, by the name of ours.
 * @param {PairFigures} figures
 */
export function againstRdiff({ applied }) {
  const costOf = (/** @type {string} */ name) => applied.find((one) => one.name === name)?.cost;
  return [
    [NAMES.fromFile, NAMES.durablyByRdiff],
    [NAMES.fromNginx, NAMES.fetchedByRdiff],
    [NAMES.bare, NAMES.byRdiff],
    [NAMES.onDisk, NAMES.onDiskByRdiff],
  ].map(([name = '', other = '']) => ({ name, ours: costOf(name), theirs: costOf(other) }));
}

const NAMES = {
  fromFile: 'ours, from a file',
  fromNginx: 'ours, from nginx on loopback',
  bare: '`patch --no-sync`',
  onDisk: '`patch`',
  byRdiff: 'rdiff patch',
  onDiskByRdiff: 'rdiff patch, sync',
  durablyByRdiff: 'rdiff patch, sync, sha256',
  fetchedByRdiff: 'curl, rdiff patch, sync, sha256',
};

/**
 * @param {Pair} pair
 * @param {{work: string, program: string, runs: number}} options
 * @returns {Promise<PairFigures>}
 */
async function measurePair(pair, { work, program, runs }) {
  const delta = join(work, 'pair.rdiff');
  const [command = '', ...args] = ours(program, 'delta', '--quiet', pair.base, pair.target, delta);
  execFileSync(command, args, { stdio: ['ignore', 'ignore', 'inherit'] });
  mkdirSync(join(work, 'www'));
  symlinkSync(delta, join(work, 'www', 'pair.rdiff'));
  const tools = findTools(['nginx', 'rdiff', 'curl', 'openssl']);
  const nginx = tools.has('nginx') ? await startStaticNginx(work) : undefined;
  try {
    // All find the files in the page cache.
    execFileSync('cat', [pair.base, pair.target, delta], { stdio: ['ignore', 'ignore', 'inherit'] });
    const all = contendersFor(pair, { work, program, delta, url: `${nginx?.url}/pair.rdiff` });
    const contenders = all.filter(({ needs }) => needs.every((tool) => tools.has(tool)));
    const costs = contenders.map(() => /** @type {Cost[]} */ ([]));
    for (let run = 1; run <= runs; run++) {
      for (const [index, contender] of contenders.entries()) {
        console.error(`${pair.name}: run ${run} of ${runs}: ${contender.name}`);
        freeMemoryFor(pair.target, 2);
        costs[index]?.push(await runOnce(contender, join(work, 'result'), run === 1 ? pair.target : undefined));
      }
    }
    const applied = contenders.map(({ name }, index) => ({ name, cost: medianCost(costs[index] ?? []) }));
    return { pair: pair.name, targetBytes: statSync(pair.target).size, deltaBytes: statSync(delta).size, applied };
  } finally {
    await nginx?.stop();
  }
}

/**
 * Ours is done when the result is on the disk and its sha256 was compared; the others know neither.
 * @param {Pair} pair
 * @param {{work: string, program: string, delta: string, url: string}} where
 * @returns {Contender[]}
 */
function contendersFor({ base, target }, { work, program, delta, url }) {
  const [result, fetched] = [join(work, 'result'), join(work, 'fetched')];
  const sha256 = execFileSync('sha256sum', [target], { encoding: 'utf8' }).slice(0, 64);
  const root = dirname(dirname(program));
  const apply = (/** @type {string} */ from) => [
    [process.execPath, applyOnce, root, base, from, result, String(statSync(target).size), sha256],
  ];
  const [sync, check] = [
    ['sync', result],
    ['openssl', 'dgst', '-sha256', result],
  ];
  const fetch = ['curl', '-sS', '-o', fetched, url];
  const patch = ['rdiff', 'patch', base, delta, result];
  const ourPatch = (/** @type {string[]} */ ...flags) => [
    ours(program, 'patch', '--quiet', ...flags, base, delta, result),
  ];
  return [
    { name: NAMES.fromFile, needs: [], steps: apply(delta) },
    { name: NAMES.fromNginx, needs: ['nginx'], steps: apply(url) },
    { name: NAMES.bare, needs: [], steps: ourPatch('--no-sync') },
    { name: NAMES.onDisk, needs: [], steps: ourPatch() },
    { name: NAMES.byRdiff, needs: ['rdiff'], steps: [patch] },
    { name: NAMES.onDiskByRdiff, needs: ['rdiff'], steps: [patch, sync] },
    { name: NAMES.durablyByRdiff, needs: ['rdiff', 'openssl'], steps: [patch, sync, check] },
    {
      name: NAMES.fetchedByRdiff,
      needs: ['nginx', 'curl', 'rdiff', 'openssl'],
      steps: [fetch, ['rdiff', 'patch', base, fetched, result], sync, check],
    },
    { name: 'cp', needs: [], steps: [['cp', '--reflink=never', target, result]] },
    { name: 'cp, sync', needs: [], steps: [['cp', '--reflink=never', target, result], sync] },
  ];
}

/**
 * @param {Contender} contender
 * @param {string} result
 * @param {string | undefined} expected what the result is compared with, where it is
 */
async function runOnce({ name, steps }, result, expected) {
  const costs = [];
  for (const [command = '', ...args] of steps) costs.push(await measure(command, args));
  if (expected !== undefined && spawnSync('cmp', [result, expected], { stdio: 'inherit' }).status !== 0) {
    throw new Error(`${name}: expected the same bytes as ${expected}, found others`);
  }
  rmSync(result);
  return sumCost(costs);
}

/**
 * @param {PairFigures} figures
 * @param {number} runs
 * @returns {import('../report.mjs').Block}
 */
function pairBlock({ pair, targetBytes, deltaBytes, applied }, runs) {
  const first = applied[0]?.cost.wallSeconds ?? 0;
  return {
    title: `Applying the delta of ${pair} (${megabytes(deltaBytes)}) as it comes, to ${megabytes(targetBytes)}`,
    notes: [
      runs === 1 ? 'one run' : `medians of ${runs} runs`,
      'ours ends with the result on the disk and its sha256 compared',
    ],
    rows: [
      ['', 'CPU', 'wall', 'MB/s', 'memory', 'wall / ours'],
      ...applied.map(({ name, cost }) => [
        name,
        seconds(cost.cpuSeconds),
        seconds(cost.wallSeconds),
        (targetBytes / cost.wallSeconds / 1e6).toFixed(0),
        megabytes(cost.peakRssBytes),
        ratio(cost.wallSeconds, first),
      ]),
    ],
  };
}
