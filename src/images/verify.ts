import { readdir } from 'node:fs/promises';
import { fromSystemError, isSystemError, UpdateRepositoryError } from '../errors.js';
import type { EventSink, PlannedAction, ProblemEvent, VerifySummaryEvent } from '../events.js';
import { DELTA_SHA256SUMS_FILE, META_DIR, RDIFFS_DIR, rdiffPath } from '../metadata/mirror-paths.js';
import { isSignature } from '../trust/openpgp/sign-lists.js';
import { METADATA_DIR } from '../trust/tuf/documents.js';
import { readFrom } from '../trust/tuf/metadata-directory.js';
import { Crew, type Resources } from '../workers/crew.js';
import type { Task } from '../workers/task.js';
import { channelFileProblems, wantedChannels } from './channel-files.js';
import { brokenClaims, type Expectation, type Expectations, readExpectations } from './expectations.js';
import { signatureProblems } from './list-claims.js';
import { metadataProblems } from './metadata-claims.js';
import { readPublishedIndexes } from './settled-indexes.js';
import { CUT_SHORT, isHalfSigned } from './sign-mirror.js';
import { rememberedLifetimes } from './signing-settings.js';
import { sitePath } from './site.js';
import { MirrorState } from './state.js';
import { identify } from './survey.js';
import { deepActions, deepTasks, listedDiffs } from './verify-deep.js';
import { type Report, reportingTask, VERIFY_MEMORY_BYTES } from './verify-task.js';

export interface VerifyOptions {
  readonly mirrorDir: string;
  /** Also apply every delta and compare what it makes, and unpack every compressed one and compare it with its delta. */
  readonly deep: boolean;
  /** The text of a root that the metadata has to go back to; undefined takes the one that the mirror remembers, if any. */
  readonly trustedRoot?: string | undefined;
  readonly resources: Resources;
  readonly signal: AbortSignal;
  readonly onEvent: EventSink;
}

/** By itself it keeps no client from the mirror; where it does, that is another problem. */
const CUT_SHORT_PROBLEM: ProblemEvent = {
  type: 'problem',
  level: 'warning',
  kind: 'inconsistent',
  path: METADATA_DIR,
  message: `${CUT_SHORT.found}: ${CUT_SHORT.hint}`,
};

/**
 * Reads every file that an index of the mirror names and compares it with all that is claimed of it, the indexes with
 * each other, and what is there with what is named. Works on mirrors of Puavo's own producer too, and while a build
 * runs. Every finding is a `problem` event; the summary counts them.
 *
 * @throws UpdateRepositoryError CONFIG when the directory is no mirror.
 */
export async function verifyMirror(options: VerifyOptions): Promise<VerifySummaryEvent> {
  const startedAt = performance.now();
  const counts = { error: 0, warning: 0 };
  const report = (problem: ProblemEvent): void => {
    counts[problem.level]++;
    options.onEvent(problem);
  };
  const expectations = await readMirror(options);
  for (const problem of expectations.problems) report(problem);
  for (const problem of await signingProblems(options)) report(problem);
  for (const problem of await unlistedFiles(options.mirrorDir, expectations)) report(problem);
  const bytes = await verifyFiles(options, expectations, report);
  const summary: VerifySummaryEvent = {
    type: 'verify-summary',
    mirror: options.mirrorDir,
    files: expectations.files.length,
    bytes,
    deltasApplied: options.deep ? listedDiffs(expectations.metas).length : 0,
    errors: counts.error,
    warnings: counts.warning,
    durationMs: Math.round(performance.now() - startedAt),
  };
  options.onEvent(summary);
  return summary;
}

async function readMirror({ mirrorDir, onEvent }: VerifyOptions): Promise<Expectations> {
  const state = new MirrorState(mirrorDir);
  const { texts, interrupted } = await readPublishedIndexes(mirrorDir, state);
  if (texts.size > 0) return readExpectations(texts, interrupted);
  if ((await identify(state.directory)) === null) {
    throw new UpdateRepositoryError('CONFIG', `${mirrorDir}: expected a mirror (CKSUMS, ${META_DIR}/), found none`, {
      data: { path: mirrorDir },
    });
  }
  onEvent({ type: 'note', level: 'warning', message: `${mirrorDir}: nothing is published yet` });
  return { files: [], metas: [], problems: [] };
}

async function signingProblems({ mirrorDir, trustedRoot: given }: VerifyOptions): Promise<ProblemEvent[]> {
  const state = new MirrorState(mirrorDir);
  const trustedRoot = given ?? (await state.readRoot());
  const source = { read: readFrom(mirrorDir), trustedRoot, lifetimes: await rememberedLifetimes(state) };
  const settled = await readPublishedIndexes(mirrorDir, state);
  const metadata = await metadataProblems(source, settled.texts);
  const told = new Set(metadata.map(({ path }) => path));
  const channels = channelFileProblems(await wantedChannels({ state }), settled.texts);
  return [
    ...metadata,
    ...((await isHalfSigned({ mirrorDir, state })) ? [CUT_SHORT_PROBLEM] : []),
    ...channels.filter(({ path }) => !told.has(path)),
    ...(await signatureProblems(settled)),
  ];
}

async function verifyFiles(options: VerifyOptions, expectations: Expectations, report: Report): Promise<number> {
  const sizes = await Promise.all(expectations.files.map(({ path }) => identify(sitePath(options, path))));
  const diffs = options.deep ? listedDiffs(expectations.metas) : [];
  const actions = [...expectations.files.map(digestAction), ...deepActions(diffs)];
  options.onEvent({ type: 'plan', dryRun: false, actions });
  const tasks = expectations.files.map((file, index) =>
    digestTask(options, file, sizes[index]?.sizeBytes ?? 0, report),
  );
  await using crew = new Crew(options);
  await crew.run(tasks, true);
  await crew.run(deepTasks(options, diffs, report), true);
  return sizes.reduce((total, identity) => total + (identity?.sizeBytes ?? 0), 0);
}

function digestAction({ path }: Expectation): PlannedAction {
  return { action: 'digest', path, detail: 'listed', sizeBytes: null };
}

function digestTask(options: VerifyOptions, file: Expectation, sizeBytes: number, report: Report): Task {
  const { path } = file;
  const shown = { kind: 'digest', path, totalBytes: sizeBytes, memoryBytes: VERIFY_MEMORY_BYTES } as const;
  return reportingTask(shown, report, async (run) => {
    const { identity, digests } = await run({ kind: 'digest', path: sitePath(options, path) });
    const problems = brokenClaims(file, identity.sizeBytes, digests);
    problems.forEach(report);
    return problems.length === 0 ? 'good' : 'wrong';
  });
}

async function unlistedFiles(mirrorDir: string, { files }: Expectations): Promise<ProblemEvent[]> {
  const listed = new Set(files.map(({ path }) => path));
  const images = (await namesIn(mirrorDir, '')).filter((name) => name.endsWith('.img'));
  const deltas = (await namesIn(mirrorDir, RDIFFS_DIR)).map(rdiffPath).filter((path) => !isSignature(path));
  return [...images, ...deltas]
    .filter((path) => !listed.has(path) && path !== DELTA_SHA256SUMS_FILE)
    .map((path) => ({ type: 'problem', level: 'warning', kind: 'unlisted', path, message: 'no index names it' }));
}

async function namesIn(mirrorDir: string, directory: string): Promise<string[]> {
  try {
    return (await readdir(sitePath({ mirrorDir }, directory))).sort();
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return [];
    throw fromSystemError(error, 'list it', sitePath({ mirrorDir }, directory));
  }
}
