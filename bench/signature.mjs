// `npm run bench -- signature FILE`: signatures as rdiff makes them, by rdiff and by our drop-in for it.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { machineLine } from './machine.mjs';
import { measure, medianCost } from './measure.mjs';
import { ours } from './program.mjs';
import { megabytes, ratio, seconds } from './table.mjs';
import { findTools } from './tools.mjs';

const cases = [2048, 128].flatMap((blockBytes) => ['blake2', 'md4'].map((hash) => ({ blockBytes, hash })));

/** @typedef {import('./measure.mjs').Cost} Cost */
/** @typedef {{blockBytes: number, hash: string, rdiff: Cost, ours: Cost}} SignatureFigures */

/**
 * Makes each kind of signature by both in turn, `runs` times, and compares them once; throws where they differ.
 * Undefined where rdiff is missing.
 * @param {{file: string, cache: string, program: string, runs: number}} request
 * @param {import('./report.mjs').Say} say
 */
export async function benchSignature({ file, cache, program, runs }, say) {
  if (!findTools(['rdiff']).has('rdiff')) return undefined;
  execFileSync('cat', [file], { stdio: ['ignore', 'ignore', 'inherit'] }); // both find it in the page cache
  const work = mkdtempSync(join(cache, 'bench-'));
  try {
    /** @type {SignatureFigures[]} */
    const signatures = [];
    for (const kind of cases) signatures.push(await measureKind(kind, { file, work, program, runs }));
    const sizeBytes = statSync(file).size;
    const figures = { bench: 'signature', machine: machineLine(), file: basename(file), sizeBytes, runs, signatures };
    say(signatureBlock(figures));
    return figures;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/**
 * @param {{blockBytes: number, hash: string}} kind
 * @param {{file: string, work: string, program: string, runs: number}} options
 * @returns {Promise<SignatureFigures>}
 */
async function measureKind({ blockBytes, hash }, { file, work, program, runs }) {
  const flags = ['-b', String(blockBytes), '-H', hash, 'signature', file];
  const [theirs, mine] = [join(work, 'theirs'), join(work, 'ours')];
  const costs = { rdiff: /** @type {Cost[]} */ ([]), ours: /** @type {Cost[]} */ ([]) };
  for (let run = 1; run <= runs; run++) {
    console.error(`signature -b ${blockBytes} -H ${hash}: run ${run} of ${runs}`);
    costs.rdiff.push(await measure('rdiff', [...flags, theirs]));
    const [command = '', ...args] = ours(program, 'rdiff', ...flags, mine);
    costs.ours.push(await measure(command, args));
    if (run === 1 && spawnSync('cmp', [theirs, mine], { stdio: 'inherit' }).status !== 0) {
      throw new Error(`signature -b ${blockBytes} -H ${hash}: expected rdiff's own bytes, found others`);
    }
    rmSync(theirs);
    rmSync(mine);
  }
  return { blockBytes, hash, rdiff: medianCost(costs.rdiff), ours: medianCost(costs.ours) };
}

/**
 * @param {{file: string, sizeBytes: number, runs: number, signatures: readonly SignatureFigures[]}} figures
 * @returns {import('./report.mjs').Block}
 */
function signatureBlock({ file, sizeBytes, runs, signatures }) {
  return {
    title: `Signatures of ${file} (${megabytes(sizeBytes)})`,
    notes: [runs === 1 ? 'one run' : `medians of ${runs} runs`],
    rows: [
      ['', 'rdiff CPU', 'ours', 'rdiff / ours', 'rdiff wall', 'ours', 'rdiff / ours', 'rdiff memory', 'ours'],
      ...signatures.map(({ blockBytes, hash, rdiff, ours: own }) => [
        `-b ${blockBytes} -H ${hash}`,
        seconds(rdiff.cpuSeconds),
        seconds(own.cpuSeconds),
        ratio(rdiff.cpuSeconds, own.cpuSeconds),
        seconds(rdiff.wallSeconds),
        seconds(own.wallSeconds),
        ratio(rdiff.wallSeconds, own.wallSeconds),
        megabytes(rdiff.peakRssBytes),
        megabytes(own.peakRssBytes),
      ]),
    ],
  };
}
