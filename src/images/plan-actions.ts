import type { PlannedAction } from '../events.js';
import { META_DIR, metaPath, rdiffPath, zstFileName } from '../metadata/mirror-paths.js';
import type { BuildRequest } from './build-request.js';
import { composeMetas, contentsOf, type IndexTexts, namedFiles, renderIndexes } from './contents.js';
import type { Decisions, DeltaDecisions, Known } from './plan.js';
import type { Series } from './series.js';
import type { DeltaStatus, Survey } from './survey.js';

/** What a build is going to do, for people; empty exactly when there is nothing to do. Pure. */
export function planActions(
  request: BuildRequest,
  survey: Survey,
  decisions: Decisions,
  known: Known,
  baseUrl: string | null,
): PlannedAction[] {
  return [
    ...decisions.images.flatMap(imageAction),
    ...decisions.deltas.flatMap((delta) => deltaAction(delta, survey)),
    ...decisions.deltas.flatMap(compressedAction),
    ...indexActions(request, survey, decisions, known, baseUrl),
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
  baseUrl: string | null,
): PlannedAction[] {
  const metas = composeMetas(request, contentsOf(known), baseUrl);
  const texts = renderIndexes(metas);
  const pending = request.series.filter((series) => isPending(series, request, decisions));
  const written = changedIndexes(texts, survey, new Set(pending.map(({ name }) => metaPath(name))));
  const named = namedFiles(metas);
  const dropped = [...survey.indexes.named].filter((path) => !named.has(path) && !isComing(path, decisions));
  const stale = survey.indexes.metas.map(({ series }) => metaPath(series)).filter((path) => !texts.has(path));
  return [
    ...written.map((path) =>
      indexAction('write-index', path, survey.indexes.texts.has(path) ? 'its contents change' : 'new'),
    ),
    ...dropped.map((path) => indexAction('drop', path, 'no longer listed')),
    ...stale.map((path) => indexAction('drop', path, 'its series is not wanted any more')),
  ];
}

function indexAction(action: 'write-index' | 'drop', path: string, detail: string): PlannedAction {
  return { action, path, detail, sizeBytes: null };
}

function changedIndexes(texts: IndexTexts, survey: Survey, pendingMetas: ReadonlySet<string>): string[] {
  const isChanged = (path: string): boolean => survey.indexes.texts.get(path) !== texts.get(path);
  return [...texts.keys()].filter((path) => {
    if (path.startsWith(`${META_DIR}/`)) return pendingMetas.has(path) || isChanged(path);
    return pendingMetas.size > 0 || isChanged(path) || survey.interrupted;
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
