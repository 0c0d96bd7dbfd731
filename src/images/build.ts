import { realpath } from 'node:fs/promises';
import { isDeepStrictEqual } from 'node:util';
import type { DeltaEffort, EngineChoice } from '../delta/generate.js';
import { fromSystemError, isSystemError, UpdateRepositoryError } from '../errors.js';
import type { BuildSummaryEvent, EventSink, PlannedAction } from '../events.js';
import type { LinkMode } from '../io/link.js';
import { chooseBestBefore } from '../trust/openpgp/sysupdate-manifest.js';
import { Crew, type Resources } from '../workers/crew.js';
import { type BuildRequest, resolveRequest, type Selection } from './build-request.js';
import {
  reportSigned,
  requireKeys,
  type SigningOptions,
  signBuilt,
  signingActions,
  unlockEarly,
} from './build-signing.js';
import { changedChannels, wantedChannels, writeChannelFiles } from './channel-files.js';
import { requireChannelVersions } from './channel-versions.js';
import { compressDeltas, NOTHING_COMPRESSED } from './compress-phase.js';
import { composeMetas, contentsOf } from './contents.js';
import { makeDeltas } from './delta-phase.js';
import { type DeltaPolicy, formatDeltaPolicy } from './delta-policy.js';
import { listedBestBefore, publishedBaseUrl } from './disk-indexes.js';
import { bringImages } from './image-phase.js';
import { warnOfKeyEnd } from './key-end.js';
import { removeSignatures } from './list-signatures.js';
import { reportImages, reportPolicyChange, reportRequest } from './notes.js';
import { type BuildPlan, type Known, knownOf, type PlanSettings, planBuild } from './plan.js';
import { planPrune, pruneSite } from './prune.js';
import type { MirrorSettings } from './records.js';
import { isHalfSigned } from './sign-mirror.js';
import { signingSettings } from './signing-settings.js';
import type { MirrorSite } from './site.js';
import { MirrorState } from './state.js';
import { summarizeSeries } from './summary.js';
import { type Survey, surveyDeltas, surveyMirror } from './survey.js';
import { withLock } from './with-lock.js';
import { writeIndexes } from './write-indexes.js';

export interface BuildOptions extends SigningOptions {
  readonly imagesDir: string;
  readonly selection: Selection;
  /** Undefined takes what the mirror remembers, or `neighbours` when it remembers none. */
  readonly deltas: DeltaPolicy | undefined;
  /** A delta larger than this part of its target is not published. */
  readonly maxDeltaRatio: number;
  /** Where the mirror is served, without a trailing slash; undefined takes what the mirror or its meta remembers. */
  readonly baseUrl: string | undefined;
  readonly link: LinkMode;
  /** How hard to search for matches in new deltas; undefined takes what suits the images. */
  readonly deltaEffort?: DeltaEffort | undefined;
  /** Whether deltas get a compressed form beside them where that pays; undefined takes what the mirror remembers, or no. */
  readonly compressDeltas?: boolean | undefined;
  /**
   * For how long the list of the images is to say that it is good, in milliseconds; 0 for no word of it, undefined for what
   * the mirror remembers.
   */
  readonly bestBeforeMs?: number | undefined;
  /** What makes deltas; the bytes are the same. */
  readonly engine?: EngineChoice | undefined;
  readonly resources: Resources;
  /** Also remove what no index has named for so long. */
  readonly prune: { readonly graceMs: number } | undefined;
  /** Do the rest of the work when a part of it fails; the summary counts the failures. */
  readonly keepGoing: boolean;
  /** Publish other bytes under a published name. */
  readonly replace: boolean;
  readonly breakLock: boolean;
  readonly dryRun: boolean;
  readonly signal: AbortSignal;
  readonly onEvent: EventSink;
}

/**
 * Builds or refreshes a mirror. What is up to date is left alone, down to its ctime; everything new is complete and
 * proven before an index names it, so that readers see a valid mirror at every instant, and a build that is killed is
 * completed by the next one. With `dryRun` it only reads, and emits the plan.
 *
 * Memory: what `resources` allows to the workers, and here a few hundred bytes a file and delta.
 *
 * @returns the summary, which is also emitted. With `keepGoing` its `failures` count what failed, each of which was
 *   reported by a `job-failed` event or a warning.
 * @throws UpdateRepositoryError of nearly any code; the mirror is then as valid as before.
 */
export async function buildMirror(options: BuildOptions): Promise<BuildSummaryEvent> {
  const startedAt = performance.now();
  await refuseOneDirectory(options);
  const policy = await chooseDeltas(options);
  const request = await resolveRequest(options.imagesDir, options.selection, policy);
  const missing = countMissing(request, options.keepGoing);
  const sight = await lookAt(request, policy, options);
  await requireKeys(sight.plan.actions.length > 0, options);
  reportRequest(request, sight.settings.baseUrl, options);
  reportPolicyChange(sight.survey.settings.deltas, policy, sight.actions, options.onEvent);
  options.onEvent({ type: 'plan', dryRun: options.dryRun, actions: sight.actions });
  const result = options.dryRun || !sight.hasWork ? atRest(sight) : await buildLocked(request, policy, options);
  if (!options.dryRun && !sight.hasWork) await reportSigned(options);
  await warnOfKeyEnd(options, options.signLists, options.onEvent);
  reportImages(request, result.images, result.examined, options.onEvent);
  const summary: BuildSummaryEvent = {
    type: 'build-summary',
    mirror: options.mirrorDir,
    dryRun: options.dryRun,
    changed: options.dryRun ? sight.hasWork : result.changed,
    series: summarizeSeries(request, contentsOf(result)),
    examined: result.examined.size,
    deltasMade: result.deltasMade,
    failures: result.failures + missing,
    durationMs: Math.round(performance.now() - startedAt),
  };
  options.onEvent(summary);
  return summary;
}

/** What a look at the mirror tells: nothing has been changed or read but names, indexes and records. */
interface Sight {
  readonly survey: Survey;
  readonly plan: BuildPlan;
  readonly settings: MirrorSettings;
  readonly words: IndexWords;
  /** Of the plan, what is signed, and what `--prune` removes. */
  readonly actions: readonly PlannedAction[];
  readonly hasWork: boolean;
}

/** What the indexes say beside what is known of files. */
type IndexWords = Pick<PlanSettings, 'baseUrl' | 'bestBefore'>;

/** What is known of each image and delta, and what was done. */
interface BuildResult extends Known {
  readonly changed: boolean;
  readonly examined: ReadonlySet<string>;
  readonly deltasMade: number;
  readonly failures: number;
}

async function lookAt(request: BuildRequest, policy: DeltaPolicy, options: BuildOptions): Promise<Sight> {
  const { mirrorDir, prune } = options;
  const state = new MirrorState(mirrorDir);
  const survey = await surveyMirror(mirrorDir, state, request);
  const baseUrl = options.baseUrl ?? survey.settings.baseUrl ?? publishedBaseUrl(survey.indexes.metas);
  const compressDeltas = options.compressDeltas ?? survey.settings.compressDeltas;
  const bestBeforeMs = options.bestBeforeMs === undefined ? survey.settings.bestBeforeMs : options.bestBeforeMs || null;
  const remembered = signingSettings(options, survey.settings);
  const settings: MirrorSettings = { baseUrl, deltas: policy, compressDeltas, bestBeforeMs, ...remembered };
  const listed = listedBestBefore(survey.indexes.texts);
  const bestBefore = bestBeforeMs === null ? null : chooseBestBefore(listed, bestBeforeMs, new Date());
  const words: IndexWords = { baseUrl, bestBefore };
  const plan = planBuild(request, survey, { ...words, compressDeltas, maxDeltaRatio: options.maxDeltaRatio });
  const wanted = { metas: composeMetas(request, contentsOf(knownOf(plan)), baseUrl), bestBefore };
  requireChannelVersions(
    await state.readChannels(),
    request.series.map(({ name, images }) => ({ series: name, images })),
  );
  const channels = [...(await changedChannels({ mirrorDir }, await wantedChannels({ state }))).keys()];
  const signing = await signingActions({ mirrorDir, state }, wanted, plan.actions.length > 0, settings, options);
  // Metadata that is half-written is completed first; then it tells what it needs.
  const looksAhead = prune !== undefined && !(await isHalfSigned({ mirrorDir, state }));
  const pruning = looksAhead ? await planPrune({ mirrorDir, state }, prune.graceMs) : null;
  return {
    survey,
    plan,
    settings,
    words,
    actions: [...plan.actions, ...channels.map(channelAction), ...signing, ...(pruning?.actions ?? [])],
    hasWork:
      plan.actions.length + channels.length + signing.length > 0 ||
      !isDeepStrictEqual(settings, survey.settings) ||
      pruning?.hasWork === true,
  };
}

function channelAction(path: string): PlannedAction {
  return { action: 'write-index', path, detail: 'missing, or not what was set', sizeBytes: null };
}

function atRest({ plan }: Sight): BuildResult {
  return { ...knownOf(plan), changed: false, examined: new Set(), deltasMade: 0, failures: 0 };
}

/** The policy that the options ask for, or else the mirror remembers. */
async function chooseDeltas({ deltas, mirrorDir, onEvent }: BuildOptions): Promise<DeltaPolicy> {
  if (deltas !== undefined) return deltas;
  const remembered = (await new MirrorState(mirrorDir).readSettings()).deltas;
  const policy = remembered ?? { kind: 'neighbours' };
  const why = remembered === null ? 'the default' : 'as before';
  onEvent({ type: 'note', level: 'info', message: `delta policy ${formatDeltaPolicy(policy)}: ${why}` });
  return policy;
}

async function buildLocked(request: BuildRequest, policy: DeltaPolicy, options: BuildOptions): Promise<BuildResult> {
  const { mirrorDir, onEvent } = options;
  const signer = await unlockEarly(options);
  return await withLock(mirrorDir, options, async (lock, state) => {
    await using crew = new Crew(options);
    // Whoever held the lock until now may have done a part of the work, or all of it.
    const sight = await lookAt(request, policy, options);
    await requireKeys(sight.plan.actions.length > 0, options);
    return await build({ mirrorDir, state, lock, onEvent, signer }, crew, request, sight, options);
  });
}

async function build(
  site: MirrorSite,
  crew: Crew,
  request: BuildRequest,
  { survey, plan, settings, words }: Sight,
  options: BuildOptions,
): Promise<BuildResult> {
  const unsigned = options.signLists === 'none' ? await removeSignatures(site) : 0;
  const images = await bringImages(site, crew, request, plan, options);
  const left = await surveyDeltas(site.mirrorDir, site.state, request);
  const deltas = await makeDeltas(site, crew, survey.images, images.records, left, options);
  const zst = settings.compressDeltas ? await compressDeltas(site, crew, deltas, options) : NOTHING_COMPRESSED;
  if (!isDeepStrictEqual(settings, survey.settings)) await site.state.writeSettings(settings);
  const result: Known = { images: images.records, deltas: deltas.outcomes, compressed: zst.compressed };
  const metas = composeMetas(request, contentsOf(result), words.baseUrl);
  const wrote = await writeIndexes(site, metas, words.bestBefore);
  const channels = await writeChannelFiles(site);
  const signed = await signBuilt(site, { metas, bestBefore: words.bestBefore }, options);
  const pruned =
    options.prune === undefined ? 0 : (await pruneSite(site, options.prune.graceMs, options.signal)).removed;
  return {
    ...result,
    changed: wrote || deltas.made + zst.made + channels.length + signed + unsigned + pruned > 0,
    examined: images.examined,
    deltasMade: deltas.made,
    failures: images.failures.length + deltas.failures.length + zst.failures.length,
  };
}

/** A listed image that is not there stops everything before anything is done, or counts as a failure. */
function countMissing(request: BuildRequest, keepGoing: boolean): number {
  const missing = [...request.images.values()].filter(({ file }) => file === null).map(({ name }) => name.fileName);
  if (missing.length > 0 && !keepGoing) {
    throw new UpdateRepositoryError('NOT_FOUND', `${missing.join(', ')}: listed, and not in the image directory`, {
      data: { missing },
      hint: 'add the image (with -c an executable one), take it off the list, or go on without it with --keep-going',
    });
  }
  return missing.length;
}

async function refuseOneDirectory({ imagesDir, mirrorDir }: BuildOptions): Promise<void> {
  const [images, mirror] = await Promise.all([realPathOrNull(imagesDir), realPathOrNull(mirrorDir)]);
  if (images === null || images !== mirror) return;
  throw new UpdateRepositoryError(
    'CONFIG',
    `${mirrorDir}: expected two directories, found the images and the mirror in one`,
  );
}

async function realPathOrNull(path: string): Promise<string | null> {
  try {
    return await realpath(path);
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return null;
    throw fromSystemError(error, 'look at it', path);
  }
}
