// `npm run bench -- publish MIRROR`: a mirror goes to a directory and to S3, by us and by rclone.
import { execFileSync } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { machineLine } from '../machine.mjs';
import { measure, median, medianCost } from '../measure.mjs';
import { grouped, megabytes, ratio, seconds } from '../table.mjs';
import { publishPlaces, transfers } from './places.mjs';
import { kinds } from './requests.mjs';

/** @typedef {import('../measure.mjs').Cost} Cost */
/** @typedef {import('./requests.mjs').Requests} Requests */
/** @typedef {Cost & {requests?: Requests}} Run what a command costs, and where that is counted its requests */
/** @typedef {{name: string, first: Run, again: Run}} Published a first copy, and one of nothing new */
/** @typedef {{place: string, published: readonly Published[]}} PlaceFigures */

/**
 * Copies the mirror to each kind of place, empty, and then once more, by each in turn, `runs` times.
 * @param {{mirror: string, cache: string, program: string, runs: number}} request
 * @param {import('../report.mjs').Say} say
 */
export async function benchPublish({ mirror, cache, program, runs }, say) {
  const sizeBytes = readAll(mirror);
  /** @type {PlaceFigures[]} */
  const places = [];
  for (const place of publishPlaces({ mirror, cache, program })) {
    const published = await measurePlace(place, runs);
    places.push({ place: place.name, published });
    say(costBlock({ place: place.name, sizeBytes, runs, published }));
    if (published.some(({ first }) => first.requests !== undefined)) say(requestsBlock(place.name, published));
  }
  return { bench: 'publish', machine: machineLine(), sizeBytes, runs, places };
}

/**
 * @param {import('./places.mjs').Place} place
 * @param {number} runs
 * @returns {Promise<Published[]>}
 */
async function measurePlace({ name: placeName, contenders, open }, runs) {
  const measured = contenders.map(({ name }) => ({
    name,
    first: /** @type {Run[]} */ ([]),
    again: /** @type {Run[]} */ ([]),
  }));
  for (let run = 1; run <= runs; run++) {
    for (const [index, { name, line }] of contenders.entries()) {
      console.error(`publish to ${placeName}: run ${run} of ${runs}: ${name}`);
      const { target, requests, end } = await open();
      const [command = '', ...args] = line(target);
      const once = async () => {
        const cost = await measure(command, args);
        return requests === undefined ? cost : { ...cost, requests: await requests() };
      };
      try {
        measured[index]?.first.push(await once());
        measured[index]?.again.push(await once());
      } finally {
        await end();
      }
    }
  }
  return measured.map(({ name, first, again }) => ({ name, first: medianRun(first), again: medianRun(again) }));
}

/**
 * @param {readonly Run[]} runs
 * @returns {Run}
 */
function medianRun(runs) {
  const cost = medianCost(runs);
  const counted = runs.flatMap(({ requests }) => requests ?? []);
  if (counted.length === 0) return cost;
  const requests = /** @type {Requests} */ (
    Object.fromEntries(kinds.map((kind) => [kind, median(counted.map((counts) => counts[kind]))]))
  );
  return { ...cost, requests };
}

/**
 * Reads what is published, so that all find it in the page cache; resolves to its bytes.
 * @param {string} mirror
 */
function readAll(mirror) {
  const paths = readdirSync(mirror, { recursive: true, encoding: 'utf8' })
    .filter((path) => !path.startsWith('.'))
    .map((path) => join(mirror, path))
    .filter((path) => statSync(path).isFile());
  execFileSync('cat', paths, { stdio: ['ignore', 'ignore', 'inherit'] });
  return paths.reduce((total, path) => total + statSync(path).size, 0);
}

/**
 * @param {{place: string, sizeBytes: number, runs: number, published: readonly Published[]}} figures
 * @returns {import('../report.mjs').Block}
 */
function costBlock({ place, sizeBytes, runs, published }) {
  const [mine] = published;
  return {
    title: `A mirror of ${megabytes(sizeBytes)} into ${place}`,
    notes: [runs === 1 ? 'one run' : `medians of ${runs} runs`, `${transfers} files at once`],
    rows: [
      ['', 'CPU', 'wall', 'MB/s', 'memory', 'CPU / ours', 'wall / ours', 'again: CPU', 'again: wall', 'again: memory'],
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
        megabytes(again.peakRssBytes),
      ]),
    ],
  };
}

/**
 * @param {string} place
 * @param {readonly Published[]} published
 * @returns {import('../report.mjs').Block}
 */
function requestsBlock(place, published) {
  const row = (/** @type {string} */ label, /** @type {Requests | undefined} */ requests) => {
    const counts = kinds.map((kind) => requests?.[kind] ?? 0);
    return [label, ...counts.map(grouped), grouped(counts.reduce((total, count) => total + count, 0))];
  };
  return {
    title: `Requests to ${place}`,
    notes: ['as its gateway logged them; LIST is a GET of contents, of open uploads or of their parts'],
    rows: [
      ['', ...kinds, 'all'],
      ...published.flatMap(({ name, first, again }) => [
        row(`${name}, first`, first.requests),
        row(`${name}, again`, again.requests),
      ]),
    ],
  };
}
