import { rm } from 'node:fs/promises';
import type { DeltaEffort } from '../delta/generate.js';
import { hasCode } from '../errors.js';
import type { FileIdentity } from '../io/file-identity.js';
import { rdiffPath } from '../metadata/mirror-paths.js';
import type { ImageKind } from '../squashfs/kind.js';
import type { RunJob, Task, TaskOutcome } from '../workers/task.js';
import { type GroupedWork, WORKER_MEMORY_BYTES } from './delta-groups.js';
import { partsAsJobs } from './parts.js';
import type { DeltaOutcome, DeltaRecord } from './records.js';
import type { SharedBase } from './shared-base.js';
import { type MirrorSite, placeInMirror, sitePath } from './site.js';
import { type DeltaStatus, identifyExisting } from './survey.js';

/** A delta between two images that have been read, with all that making it needs. */
export interface DeltaWork {
  readonly status: DeltaStatus;
  readonly base: DeltaEnd;
  readonly target: DeltaEnd;
  readonly effort: DeltaEffort;
  /** The size from which on it is not published. */
  readonly limitBytes: number;
}

export interface DeltaEnd {
  readonly path: string;
  readonly identity: FileIdentity;
  readonly sha256: string;
  readonly kind: ImageKind;
}

/** Makes a delta, proves it and puts it in place. No index names a file of its name, or it was withdrawn. */
export function makeTask(
  site: MirrorSite,
  { work, base: sharedBase, isFirst }: GroupedWork,
  onRecord: (record: DeltaRecord) => void,
): Task {
  const { base, target, status } = work;
  return {
    kind: 'delta',
    path: rdiffPath(status.fileName),
    // Read for the index by the first of the group, read for the matches, and written once more by the proof.
    totalBytes: (isFirst ? base.identity.sizeBytes : 0) + 2 * target.identity.sizeBytes,
    memoryBytes: WORKER_MEMORY_BYTES,
    group: sharedBase,
    async perform(run) {
      const record = await remember(site, work, await make(site, work, sharedBase, run));
      onRecord(record);
      return describe(record, work);
    },
  };
}

/**
 * Proves a delta that is in place, where nothing tells what it leads from and to.
 *
 * @param onRefuted is called when it does not lead from these bytes to those.
 */
export function checkTask(
  site: MirrorSite,
  work: DeltaWork,
  onRecord: (record: DeltaRecord) => void,
  onRefuted: () => void,
): Task {
  const { target, status } = work;
  return {
    kind: 'check-delta',
    path: rdiffPath(status.fileName),
    totalBytes: target.identity.sizeBytes,
    memoryBytes: WORKER_MEMORY_BYTES,
    async perform(run) {
      const outcome = await check(site, work, run);
      if (outcome === null) {
        onRefuted();
        const detail = `does not lead from ${status.base.fileName} to ${status.target.fileName}: to be made again`;
        return { sizeBytes: status.inMirror?.sizeBytes ?? null, detail };
      }
      const record = await remember(site, work, outcome);
      onRecord(record);
      return describe(record, work);
    },
  };
}

async function check(site: MirrorSite, work: DeltaWork, run: RunJob): Promise<DeltaOutcome | null> {
  const { base, target, status } = work;
  try {
    const { identity, digests } = await run({
      kind: 'check-delta',
      path: sitePath(site, rdiffPath(status.fileName)),
      base: { path: base.path },
      target: { sizeBytes: target.identity.sizeBytes, sha256: target.sha256 },
    });
    return { kind: 'published', published: identity, digests };
  } catch (error) {
    if (hasCode(error, 'VERIFICATION') || hasCode(error, 'FORMAT')) return null;
    throw error;
  }
}

async function make(site: MirrorSite, work: DeltaWork, sharedBase: SharedBase, run: RunJob): Promise<DeltaOutcome> {
  const { base, target, status, limitBytes } = work;
  const staged = site.state.temporaryPath(status.fileName);
  try {
    await generate(work, sharedBase, staged, run);
    const { digests } = await run({
      kind: 'prove-delta',
      path: staged,
      base,
      target: { ...target, sizeBytes: target.identity.sizeBytes },
    });
    const path = rdiffPath(status.fileName);
    await placeInMirror(site, staged, path);
    return { kind: 'published', published: await identifyExisting(sitePath(site, path)), digests };
  } catch (error) {
    if (hasCode(error, 'DELTA_TOO_LARGE')) return { kind: 'too-large', limitBytes };
    await rm(staged, { force: true });
    throw error;
  }
}

async function generate(
  { base, target, limitBytes }: DeltaWork,
  sharedBase: SharedBase,
  deltaPath: string,
  run: RunJob,
): Promise<void> {
  try {
    await sharedBase.delta(partsAsJobs(run, base.path), {
      targetPath: target.path,
      deltaPath,
      maxDeltaBytes: limitBytes,
    });
  } catch (error) {
    // An input that changed explains a failure, or a delta that is too large, better than these do.
    await run({ kind: 'check-inputs', path: deltaPath, base, target });
    throw error;
  }
}

async function remember(
  site: MirrorSite,
  { base, target, status }: DeltaWork,
  outcome: DeltaOutcome,
): Promise<DeltaRecord> {
  // It says itself which delta's compressed form it is about.
  const compressed = status.record?.compressed ?? null;
  const record: DeltaRecord = { baseSha256: base.sha256, targetSha256: target.sha256, outcome, compressed };
  await site.state.writeDelta(status.fileName, record);
  return record;
}

function describe({ outcome }: DeltaRecord, { target, limitBytes }: DeltaWork): TaskOutcome {
  const percent = (bytes: number): string => `${((100 * bytes) / Math.max(1, target.identity.sizeBytes)).toFixed(1)} %`;
  if (outcome.kind === 'too-large') {
    return { sizeBytes: null, detail: `not published: more than ${percent(limitBytes)} of the image` };
  }
  const { sizeBytes } = outcome.published;
  return { sizeBytes, detail: `${percent(sizeBytes)} of the image` };
}
