// `npm run bench -- build`: the old producer's commands and ours on the same series, one after the other in one run.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { machineLine } from './machine.mjs';
import { medianSampledCost } from './measure.mjs';
import { runOldProducer } from './old-producer.mjs';
import { measureOurBuild } from './our-build.mjs';
import { megabytes, ratio, seconds } from './table.mjs';

/** @typedef {import('./old-producer.mjs').ProducerResult} ProducerResult */

/**
 * Measures both producers on the series of images in `imagesDir`, `runs` times in turn, and prints a table of medians.
 * The mirrors are made beside the images (images enter a mirror as hard links) and removed. Returns the figures.
 * @param {{imagesDir: string, program: string, runs: number}} request
 * @param {import('./report.mjs').Say} say
 */
export async function benchBuild({ imagesDir, program, runs }, say) {
  const images = seriesIn(imagesDir);
  execFileSync('cat', images, { stdio: ['ignore', 'ignore', 'inherit'] }); // both find them in the page cache
  /** @type {ProducerResult[]} */
  const old = [];
  /** @type {ProducerResult[]} */
  const ours = [];
  for (let run = 1; run <= runs; run++) {
    console.error(`run ${run} of ${runs}`);
    old.push(await inScratchFolder(imagesDir, (work) => runOldProducer(images, work)));
    ours.push(await inScratchFolder(imagesDir, (work) => runOurs(program, imagesDir, work)));
  }
  const figures = {
    bench: 'build',
    machine: machineLine(),
    runs,
    images: images.map((image) => statSync(image).size),
    old: medianResult(old),
    ours: medianResult(ours),
  };
  say(buildBlock(figures));
  return figures;
}

/**
 * The first run's, with the medians of what all runs cost.
 * @param {readonly ProducerResult[]} results
 * @returns {ProducerResult}
 */
function medianResult(results) {
  const [first] = results;
  if (first === undefined) throw new Error('expected at least one run, found none');
  return { ...first, cost: medianSampledCost(results.map((result) => result.cost)) };
}

/**
 * @param {{runs: number, images: number[], old: ProducerResult, ours: ProducerResult}} figures
 * @returns {import('./report.mjs').Block}
 */
function buildBlock({ runs, images, old, ours }) {
  const row = (
    /** @type {string} */ label,
    /** @type {(value: number) => string} */ format,
    /** @type {(result: ProducerResult) => number} */ figure,
  ) => [label, format(figure(old)), format(figure(ours)), ratio(figure(old), figure(ours))];
  const rows = [
    ['', 'old producer', 'update-repository', 'old / ours'],
    row('CPU, all processes', seconds, (result) => result.cost.cpuSeconds),
    row('wall clock', seconds, (result) => result.cost.wallSeconds),
    row('peak memory, largest process', megabytes, (result) => result.cost.peakRssBytes),
    row('peak memory, all processes', megabytes, (result) => result.cost.peakSumBytes),
    row('deltas', megabytes, (result) => result.deltaBytes),
    ['cached signatures', megabytes(old.signatureBytes), megabytes(ours.signatureBytes), ''],
  ];
  const sizes = images.map((size) => megabytes(size)).join(', ');
  return {
    title: `A build of ${images.length} images (${sizes})`,
    notes: [
      `${old.deltas} deltas by the old producer, ${ours.deltas} by ours; ` +
        `${runs === 1 ? 'one run' : `medians of ${runs} runs`}; ` +
        'ours also applies every delta and reads the settings inside the images',
    ],
    rows,
  };
}

/**
 * The whole build into a fresh mirror, which also reads puavo-conf and applies every delta as a test.
 * @param {string} program
 * @param {string} imagesDir
 * @param {string} work
 */
async function runOurs(program, imagesDir, work) {
  const mirror = join(work, 'mirror');
  const cost = await measureOurBuild(program, imagesDir, mirror);
  const deltas = readdirSync(join(mirror, 'rdiffs')).filter((name) => name.endsWith('.rdiff'));
  const deltaBytes = deltas.reduce((total, name) => total + statSync(join(mirror, 'rdiffs', name)).size, 0);
  return { cost, deltas: deltas.length, deltaBytes, signatureBytes: 0 };
}

/**
 * The images of the one series that the bench takes, oldest first.
 * @param {string} imagesDir
 */
function seriesIn(imagesDir) {
  const names = readdirSync(imagesDir)
    .filter((name) => name.endsWith('.img'))
    .sort();
  if (names.length < 2) throw new Error(`${imagesDir}: expected at least two images (*.img), found ${names.length}`);
  const stems = new Set(names.map((name) => name.replace(/-\d{4}-\d{2}-\d{2}-\d{6}-/, '-*-')));
  if (stems.size > 1)
    throw new Error(`${imagesDir}: expected the images of one series, found ${[...stems].join(', ')}`);
  return names.map((name) => join(resolve(imagesDir), name));
}

/**
 * Runs a task with an empty folder on the images' file system, and removes it.
 * @template T
 * @param {string} imagesDir
 * @param {(work: string) => Promise<T>} task
 */
async function inScratchFolder(imagesDir, task) {
  const work = mkdtempSync(join(dirname(resolve(imagesDir)), 'bench-'));
  try {
    return await task(work);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}
