import { realpath } from 'node:fs/promises';
import { isDeepStrictEqual } from 'node:util';
import type { DeltaEffort, EngineChoice } from '../delta/generate.js';
import { fromSystemError, isSystemError, UpdateRepositoryError } from '../errors.js';
import type { BuildSummaryEvent, EventSink, PlannedAction } from '../events.js';
import type { LinkMode } from '../io/link.js';
import { KEY_FILE } from '../trust/openpgp/sign-lists.js';
import { chooseBestBefore } from '../trust/openpgp/sysupdate-manifest.js';
import { type RepositoryContents, repositoryContents } from '../trust/tuf/contents.js';
import { METADATA_DIR } from '../trust/tuf/documents.js';
import { NO_DRAFTS } from '../trust/tuf/drafts.js';
import type { KeyRing } from '../trust/tuf/key-ring.js';
import { type ChosenLifetimes, lifetimesOf } from '../trust/tuf/lifetimes.js';
import { Crew, type Resources } from '../workers/crew.js';
import { type BuildRequest, resolveRequest, type Selection } from './build-request.js';
import { compressDeltas, NOTHING_COMPRESSED } from './compress-phase.js';
import { composeMetas, contentsOf, renderIndexes } from './contents.js';
import { makeDeltas } from './delta-phase.js';
import { type DeltaPolicy, formatDeltaPolicy } from './delta-policy.js';
import { listedBestBefore, publishedBaseUrl } from './disk-indexes.js';
import { bringImages } from './image-phase.js';
import { type ListSigning, planSignatures, removeSignatures, requireListKey } from './list-signatures.js';
import { reportImages, reportPolicyChange, reportRequest } from './notes.js';
import { type BuildPlan, type Known, knownOf, type PlanSettings, planBuild } from './plan.js';
import { planPrune, pruneSite } from './prune.js';
import type { MirrorSettings } from './records.js';
import { isHalfSigned, isSignedMirror, lookAtExpiries, needsSigning, signMirror } from './sign-mirror.js';
import { signingSettings } from './signing-settings.js';
import type { MirrorSite, MirrorView } from './site.js';
import { MirrorState } from './state.js';
import { summarizeSeries } from './summary.js';
import { type Survey, surveyDeltas, surveyMirror } from './survey.js';
import { withLock } from './with-lock.js';
import { writeIndexes } from './write-indexes.js';

export interface BuildOptions {
  readonly imagesDir: string;
  /** Made when it is not there. */
  readonly mirrorDir: string;
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
  /**
   * By what the mirror's metadata is signed, which the mirror remembers the directory of; undefined where it is not, null
   * where it is to forget that, too: a signed mirror then cannot change.
   */
  readonly sign?: KeyRing | null | undefined;
  /** How long the metadata of roles is to be good; what is not in it is as the mirror remembers. */
  readonly lifetimes?: ChosenLifetimes | undefined;
  /** By what its lists are signed for OpenPGP; undefined where they are not: signed lists then cannot change. */
  readonly signLists?: ListSigning | undefined;
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
  await requireKeys(sight, options);
  reportRequest(request, sight.settings.baseUrl, options);
  reportPolicyChange(sight.survey.settings.deltas, policy, sight.actions, options.onEvent);
  options.onEvent({ type: 'plan', dryRun: options.dryRun, actions: sight.actions });
  const result = options.dryRun || !sight.hasWork ? atRest(sight) : await buildLocked(request, policy, options);
  if (!options.dryRun && !sight.hasWork) await reportSigned(options);
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
  const signing = signingSettings(options, survey.settings);
  const settings: MirrorSettings = { baseUrl, deltas: policy, compressDeltas, bestBeforeMs, ...signing };
  const listed = listedBestBefore(survey.indexes.texts);
  const bestBefore = bestBeforeMs === null ? null : chooseBestBefore(listed, bestBeforeMs, new Date());
  const words: IndexWords = { baseUrl, bestBefore };
  const plan = planBuild(request, survey, { ...words, compressDeltas, maxDeltaRatio: options.maxDeltaRatio });
  const signs = await willSign(request, { mirrorDir, state }, plan, { words, settings }, options);
  const signatures = await listActions(request, plan, words, options);
  // Metadata that is half-written is completed first; then it tells what it needs.
  const looksAhead = prune !== undefined && !(await isHalfSigned({ mirrorDir, state }));
  const pruning = looksAhead ? await planPrune({ mirrorDir, state }, prune.graceMs) : null;
  return {
    survey,
    plan,
    settings,
    words,
    actions: [...plan.actions, ...signatures, ...(signs ? [SIGN_ACTION] : []), ...(pruning?.actions ?? [])],
    hasWork:
      plan.actions.length + signatures.length > 0 ||
      signs ||
      !isDeepStrictEqual(settings, survey.settings) ||
      pruning?.hasWork === true,
  };
}

const SIGN_ACTION: PlannedAction = {
  action: 'sign',
  path: METADATA_DIR,
  detail: 'what changed or expires soon',
  sizeBytes: null,
};

/** Whether metadata is to be written: where the indexes change it is, else where what it says differs or is due. */
async function willSign(
  request: BuildRequest,
  view: MirrorView,
  plan: BuildPlan,
  { words, settings }: Pick<Sight, 'words' | 'settings'>,
  { sign }: BuildOptions,
): Promise<boolean> {
  if (sign == null) return false;
  if (plan.actions.length > 0) return true;
  return await needsSigning(view, signedContents(request, knownOf(plan), words), sign, lifetimesOf(settings.lifetimes));
}

/** What is to be done about the signatures of the lists. */
async function listActions(
  request: BuildRequest,
  plan: BuildPlan,
  { baseUrl, bestBefore }: IndexWords,
  { mirrorDir, signLists }: BuildOptions,
): Promise<PlannedAction[]> {
  if (signLists === undefined) return [];
  const texts = renderIndexes(composeMetas(request, contentsOf(knownOf(plan)), baseUrl), bestBefore);
  return await planSignatures({ mirrorDir }, texts, signLists, plan.actions.length > 0);
}

/** What the mirror vouches for: what the build knows, never what somebody else may have written there. */
function signedContents(request: BuildRequest, known: Known, { baseUrl, bestBefore }: IndexWords): RepositoryContents {
  const metas = composeMetas(request, contentsOf(known), baseUrl);
  return repositoryContents(metas, renderIndexes(metas, bestBefore));
}

/** A signed mirror whose files change without its metadata is one that clients take for damaged, or never see change. */
async function requireKeys({ plan }: Sight, { mirrorDir, sign, signLists, dryRun }: BuildOptions): Promise<void> {
  if (dryRun || plan.actions.length === 0) return;
  await requireListKey({ mirrorDir }, signLists);
  if (sign != null || !(await isSignedMirror({ mirrorDir }))) return;
  throw new UpdateRepositoryError('CONFIG', `${mirrorDir}: expected keys to sign what changes in it, found none`, {
    data: { path: mirrorDir },
    hint: 'the mirror is signed: name the directory of its keys with --sign',
  });
}

async function reportSigned({ mirrorDir, sign, signLists, onEvent }: BuildOptions): Promise<void> {
  if (typeof signLists === 'object') {
    onEvent({ type: 'note', level: 'info', subject: KEY_FILE, message: 'up to date, nothing signed' });
  }
  if (sign == null && !(await isSignedMirror({ mirrorDir }))) return;
  await lookAtExpiries({ mirrorDir, state: new MirrorState(mirrorDir) }, sign ?? null, onEvent);
  if (sign == null) return;
  onEvent({ type: 'note', level: 'info', subject: METADATA_DIR, message: 'up to date, nothing signed' });
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
  // Whatever is signed takes a key of timestamp: a wrong passphrase is told now, not after hours of work.
  await options.sign?.unlock(options.sign.ofRole('timestamp').flatMap(({ id, sealed }) => (sealed ? [id] : [])));
  const { signLists } = options;
  const signer = typeof signLists === 'object' ? await signLists.unlock() : undefined;
  return await withLock(mirrorDir, options, async (lock, state) => {
    await using crew = new Crew(options);
    // Whoever held the lock until now may have done a part of the work, or all of it.
    const sight = await lookAt(request, policy, options);
    await requireKeys(sight, options);
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
  const signed = options.sign == null ? 0 : await sign(site, signedContents(request, result, words), options.sign);
  const pruned =
    options.prune === undefined ? 0 : (await pruneSite(site, options.prune.graceMs, options.signal)).removed;
  return {
    ...result,
    changed: wrote || deltas.made + zst.made + signed + unsigned + pruned > 0,
    examined: images.examined,
    deltasMade: deltas.made,
    failures: images.failures.length + deltas.failures.length + zst.failures.length,
  };
}

async function sign(site: MirrorSite, contents: RepositoryContents, ring: KeyRing): Promise<number> {
  return (await signMirror(site, { contents, drafts: NO_DRAFTS }, ring)).written.length;
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
