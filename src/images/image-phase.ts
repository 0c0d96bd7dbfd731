import { rm } from 'node:fs/promises';
import type { LinkMode } from '../io/link.js';
import { rdiffPath } from '../metadata/mirror-paths.js';
import type { Crew, TaskFailure } from '../workers/crew.js';
import type { BuildRequest } from './build-request.js';
import type { ImageDecision } from './decide.js';
import { examineTask, type FoundImage } from './examine-images.js';
import { keepServed } from './keep-served.js';
import type { Decisions } from './plan.js';
import type { ImageRecord } from './records.js';
import { type MirrorSite, sitePath } from './site.js';
import type { ImageStatus } from './survey.js';
import { withdraw } from './withdraw.js';

export interface ImagePhaseOptions {
  readonly link: LinkMode;
  readonly keepGoing: boolean;
  readonly replace: boolean;
}

export interface ImagePhase {
  /** What is known now of every image that can be used, by file name. */
  readonly records: ReadonlyMap<string, ImageRecord>;
  readonly failures: readonly TaskFailure[];
  /** File names of the images that were read. */
  readonly examined: ReadonlySet<string>;
  /** File names of the deltas that went from the mirror along with the bytes of a replaced image. */
  readonly removedDeltas: ReadonlySet<string>;
}

/** Brings every image into the mirror and reads it. After it, all that deltas and indexes need of images is known. */
export async function bringImages(
  site: MirrorSite,
  crew: Crew,
  request: BuildRequest,
  plan: Decisions,
  options: ImagePhaseOptions,
): Promise<ImagePhase> {
  const records = new Map<string, ImageRecord>();
  const reused: FoundImage[] = [];
  const work: { status: FoundImage; decision: Exclude<ImageDecision, 'nothing' | 'missing'> }[] = [];
  for (const { status, decision } of plan.images) {
    if (decision === 'nothing' && status.record !== null) records.set(status.name.fileName, status.record);
    else if (decision !== 'nothing' && decision !== 'missing' && isFound(status)) work.push({ status, decision });
  }
  const taskOf = ({ status, decision }: (typeof work)[number], onReused?: () => void) =>
    examineTask(site, status, decision, {
      link: options.link,
      onRecord: (record) => records.set(status.name.fileName, record),
      ...(onReused === undefined ? {} : { onReused }),
    });
  const first = work.map((one) => taskOf(one, options.replace ? () => reused.push(one.status) : undefined));
  const failures = await crew.run(first, options.keepGoing);

  const freed = await freeNames(site, request, reused);
  const second = freed.images.map((status) => taskOf({ status, decision: status.publish ? 'link' : 'read-base' }));
  failures.push(...(await crew.run(second, options.keepGoing)));

  const failed = new Set(failures.map(({ task }) => task.path));
  const unusable = plan.images
    .map(({ status }) => status)
    .filter(({ file, name }) => {
      return file === null || failed.has(name.fileName);
    });
  for (const [fileName, record] of await keepServed(site, crew, unusable)) records.set(fileName, record);
  const examined = new Set(work.map(({ status }) => status.name.fileName));
  return { records, failures, examined, removedDeltas: freed.deltas };
}

function isFound(status: ImageStatus): status is FoundImage {
  return status.file !== null;
}

/**
 * Makes the names of images free for other bytes: the indexes stop naming them and every delta from or to them, then
 * the mirror's files go.
 */
async function freeNames(
  site: MirrorSite,
  request: BuildRequest,
  reused: readonly FoundImage[],
): Promise<{ readonly images: readonly FoundImage[]; readonly deltas: ReadonlySet<string> }> {
  if (reused.length === 0) return { images: [], deltas: new Set() };
  const names = new Set(reused.map(({ name }) => name.fileName));
  const touched = [...request.deltas.values()]
    .flat()
    .filter(({ base, target }) => names.has(base.fileName) || names.has(target.fileName));
  const deltas = new Set(touched.map(({ fileName }) => fileName));
  await withdraw(site, new Set([...names, ...[...deltas].map(rdiffPath)]));
  for (const fileName of deltas) {
    await rm(sitePath(site, rdiffPath(fileName)), { force: true });
    await site.state.forget('deltas', fileName);
  }
  for (const fileName of names) {
    await rm(sitePath(site, fileName), { force: true });
    await site.state.forget('images', fileName);
    site.onEvent({
      type: 'note',
      level: 'warning',
      subject: fileName,
      message: 'replaced under its published name: clients may hold the old bytes, and deltas will not apply to those',
    });
  }
  const images = reused.map((status) => ({ ...status, inMirror: null, record: null, publishedSha256: null }));
  return { images, deltas };
}
