import type { PlannedAction } from '../events.js';
import {
  DELTA_SHA256SUMS_FILE,
  INDEX_FILE,
  META_DIR,
  metaPath,
  rdiffPath,
  zstFileName,
} from '../metadata/mirror-paths.js';
import type { BuildRequest } from './build-request.js';
import { composeMetas, contentsOf, type IndexTexts, namedFiles, renderIndexes } from './contents.js';
import { staleIndexes } from './disk-indexes.js';
import type { Decisions, DeltaDecisions, Known, PlanSettings } from './plan.js';
import type { Series } from './series.js';
import type { DeltaStatus, Survey } from './survey.js';

/** What a build is going to do, for people; empty exactly when there is nothing to do. Pure. */
export function planActions(
  request: BuildRequest,
  survey: Survey,
  decisions: Decisions,
  known: Known,
  settings: PlanSettings,
): PlannedAction[] {
  return [
    ...decisions.images.flatMap(imageAction),
    ...decisions.deltas.flatMap((delta) => deltaAction(delta, survey)),
    ...decisions.deltas.flatMap(compressedAction),
    ...indexActions(request, survey, decisions, known, settings),
  ];
}

function imageAction({ status, decision }: Decisions['images'][number]): PlannedAction[] {
  const sizeBytes = status.file?.identity.sizeBytes ?? null;
  const path = status.name.fileName;
  switch (decision) {
    case 'nothing':
    case 'missing':
      return [];
    case 'link':
      return [{ action: 'link', path, detail: 'new in the mirror', sizeBytes }];
    case 'read':
    case 'compare':
      return [{ action: 'examine', path, detail: 'touched since it was read', sizeBytes }];
    case 'read-base':
      return [{ action: 'examine', path, detail: 'base from outside the series', sizeBytes }];
  }
}

function deltaAction({ status, decision }: DeltaDecisions, survey: Survey): PlannedAction[] {
  const path = rdiffPath(status.fileName);
  switch (decision) {
    case 'nothing':
    case 'skip':
      return [];
    case 'check':
      return [
        { action: 'check-delta', path, detail: 'there, not proven', sizeBytes: status.inMirror?.sizeBytes ?? null },
      ];
    case 'make':
      return [
        {
          action: 'delta',
          path,
          detail: `from ${status.base.fileName}`,
          sizeBytes: expectedDeltaBytes(status, survey),
        },
      ];
  }
}

function compressedAction({ status, compressed }: DeltaDecisions): PlannedAction[] {
  const path = rdiffPath(zstFileName(status.fileName));
  switch (compressed) {
    case 'nothing':
    case 'skip':
      return [];
    case 'check': {
      const sizeBytes = status.compressedInMirror?.sizeBytes ?? null;
      return [{ action: 'check-delta', path, detail: 'there, not proven', sizeBytes }];
    }
    case 'make':
      return [{ action: 'compress-delta', path, detail: 'where it saves enough', sizeBytes: null }];
  }
}

/** By the median of what the series' deltas measured in proportion to their targets; null where none was made yet. */
function expectedDeltaBytes(delta: DeltaStatus, survey: Survey): number | null {
  const targetBytes = survey.images.get(delta.target.fileName)?.file?.identity.sizeBytes;
  const ratios = [...survey.deltas.values()].flatMap(({ record, target }) => {
    const bytes = survey.images.get(target.fileName)?.file?.identity.sizeBytes;
    const isAlike = target.stem === delta.target.stem && target.arch === delta.target.arch;
    if (!isAlike || bytes === undefined || record?.outcome.kind !== 'published') return [];
    return [record.outcome.published.sizeBytes / bytes];
  });
  if (targetBytes === undefined || ratios.length === 0) return null;
  ratios.sort((a, b) => a - b);
  return Math.round((ratios[ratios.length >> 1] ?? 0) * targetBytes);
}

function indexActions(
  request: BuildRequest,
  survey: Survey,
  decisions: Decisions,
  known: Known,
  settings: PlanSettings,
): PlannedAction[] {
  const metas = composeMetas(request, contentsOf(known), settings.baseUrl);
  const texts = renderIndexes(metas, settings.bestBefore);
  const paths = indexPaths(texts, decisions);
  const pending = request.series.filter((series) => isPending(series, request, decisions));
  const written = changedIndexes(paths, texts, survey, new Set(pending.map(({ name }) => metaPath(name))));
  const named = namedFiles(metas);
  const dropped = [...survey.indexes.named].filter((path) => !named.has(path) && !isComing(path, decisions));
  const stale = staleIndexes(survey.indexes, texts).filter(({ path }) => !paths.includes(path));
  return [
    ...written.map((path) =>
      indexAction('write-index', path, survey.indexes.texts.has(path) ? 'its contents change' : 'new'),
    ),
    ...dropped.map((path) => indexAction('drop', path, 'no longer listed')),
    ...stale.map(({ path, why }) => indexAction('drop', path, why)),
  ];
}

function indexAction(action: 'write-index' | 'drop', path: string, detail: string): PlannedAction {
  return { action, path, detail, sizeBytes: null };
}

/** Of all indexes as they will be: with the list of the deltas, where the first ones are still to be made. */
function indexPaths(texts: IndexTexts, { deltas }: Decisions): string[] {
  const isComing = !texts.has(DELTA_SHA256SUMS_FILE) && deltas.some(({ decision }) => !IDLE.has(decision));
  const paths = [...texts.keys()];
  return isComing ? paths.toSpliced(paths.indexOf(INDEX_FILE), 0, DELTA_SHA256SUMS_FILE) : paths;
}

function changedIndexes(
  paths: readonly string[],
  texts: IndexTexts,
  survey: Survey,
  pendingMetas: ReadonlySet<string>,
): string[] {
  const isChanged = (path: string): boolean => survey.indexes.texts.get(path) !== texts.get(path);
  return paths.filter((path) => {
    if (path.startsWith(`${META_DIR}/`)) return pendingMetas.has(path) || isChanged(path);
    const isList = texts.get(path) !== '' || !survey.indexes.texts.has(path);
    return isChanged(path) || (isList && (pendingMetas.size > 0 || survey.interrupted));
  });
}

/** Whether files of a series are still to be made: what its meta will say is not known yet. */
function isPending(series: Series, request: BuildRequest, { images, deltas }: Decisions): boolean {
  const imageNames = new Set(series.images.map(({ fileName }) => fileName));
  const deltaNames = new Set((request.deltas.get(series) ?? []).map(({ fileName }) => fileName));
  return (
    images.some(({ status, decision }) => imageNames.has(status.name.fileName) && !IDLE.has(decision)) ||
    deltas.some(
      ({ status, decision, compressed }) =>
        deltaNames.has(status.fileName) && !(IDLE.has(decision) && IDLE.has(compressed)),
    )
  );
}

const IDLE: ReadonlySet<string> = new Set(['nothing', 'skip', 'missing']);

function isComing(path: string, { images, deltas }: Decisions): boolean {
  return (
    images.some(({ status }) => status.publish && status.name.fileName === path) ||
    deltas.some(({ status, decision }) => decision !== 'skip' && rdiffPath(status.fileName) === path) ||
    deltas.some(({ status, compressed }) => {
      return compressed !== 'skip' && rdiffPath(zstFileName(status.fileName)) === path;
    })
  );
}
