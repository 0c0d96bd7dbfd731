import { rm } from 'node:fs/promises';
import type { DeltaEffort } from '../delta/generate.js';
import { hasCode } from '../errors.js';
import { rdiffPath, zstFileName } from '../metadata/mirror-paths.js';
import type { DigestedPath } from '../workers/jobs.js';
import type { RunJob, Task, TaskOutcome } from '../workers/task.js';
import type { DeltaWork } from './make-deltas.js';
import type { CompressedOutcome, PublishedOutcome } from './records.js';
import { type MirrorSite, placeInMirror, sitePath } from './site.js';
import { identifyExisting } from './survey.js';

/** A delta that is in place and proven, and is to have a compressed form beside it. */
export interface CompressedWork {
  readonly delta: DeltaWork;
  readonly outcome: PublishedOutcome;
}

/** A compressed delta has at most this share of the delta's size, or is not published. */
const MAX_SHARE = 0.95;

/** What unpacking takes as measured (docs/decisions/delta-zst.md): frames, packed and not, until they are collected. */
export const UNPACK_MEMORY_BYTES = 144 << 20;

/** What is compressed is unpacked afterwards; the strongest level takes more than that. */
const COMPRESS_MEMORY_BYTES: Readonly<Record<DeltaEffort, number>> = {
  fast: UNPACK_MEMORY_BYTES,
  normal: UNPACK_MEMORY_BYTES,
  max: 208 << 20,
};

/** Compresses a delta, proves the result and puts it in place. No index names a file of its name. */
export function compressTask(
  site: MirrorSite,
  work: CompressedWork,
  onOutcome: (outcome: CompressedOutcome) => void,
): Task {
  return {
    kind: 'compress-delta',
    path: zstPath(work),
    // Read to compress it, and written once more by the proof.
    totalBytes: 2 * work.outcome.published.sizeBytes,
    memoryBytes: COMPRESS_MEMORY_BYTES[work.delta.effort],
    async perform(run) {
      const outcome = await compress(site, work, run);
      await remember(site, work, outcome);
      onOutcome(outcome);
      return describe(outcome, work);
    },
  };
}

/**
 * Proves a compressed delta that is in place, where nothing tells what it unpacks to.
 *
 * @param onRefuted is called when it is not this delta's, or not worth having.
 */
export function checkCompressedTask(
  site: MirrorSite,
  work: CompressedWork,
  onOutcome: (outcome: CompressedOutcome) => void,
  onRefuted: () => void,
): Task {
  return {
    kind: 'check-delta',
    path: zstPath(work),
    totalBytes: work.outcome.published.sizeBytes,
    memoryBytes: UNPACK_MEMORY_BYTES,
    async perform(run) {
      const checked = await check(site, work, run);
      if (checked === null || checked.identity.sizeBytes > maxZstBytes(work)) {
        onRefuted();
        const sizeBytes = work.delta.status.compressedInMirror?.sizeBytes ?? null;
        return { sizeBytes, detail: `not ${work.delta.status.fileName} compressed: to be made again` };
      }
      const outcome: PublishedOutcome = { kind: 'published', published: checked.identity, digests: checked.digests };
      await remember(site, work, outcome);
      onOutcome(outcome);
      return describe(outcome, work);
    },
  };
}

/** Where the compressed form of a delta lies in the mirror. */
export function zstPath({ delta }: CompressedWork): string {
  return rdiffPath(zstFileName(delta.status.fileName));
}

async function compress(site: MirrorSite, work: CompressedWork, run: RunJob): Promise<CompressedOutcome> {
  const { delta, outcome } = work;
  const staged = site.state.temporaryPath(zstFileName(delta.status.fileName));
  try {
    const { digests } = await run({
      kind: 'compress-delta',
      path: staged,
      deltaPath: sitePath(site, rdiffPath(delta.status.fileName)),
      deltaBytes: outcome.published.sizeBytes,
      deltaSha256: outcome.digests.sha256,
      effort: delta.effort,
      maxZstBytes: maxZstBytes(work),
    });
    const path = zstPath(work);
    await placeInMirror(site, staged, path);
    return { kind: 'published', published: await identifyExisting(sitePath(site, path)), digests };
  } catch (error) {
    if (hasCode(error, 'DELTA_TOO_LARGE')) return { kind: 'not-worth-it' };
    await rm(staged, { force: true });
    throw error;
  }
}

async function check(site: MirrorSite, work: CompressedWork, run: RunJob): Promise<DigestedPath | null> {
  const { published, digests } = work.outcome;
  try {
    return await run({
      kind: 'check-compressed',
      path: sitePath(site, zstPath(work)),
      deltaBytes: published.sizeBytes,
      deltaSha256: digests.sha256,
    });
  } catch (error) {
    if (hasCode(error, 'VERIFICATION') || hasCode(error, 'FORMAT')) return null;
    throw error;
  }
}

/** The delta's record is written again, with what is known of its compressed form. */
async function remember(
  site: MirrorSite,
  { delta: { base, target, status }, outcome }: CompressedWork,
  compressed: CompressedOutcome,
): Promise<void> {
  await site.state.writeDelta(status.fileName, {
    baseSha256: base.sha256,
    targetSha256: target.sha256,
    outcome,
    compressed: { deltaSha256: outcome.digests.sha256, outcome: compressed },
  });
}

function maxZstBytes({ outcome }: CompressedWork): number {
  return Math.floor(outcome.published.sizeBytes * MAX_SHARE);
}

function describe(compressed: CompressedOutcome, { outcome }: CompressedWork): TaskOutcome {
  if (compressed.kind === 'not-worth-it') {
    const percent = Math.round(100 * (1 - MAX_SHARE));
    return { sizeBytes: null, detail: `not published: saves less than ${percent} % of the delta` };
  }
  const { sizeBytes } = compressed.published;
  const saved = (100 * (1 - sizeBytes / outcome.published.sizeBytes)).toFixed(1);
  return { sizeBytes, detail: `saves ${saved} % of the delta` };
}
