// `npm run bench`: what we cost, beside the tools that people use instead. Tables go to stdout, the rest to stderr.
import { mkdirSync, statSync, writeFileSync } from 'node:fs';
import { benchBuild } from './build.mjs';
import { makePairs } from './corpus/pairs.mjs';
import { makeSeries } from './corpus/series.mjs';
import { benchDelta } from './delta/bench.mjs';
import { benchDigests } from './digests/bench.mjs';
import { machineLine } from './machine.mjs';
import { benchMemory } from './memory/bench.mjs';
import { requireBuild } from './program.mjs';
import { markdownBlock, plainBlock } from './report.mjs';
import { parseRequest, usage } from './request.mjs';
import { benchShapes } from './shapes/bench.mjs';
import { benchSignature } from './signature.mjs';
import { targetsBlock } from './targets/target.mjs';
import { targetsOf } from './targets/targets.mjs';

/** @typedef {import('./request.mjs').Request} Request */
/** @typedef {import('./report.mjs').Say} Say */
/** @typedef {Parameters<typeof targetsOf>[0]} Figures */

/**
 * The benches by their names, each with the numbers of files that it takes.
 * @type {ReadonlyMap<string, {files: readonly number[], run: (request: Request, say: Say) => Promise<Figures>}>}
 */
const benches = new Map([
  ['all', { files: [0], run: everything }],
  ['delta', { files: [0, 2], run: async (request, say) => ({ delta: await delta(request, say) }) }],
  ['signature', { files: [1], run: async (request, say) => ({ signature: await signature(request, say) }) }],
  ['digests', { files: [1], run: async (request, say) => ({ digests: digests(request, say) }) }],
  ['shapes', { files: [0], run: async (request, say) => ({ shapes: await shapes(request, say) }) }],
  ['memory', { files: [0], run: async (request, say) => ({ memory: await memory(request, say) }) }],
  ['build', { files: [0], run: async (request, say) => ({ build: await build(request, say) }) }],
]);

try {
  process.exitCode = await main();
} catch (error) {
  console.error(`bench: ${error instanceof Error ? error.message : error}`);
  process.exitCode = 1;
}

async function main() {
  const request = parseRequest(process.argv.slice(2));
  const bench = benches.get(request?.bench ?? '');
  if (request === undefined || bench === undefined || !bench.files.includes(request.files.length)) {
    console.error(usage);
    return 2;
  }
  requireBuild();
  for (const file of request.files) statSync(file); // before the work, not after it
  mkdirSync(request.cache, { recursive: true });
  const report = startReport(request);
  const figures = await bench.run(request, report.say);
  const targets = targetsOf(figures);
  if (targets.length > 0) report.say(targetsBlock(targets));
  if (request.json !== undefined) writeFileSync(request.json, `${JSON.stringify({ ...figures, targets }, null, 2)}\n`);
  return 0;
}

/**
 * Prints the machine, then block by block; the page is written anew with each, for a long run may end early.
 * @param {Request} request
 */
function startReport({ markdown }) {
  const page = [`${machineLine()}\n`];
  console.log(page[0]);
  const say = (/** @type {import('./report.mjs').Block} */ block) => {
    console.log(plainBlock(block));
    page.push(markdownBlock(block));
    if (markdown !== undefined) writeFileSync(markdown, page.join('\n'));
  };
  return { say };
}

/**
 * All but the build: deltas of the corpus, and on one image of it what goes with them.
 * @param {Request} request
 * @param {Say} say
 */
async function everything(request, say) {
  const pairs = makePairs(request.cache);
  const files = [String(pairs[0]?.base)];
  return {
    delta: await delta(request, say),
    shapes: await shapes({ ...request, sizes: undefined }, say),
    signature: await signature({ ...request, files }, say),
    digests: digests({ ...request, files }, say),
    memory: await memory({ ...request, sizes: undefined }, say),
  };
}

/**
 * @param {Request} request
 * @param {Say} say
 */
function delta({ files: [base, target], cache, program, runs = 5, effort, xdelta }, say) {
  const own = effort === undefined ? {} : { effort };
  const pairs =
    base === undefined || target === undefined
      ? makePairs(cache).map((pair) => ({ ...pair, ...own }))
      : [{ name: 'your pair', base, target, ...own }];
  return benchDelta({ pairs, cache, program, runs, xdelta }, say);
}

/**
 * @param {Request} request
 * @param {Say} say
 */
function signature({ files, cache, program, runs = 5 }, say) {
  return benchSignature({ file: String(files[0]), cache, program, runs }, say);
}

/**
 * @param {Request} request
 * @param {Say} say
 */
function digests({ files, runs = 5 }, say) {
  return benchDigests({ file: String(files[0]), runs }, say);
}

/**
 * @param {Request} request
 * @param {Say} say
 */
function shapes({ cache, program, runs = 1, sizes = [512] }, say) {
  return benchShapes({ cache, program, mebibytes: Number(sizes[0]), runs }, say);
}

/**
 * @param {Request} request
 * @param {Say} say
 */
function memory({ cache, program, sizes = [1000, 9000] }, say) {
  return benchMemory({ cache, program, sizes }, say);
}

/**
 * @param {Request} request
 * @param {Say} say
 */
function build({ cache, program, runs = 3, images }, say) {
  return benchBuild({ imagesDir: images ?? makeSeries(cache), program, runs }, say);
}
