// The benches as the command line names them: which parts each has, and what these are run on.
import { benchBuild } from './build.mjs';
import { benchClient } from './client/bench.mjs';
import { makeLargePair } from './corpus/large-pair.mjs';
import { makePairs } from './corpus/pairs.mjs';
import { makeSeries } from './corpus/series.mjs';
import { benchDelta } from './delta/bench.mjs';
import { benchDigests } from './digests/bench.mjs';
import { benchMemory } from './memory/bench.mjs';
import { benchPublish } from './publish/bench.mjs';
import { benchShapes } from './shapes/bench.mjs';
import { benchSignature } from './signature.mjs';
import { benchTrust } from './trust/bench.mjs';

/** @typedef {import('./request.mjs').Request} Request */
/** @typedef {import('./report.mjs').Say} Say */
/** @typedef {Parameters<typeof import('./targets/targets.mjs').targetsOf>[0]} Figures what all parts measured, by their names */
/** @typedef {(request: Request, say: Say) => Promise<Figures>} Part */

/** @type {Part} */
async function delta({ files: [base, target], cache, program, runs = 5, effort, xdelta }, say) {
  const chosen = effort === undefined ? {} : { effort };
  const pairs =
    base === undefined || target === undefined
      ? makePairs(cache).map((pair) => ({ ...pair, ...chosen }))
      : [{ name: 'your pair', base, target, ...chosen }];
  return { delta: await benchDelta({ pairs, cache, program, runs, xdelta }, say) };
}

/** @type {Part} */
async function signature({ files, cache, program, runs = 5 }, say) {
  const figures = await benchSignature({ file: files[0] ?? imageOf(cache), cache, program, runs }, say);
  return figures === undefined ? {} : { signature: figures };
}

/** @type {Part} */
async function digests({ files, cache, runs = 5 }, say) {
  return { digests: benchDigests({ file: files[0] ?? imageOf(cache), runs }, say) };
}

/** @type {Part} */
async function shapes({ cache, program, runs = 5, sizes = [512] }, say) {
  return { shapes: await benchShapes({ cache, program, mebibytes: Number(sizes[0]), runs }, say) };
}

/** @type {Part} */
async function memory({ cache, program, sizes = [1000, 9000] }, say) {
  return { memory: await benchMemory({ cache, program, sizes }, say) };
}

/** @type {Part} */
async function build({ cache, program, runs = 3, images }, say) {
  return { build: await benchBuild({ imagesDir: images ?? makeSeries(cache), program, runs }, say) };
}

/** @type {Part} */
async function publish({ files: [mirror = ''], cache, program, runs = 3 }, say) {
  return { publish: await benchPublish({ mirror, cache, program, runs }, say) };
}

/** @type {Part} */
async function client({ files: [base, target], cache, program, runs = 3 }, say) {
  const pair = base === undefined || target === undefined ? makeLargePair(cache) : { name: 'your pair', base, target };
  return { client: await benchClient({ pair, cache, program, runs }, say) };
}

/** @type {Part} */
async function trust({ cache, program, runs = 3 }, say) {
  return { trust: await benchTrust({ cache, program, runs }, say) };
}

/**
 * The benches by their names, each with the numbers of files that it takes. `all` is the one without a name.
 * @type {ReadonlyMap<string, {files: readonly number[], parts: readonly Part[]}>}
 */
export const benches = new Map([
  ['all', { files: [0], parts: [delta, shapes, signature, digests, memory] }],
  ['delta', { files: [0, 2], parts: [delta] }],
  ['signature', { files: [1], parts: [signature] }],
  ['digests', { files: [1], parts: [digests] }],
  ['shapes', { files: [0], parts: [shapes] }],
  ['memory', { files: [0], parts: [memory] }],
  ['build', { files: [0], parts: [build] }],
  ['publish', { files: [1], parts: [publish] }],
  ['client', { files: [0, 2], parts: [client] }],
  ['trust', { files: [0], parts: [trust] }],
]);

/**
 * The image of the corpus that stands for all where one is enough.
 * @param {string} cache
 */
function imageOf(cache) {
  const [first] = makePairs(cache);
  if (first === undefined) throw new Error(`${cache}: expected pairs of images, found none`);
  return first.base;
}
