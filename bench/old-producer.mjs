// What the producer before this one ran for a series, command by command: a make-like script with four tasks at once.
import { statSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { measureSampled } from './measure.mjs';

/** @typedef {{base: string, target: string}} Pair a delta, as the paths of two images */

/**
 * What a producer's run came to.
 * @typedef {{cost: import('./measure.mjs').SampledCost, deltas: number, deltaBytes: number, signatureBytes: number}} ProducerResult
 */

/**
 * The pairs of Puavo's policy: into each of the last three images from all others.
 * @param {readonly string[]} images oldest first
 * @returns {Pair[]}
 */
export function puavoPairs(images) {
  return images
    .slice(-3)
    .flatMap((target) => images.filter((base) => base !== target).map((base) => ({ base, target })));
}

/**
 * Makes signatures, deltas and checksums of a series into the empty folder `work`, as the old producer does. It mounts
 * each image too, which is left out here. Returns the cost, and the bytes of deltas and of cached signatures.
 * @param {readonly string[]} images oldest first
 * @param {string} work
 * @returns {Promise<ProducerResult>}
 */
export async function runOldProducer(images, work) {
  const pairs = puavoPairs(images);
  const bases = [...new Set(pairs.map((pair) => pair.base))];
  const script = join(work, 'producer.sh');
  writeFileSync(script, oldProducerScript(images, pairs, bases, work));
  const cost = await measureSampled('sh', [script]);
  return {
    cost,
    deltas: pairs.length,
    deltaBytes: sum(pairs.map((pair) => statSync(deltaPath(work, pair)).size)),
    signatureBytes: sum(bases.map((base) => statSync(signaturePath(work, base)).size)),
  };
}

/**
 * Three rounds, because xargs knows no prerequisites: what needs images alone, deltas, checksums of deltas.
 * @param {readonly string[]} images
 * @param {readonly Pair[]} pairs
 * @param {readonly string[]} bases
 * @param {string} work
 */
function oldProducerScript(images, pairs, bases, work) {
  const checksums = (/** @type {string} */ file) =>
    ['cksum', 'sha256sum', 'sha512sum'].map((tool) => `${tool} ${file} > ${join(work, basename(file))}.${tool}`);
  const rounds = [
    [
      ...bases.map((base) => `rdiff -b 128 signature ${base} ${signaturePath(work, base)}`),
      ...images.flatMap(checksums),
    ],
    pairs.map((pair) => `rdiff delta ${signaturePath(work, pair.base)} ${pair.target} ${deltaPath(work, pair)}`),
    pairs.flatMap((pair) => checksums(deltaPath(work, pair))),
  ];
  const inParallel = rounds.map((tasks) => `xargs -P4 -d '\\n' -n1 sh -c <<'TASKS'\n${tasks.join('\n')}\nTASKS\n`);
  return `set -e\n${inParallel.join('')}`;
}

/**
 * @param {string} work
 * @param {string} base
 */
function signaturePath(work, base) {
  return join(work, `${basename(base)}.rdiff_signature`);
}

/**
 * @param {string} work
 * @param {Pair} pair
 */
function deltaPath(work, { base, target }) {
  return join(work, `${basename(base, '.img')}--${basename(target, '.img')}.rdiff`);
}

/** @param {readonly number[]} values */
function sum(values) {
  return values.reduce((total, value) => total + value, 0);
}
