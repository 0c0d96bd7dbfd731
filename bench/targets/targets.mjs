// Everything that was measured, against what the project promises.
import { againstRdiff } from '../client/bench.mjs';
import { ratesAgainstNormal } from '../shapes/bench.mjs';
import { deltaTargets } from './of-deltas.mjs';
import { atLeast, atMost } from './target.mjs';

/** @typedef {Awaited<ReturnType<typeof import('../delta/bench.mjs').benchDelta>>} DeltaFigures */
/** @typedef {Awaited<ReturnType<typeof import('../shapes/bench.mjs').benchShapes>>} ShapesFigures */
/** @typedef {Awaited<ReturnType<typeof import('../signature.mjs').benchSignature>>} SignaturesFigures */
/** @typedef {ReturnType<typeof import('../digests/bench.mjs').benchDigests>} DigestsFigures */
/** @typedef {Awaited<ReturnType<typeof import('../memory/bench.mjs').benchMemory>>} MemoryFigures */
/** @typedef {Awaited<ReturnType<typeof import('../trust/bench.mjs').benchTrust>>} TrustFigures */
/** @typedef {Awaited<ReturnType<typeof import('../client/bench.mjs').benchClient>>} ClientFigures */

/** Two readings of a resident memory that are the same differ by less. */
const sameMemory = 1.05;

/** As clients take no metadata file of 5 MB or more. */
const maxMetadataBytes = 4_999_999;

/**
 * The targets that these figures speak of, in the order of their points.
 * @param {{
 *   delta?: DeltaFigures, shapes?: ShapesFigures, signature?: SignaturesFigures, digests?: DigestsFigures,
 *   memory?: MemoryFigures, build?: object, publish?: object, client?: ClientFigures, trust?: TrustFigures,
 * }} figures
 * @returns {import('./target.mjs').Target[]}
 */
export function targetsOf({ delta, shapes, signature, digests, memory, trust, client }) {
  const targets = [
    ...(delta === undefined ? [] : deltaTargets(delta.pairs)),
    ...(memory === undefined ? [] : memoryTargets(memory)),
    ...(signature?.signatures ?? []).flatMap(signatureTargets),
    ...(digests === undefined
      ? []
      : [atMost('4', 'digests: CPU, ours / node:crypto', 1.2, digests.threeCpuSeconds / digests.twoCpuSeconds)]),
    ...ratesAgainstNormal(shapes?.shapes ?? []).map(({ name, share }) =>
      atLeast('7', `${name}: rate / random bytes`, 0.1, share),
    ),
    ...(trust?.shapes ?? []).flatMap(trustTargets),
    ...(client === undefined ? [] : againstRdiff(client).flatMap(clientTargets)),
  ];
  return targets.sort((a, b) => a.point.localeCompare(b.point));
}

/** @param {ReturnType<typeof againstRdiff>[number]} figures */
function clientTargets({ name, ours, theirs }) {
  if (ours === undefined || theirs === undefined) return [];
  return [
    atLeast('9', `client, ${name}: wall, rdiff and the same / ours`, 1, theirs.wallSeconds / ours.wallSeconds),
    atMost('9', `client, ${name}: MB`, 200, ours.peakRssBytes / 1e6),
  ];
}

/** @param {TrustFigures['shapes'][number]} figures */
function trustTargets({ series, largest, restingBytes }) {
  return [
    atMost('8', `${series} series: bytes of the largest metadata file`, maxMetadataBytes, largest.bytes),
    atMost('8', `${series} series: bytes written where nothing is new`, 0, restingBytes),
  ];
}

/** @param {MemoryFigures} figures */
function memoryTargets({ peaks, budget, residentBytes }) {
  return [
    ...peaks.flatMap(peakTargets),
    atMost(
      '3',
      '--memory, just enough: MB above idle',
      Math.round(budget.budgetBytes / 1e6),
      (budget.peakRssBytes - budget.idleRssBytes) / 1e6,
    ),
    atMost(
      '3',
      'resident memory, the tenth pair / the first',
      sameMemory,
      Number(residentBytes.at(-1)) / Number(residentBytes[0]),
    ),
  ];
}

/** @param {import('../memory/peak.mjs').PeakFigures} peak */
function peakTargets({ mebibytes, one, all, rdiff }) {
  if (rdiff === undefined) return [];
  const isLarge = mebibytes > 4000;
  const most = isLarge ? rdiff.peakRssBytes / 5 : Math.max(rdiff.peakRssBytes / 3, 130e6);
  return [one, all].map((cost, index) =>
    atMost(
      '3',
      `random, ${mebibytes} MiB: MB, ours, ${index === 0 ? '1 thread' : 'all threads'}`,
      Math.round(most / 1e6),
      cost.peakRssBytes / 1e6,
    ),
  );
}

/** @param {import('../signature.mjs').SignatureFigures} figures */
function signatureTargets({ blockBytes, hash, rdiff, ours }) {
  const what = `signature -b ${blockBytes} -H ${hash}, rdiff / ours`;
  return [
    atLeast('4', `${what}, CPU`, 1, rdiff.cpuSeconds / ours.cpuSeconds),
    atLeast('4', `${what}, wall`, 1, rdiff.wallSeconds / ours.wallSeconds),
  ];
}
