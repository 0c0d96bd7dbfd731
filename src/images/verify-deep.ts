import type { PlannedAction } from '../events.js';
import { parseRdiffName } from '../metadata/image-name.js';
import type { MetaDiff, MetaImage, MetaZst, SeriesMeta } from '../metadata/meta.js';
import { rdiffPath } from '../metadata/mirror-paths.js';
import type { Task } from '../workers/task.js';
import { UNPACK_MEMORY_BYTES } from './make-compressed.js';
import { sitePath } from './site.js';
import { identify } from './survey.js';
import { type Report, reportingTask, VERIFY_MEMORY_BYTES } from './verify-task.js';

/** A delta that a meta file names, and the image that it leads to. */
export interface ListedDiff {
  readonly diff: MetaDiff;
  readonly target: MetaImage;
}

/** Every delta that these series name, once. */
export function listedDiffs(metas: readonly SeriesMeta[]): ListedDiff[] {
  const listed = metas
    .flatMap(({ images }) => images)
    .flatMap((target) => target.diffs.map((diff) => ({ diff, target })));
  return [...new Map(listed.map((one) => [one.diff.filename, one])).values()];
}

/** What {@link deepTasks} do, for people. */
export function deepActions(diffs: readonly ListedDiff[]): PlannedAction[] {
  return diffs
    .flatMap(({ diff }) => [diff, ...zstOf(diff)])
    .map(({ filename, size }) => {
      return { action: 'check-delta', path: rdiffPath(filename), detail: 'listed', sizeBytes: size };
    });
}

/** Applies each delta and compares what it makes with its target, and unpacks each compressed one to compare it with it. */
export function deepTasks(site: { readonly mirrorDir: string }, diffs: readonly ListedDiff[], report: Report): Task[] {
  return diffs.flatMap((listed) => [
    applyTask(site, listed, report),
    ...zstOf(listed.diff).map((zst) => unpackTask(site, zst, listed.diff, report)),
  ]);
}

function zstOf({ zst }: MetaDiff): readonly MetaZst[] {
  return zst === undefined ? [] : [zst];
}

function applyTask(site: { readonly mirrorDir: string }, { diff, target }: ListedDiff, report: Report): Task {
  const path = rdiffPath(diff.filename);
  const shown = { kind: 'check-delta', path, totalBytes: target.size, memoryBytes: VERIFY_MEMORY_BYTES } as const;
  return reportingTask(shown, report, async (run) => {
    const name = parseRdiffName(diff.filename);
    const base = name === null ? null : `${name.stem}-${name.baseStamp}-${name.arch}.img`;
    if (base === null || (await identify(sitePath(site, base))) === null) {
      const message = `not applied: its base${base === null ? '' : ` ${base}`} is not in the mirror`;
      report({ type: 'problem', level: 'warning', kind: 'missing', path, message });
      return 'not applied';
    }
    await run({
      kind: 'check-delta',
      path: sitePath(site, path),
      base: { path: sitePath(site, base) },
      target: { sizeBytes: target.size, sha256: target.sha256 },
    });
    return `makes ${target.filename}`;
  });
}

function unpackTask(site: { readonly mirrorDir: string }, zst: MetaZst, delta: MetaDiff, report: Report): Task {
  const path = rdiffPath(zst.filename);
  const shown = { kind: 'check-delta', path, totalBytes: delta.size, memoryBytes: UNPACK_MEMORY_BYTES } as const;
  return reportingTask(shown, report, async (run) => {
    const job = { path: sitePath(site, path), deltaBytes: delta.size, deltaSha256: delta.sha256 };
    await run({ kind: 'check-compressed', ...job });
    return `unpacks to ${delta.filename}`;
  });
}
