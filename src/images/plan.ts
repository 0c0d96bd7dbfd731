import type { PlannedAction } from '../events.js';
import type { BuildRequest } from './build-request.js';
import {
  type CompressedDecision,
  type DeltaDecision,
  type DeltaEnds,
  decideCompressed,
  decideDelta,
  decideImage,
  deltaLimitBytes,
  type ImageDecision,
  knownRecord,
} from './decide.js';
import { planActions } from './plan-actions.js';
import type { DeltaOutcome, ImageRecord, PublishedOutcome } from './records.js';
import type { DeltaStatus, ImageStatus, Survey } from './survey.js';

/** What is to be done with each file. */
export interface Decisions {
  readonly images: readonly { readonly status: ImageStatus; readonly decision: ImageDecision }[];
  readonly deltas: readonly DeltaDecisions[];
}

/** What is to be done with a delta and its compressed form. */
export interface DeltaDecisions {
  readonly status: DeltaStatus;
  readonly decision: DeltaDecision;
  readonly compressed: CompressedDecision;
}

/** What a build does, decided before it does any of it. */
export interface BuildPlan extends Decisions {
  /** For people, and empty exactly when there is nothing to do. */
  readonly actions: readonly PlannedAction[];
}

export interface PlanSettings {
  readonly baseUrl: string | null;
  readonly maxDeltaRatio: number;
  readonly compressDeltas: boolean;
  /** Until when the list of the images is to say that it is good. */
  readonly bestBefore: Date | null;
}

/** Compares what is wanted with what is there. Pure. */
export function planBuild(request: BuildRequest, survey: Survey, settings: PlanSettings): BuildPlan {
  const decisions: Decisions = {
    images: [...survey.images.values()].map((status) => ({ status, decision: decideImage(status) })),
    deltas: [...survey.deltas.values()].map((status) => {
      const decision = decideDelta(status, knownEnds(status, survey, settings.maxDeltaRatio));
      return { status, decision, compressed: settings.compressDeltas ? foreseeCompressed(status, decision) : 'skip' };
    }),
  };
  return { ...decisions, actions: planActions(request, survey, decisions, knownOf(decisions), settings) };
}

/** What has been learnt of images and deltas, by file name. */
export interface Known {
  readonly images: ReadonlyMap<string, ImageRecord>;
  readonly deltas: ReadonlyMap<string, DeltaOutcome>;
  /** By the file name of the delta. */
  readonly compressed: ReadonlyMap<string, PublishedOutcome>;
}

/** What needs no work: all that there is before a build does anything. */
export function knownOf({ images, deltas }: Decisions): Known {
  const knownImages = new Map<string, ImageRecord>();
  for (const { status } of images) {
    const record = knownRecord(status);
    if (record !== null) knownImages.set(status.name.fileName, record);
  }
  const knownDeltas = new Map<string, DeltaOutcome>();
  const knownCompressed = new Map<string, PublishedOutcome>();
  for (const { status, decision, compressed } of deltas) {
    const outcome = decidedOutcome(status, decision);
    if (outcome !== null) knownDeltas.set(status.fileName, outcome);
    const zst = status.record?.compressed?.outcome;
    if (compressed === 'nothing' && zst?.kind === 'published') knownCompressed.set(status.fileName, zst);
  }
  return { images: knownImages, deltas: knownDeltas, compressed: knownCompressed };
}

/** The verdict on a delta that needs no work. */
export function decidedOutcome({ record }: DeltaStatus, decision: DeltaDecision): DeltaOutcome | null {
  if (record === null || decision === 'make' || decision === 'check') return null;
  if (decision === 'nothing' || record.outcome.kind === 'too-large') return record.outcome;
  return { kind: 'too-large', limitBytes: record.outcome.published.sizeBytes };
}

/** A delta that is made or checked will most likely have the bytes that it had. */
function foreseeCompressed(status: DeltaStatus, decision: DeltaDecision): CompressedDecision {
  if (decision === 'skip') return 'skip';
  const outcome = status.record?.outcome;
  return decideCompressed(status, outcome?.kind === 'published' ? outcome.digests.sha256 : null);
}

function knownEnds(delta: DeltaStatus, survey: Survey, maxDeltaRatio: number): DeltaEnds | null {
  const base = knownImage(delta.base.fileName, survey);
  const target = knownImage(delta.target.fileName, survey);
  if (base === null || target === null) return null;
  return {
    baseSha256: base.digests.sha256,
    targetSha256: target.digests.sha256,
    limitBytes: deltaLimitBytes(target.source.sizeBytes, maxDeltaRatio),
  };
}

function knownImage(fileName: string, survey: Survey): ImageStatus['record'] {
  const status = survey.images.get(fileName);
  return status === undefined ? null : knownRecord(status);
}
