// `npm run bench -- shapes`: our rate on inputs that are as easy or as hard as can be, against that on random bytes.
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { machineLine } from '../machine.mjs';
import { measure, medianCost } from '../measure.mjs';
import { ours } from '../program.mjs';
import { grouped, megabytes, seconds } from '../table.mjs';
import { writeChunks } from '../write-file.mjs';
import { allShapes, normalShape } from './inputs.mjs';

/**
 * `bytesPerSecond` of base and target together, for each second of processor time.
 * @typedef {{name: string, bytesPerSecond: number, deltaBytes: number, cost: import('../measure.mjs').Cost}} ShapeFigures
 */

/**
 * Makes each shape's pair of about `mebibytes` MiB each below `cache`, its delta `runs` times, and removes them.
 * @param {{cache: string, program: string, mebibytes: number, runs: number}} request
 * @param {import('../report.mjs').Say} say
 */
export async function benchShapes({ cache, program, mebibytes, runs }, say) {
  /** @type {ShapeFigures[]} */
  const shapes = [];
  for (const shape of await allShapes()) {
    const work = mkdtempSync(join(cache, 'bench-'));
    try {
      shapes.push(await measureShape(shape, { work, program, mebibytes, runs }));
    } finally {
      rmSync(work, { recursive: true, force: true });
    }
  }
  const figures = { bench: 'shapes', machine: machineLine(), mebibytes, runs, shapes };
  say(shapesBlock(figures));
  return figures;
}

/**
 * The rate of each shape against that of random bytes.
 * @param {readonly ShapeFigures[]} shapes
 * @returns {{name: string, share: number}[]}
 */
export function ratesAgainstNormal(shapes) {
  const normal = shapes.find(({ name }) => name === normalShape)?.bytesPerSecond ?? Number.NaN;
  return shapes.map(({ name, bytesPerSecond }) => ({ name, share: bytesPerSecond / normal }));
}

/**
 * @param {import('./inputs.mjs').Shape} shape
 * @param {{work: string, program: string, mebibytes: number, runs: number}} options
 * @returns {Promise<ShapeFigures>}
 */
async function measureShape({ name, base, target }, { work, program, mebibytes, runs }) {
  console.error(`shape: ${name}`);
  const [basePath, targetPath, delta] = [join(work, 'base'), join(work, 'target'), join(work, 'delta')];
  writeChunks(basePath, base(mebibytes));
  writeChunks(targetPath, target(mebibytes));
  const [command = '', ...args] = ours(program, 'delta', '--quiet', '--engine', 'wasm', '--jobs', '1');
  const costs = [];
  let deltaBytes = 0;
  for (let run = 0; run < runs; run++) {
    costs.push(await measure(command, [...args, basePath, targetPath, delta]));
    deltaBytes = statSync(delta).size;
    rmSync(delta);
  }
  const cost = medianCost(costs);
  const bytes = statSync(basePath).size + statSync(targetPath).size;
  return { name, bytesPerSecond: bytes / cost.cpuSeconds, deltaBytes, cost };
}

/**
 * @param {{mebibytes: number, runs: number, shapes: readonly ShapeFigures[]}} figures
 * @returns {import('../report.mjs').Block}
 */
function shapesBlock({ mebibytes, runs, shapes }) {
  const shares = ratesAgainstNormal(shapes);
  return {
    title: `Shapes: base and target of ${mebibytes} MiB each`,
    notes: [`ours, WebAssembly, 1 thread; ${runs === 1 ? 'one run' : `medians of ${runs} runs`}`],
    rows: [
      ['', 'CPU', 'wall', 'peak memory', 'delta bytes', 'MB of both a CPU second', 'against random'],
      ...shapes.map(({ name, cost, deltaBytes, bytesPerSecond }, index) => [
        name,
        seconds(cost.cpuSeconds),
        seconds(cost.wallSeconds),
        megabytes(cost.peakRssBytes),
        grouped(deltaBytes),
        `${(bytesPerSecond / 1e6).toFixed(0)} MB/s`,
        `${Number(shares[index]?.share).toFixed(2)} x`,
      ]),
    ],
  };
}
