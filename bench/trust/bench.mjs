// `npm run bench -- trust`: what it costs to sign a mirror of 10,000 files, and to verify it, beside a plain signed list.
import { randomBytes } from 'node:crypto';
import { mkdirSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { machineLine } from '../machine.mjs';
import { medianCost } from '../measure.mjs';
import { grouped, megabytes, seconds } from '../table.mjs';
import { measureSignedList } from './list-signer.mjs';
import { filesIn } from './mirror.mjs';
import { measureClients, measureSigning, restingSteps } from './steps.mjs';

/** @typedef {import('./steps.mjs').Step} Step */
/**
 * `largest` is the largest file below `metadata/`, `restingBytes` what was written where nothing was to be.
 * @typedef {{
 *   series: number, steps: readonly Step[], largest: {path: string, bytes: number}, metadataBytes: number,
 *   restingBytes: number,
 * }} ShapeFigures
 */

const files = 10_000;
/** Not the copies of indexes, which no client limits as it does metadata. */
const metadataName = /^(?:\d{1,10}\..+|timestamp)\.json$/;
/** A series of n images has n deltas. */
const shapes = [1, 20].map((series) => ({ series, imagesEach: files / 2 / series }));

/**
 * @param {{cache: string, program: string, runs: number}} request
 * @param {import('../report.mjs').Say} say
 */
export async function benchTrust({ cache, program, runs }, say) {
  // For keys that are made for the bench, and are worth nothing afterwards.
  process.env.UPDATE_REPOSITORY_PASSPHRASE = randomBytes(16).toString('hex');
  /** @type {ShapeFigures[]} */
  const measured = [];
  for (const shape of shapes) {
    const figures = await measureShape({ cache, program, runs }, shape);
    measured.push(figures);
    say(shapeBlock(figures, runs));
  }
  return { bench: 'trust', machine: machineLine(), files, runs, shapes: measured };
}

/**
 * Every step `runs` times, each time with a mirror, keys and devices that are new.
 * @param {{cache: string, program: string, runs: number}} request
 * @param {import('./mirror.mjs').Shape} shape
 * @returns {Promise<ShapeFigures>}
 */
async function measureShape({ cache, program, runs }, shape) {
  const work = join(cache, 'trust-work');
  /** @type {Step[]} */
  const steps = [];
  /** @type {(step: Step) => void} */
  const onStep = (step) => void steps.push(step);
  /** @type {{path: string, bytes: number}[]} */
  let metadata = [];
  for (let run = 0; run < runs; run++) {
    rmSync(work, { recursive: true, force: true });
    mkdirSync(work, { recursive: true });
    const mirror = join(work, 'mirror');
    const newest = await measureSigning({ program, mirror, keys: join(work, 'keys'), shape }, onStep);
    await measureClients({ program, mirror, newest, work }, onStep);
    await measureSignedList(join(mirror, 'SHA256SUMS'), join(work, 'gpg'), onStep);
    metadata = [...filesIn(join(mirror, 'metadata'))].map(([path, { size }]) => ({
      path: basename(path),
      bytes: size,
    }));
  }
  rmSync(work, { recursive: true });
  return {
    series: shape.series,
    steps: mediansByName(steps),
    largest: metadata
      .filter(({ path }) => metadataName.test(path))
      .reduce((most, one) => (one.bytes > most.bytes ? one : most)),
    metadataBytes: metadata.reduce((sum, { bytes }) => sum + bytes, 0),
    restingBytes: steps.reduce(
      (sum, { name, bytes }) => sum + (restingSteps.some((resting) => resting === name) ? bytes : 0),
      0,
    ),
  };
}

/**
 * @param {readonly Step[]} steps
 * @returns {Step[]}
 */
function mediansByName(steps) {
  const names = [...new Set(steps.map(({ name }) => name))];
  return names.map((name) => {
    const same = steps.filter((step) => step.name === name);
    return { name, cost: medianCost(same.map(({ cost }) => cost)), bytes: Number(same[0]?.bytes) };
  });
}

/**
 * @param {ShapeFigures} figures
 * @param {number} runs
 * @returns {import('../report.mjs').Block}
 */
function shapeBlock({ series, steps, largest, metadataBytes }, runs) {
  return {
    title: `${grouped(files)} files in ${series === 1 ? 'one series' : `${series} series`}`,
    notes: [
      runs === 1 ? 'one run' : `medians of ${runs} runs`,
      `largest metadata file: ${largest.path}, ${grouped(largest.bytes)} bytes; below metadata/, both states and the copies of indexes: ${megabytes(metadataBytes)}`,
    ],
    rows: [
      ['', 'CPU', 'wall', 'peak memory', 'bytes'],
      ...steps.map(({ name, cost, bytes }) => [
        name,
        seconds(cost.cpuSeconds),
        seconds(cost.wallSeconds),
        megabytes(cost.peakRssBytes),
        grouped(bytes),
      ]),
    ],
  };
}
