import type { NoteEvent } from '../events.js';
import type { LinkMode } from '../io/link.js';
import { rdiffPath, zstFileName } from '../metadata/mirror-paths.js';
import type { Crew, TaskFailure } from '../workers/crew.js';
import type { Task } from '../workers/task.js';
import type { BuildRequest } from './build-request.js';
import type { ImageDecision } from './decide.js';
import { examineTask, type FoundImage } from './examine-images.js';
import { keepServed } from './keep-served.js';
import { type Decisions, knownOf } from './plan.js';
import type { ImageRecord } from './records.js';
import { type MirrorSite, removeFromMirror } from './site.js';
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
}

/** Brings every image into the mirror and reads it. After it, all that deltas and indexes need of images is known. */
export async function bringImages(
  site: MirrorSite,
  crew: Crew,
  request: BuildRequest,
  plan: Decisions,
  options: ImagePhaseOptions,
): Promise<ImagePhase> {
  const records = new Map(knownOf(plan).images);
  const reused: FoundImage[] = [];
  const spoiled = new Set<string>();
  let copied = 0;
  const taskOf = ({ status, decision }: ImageWork, onReused?: () => void): Task =>
    examineTask(site, status, decision, {
      link: options.link,
      onRecord: (record) => records.set(status.name.fileName, record),
      onLinked: (kind) => {
        if (kind === 'copy') copied += 1;
      },
      onSpoiled: () => spoiled.add(status.name.fileName),
      ...(onReused === undefined ? {} : { onReused }),
    });
  const work = workOf(plan);
  const failures: TaskFailure[] = [];
  try {
    const first = work.map((one) => taskOf(one, options.replace ? () => reused.push(one.status) : undefined));
    failures.push(...(await crew.run(first, options.keepGoing)));
  } finally {
    // The build may fail, but not leave indexes that are known to be wrong.
    await withdrawImages(site, request, spoiled);
    for (const fileName of spoiled) {
      const message = 'the mirror has other bytes than those published: taken out of the indexes';
      site.onEvent({ type: 'note', level: 'warning', subject: fileName, message });
    }
  }
  const freed = await freeNames(site, request, reused);
  const second = freed.map((status) => taskOf({ status, decision: status.publish ? 'link' : 'read-base' }));
  failures.push(...(await crew.run(second, options.keepGoing)));

  if (options.link === 'auto' && copied > 0) site.onEvent(copiesNote(copied));
  const failed = new Set(failures.map(({ task }) => task.path));
  const unusable = [...plan.images]
    .map(({ status }) => status)
    .filter(({ file, name }) => !records.has(name.fileName) && (file === null || failed.has(name.fileName)));
  for (const [fileName, record] of await keepServed(site, crew, unusable)) records.set(fileName, record);
  return { records, failures, examined: new Set(work.map(({ status }) => status.name.fileName)) };
}

function copiesNote(count: number): NoteEvent {
  const message = `${count} image${count === 1 ? ' was' : 's were'} copied: hard links and reflinks are not possible here`;
  return { type: 'note', level: 'warning', message };
}

interface ImageWork {
  readonly status: FoundImage;
  readonly decision: Exclude<ImageDecision, 'nothing' | 'missing'>;
}

function workOf({ images }: Decisions): ImageWork[] {
  return images.flatMap(({ status, decision }) => {
    const { file } = status;
    return file === null || decision === 'nothing' || decision === 'missing'
      ? []
      : [{ status: { ...status, file }, decision }];
  });
}

/** Makes the names of images free for other bytes: no index names them any more, then the mirror's files go. */
async function freeNames(
  site: MirrorSite,
  request: BuildRequest,
  reused: readonly FoundImage[],
): Promise<readonly FoundImage[]> {
  const names = new Set(reused.map(({ name }) => name.fileName));
  for (const path of await withdrawImages(site, request, names)) await removeFromMirror(site, path);
  for (const fileName of names) {
    await site.state.forget('images', fileName);
    const message =
      'replaced under its published name: clients may hold the old bytes, and deltas will not apply to those';
    site.onEvent({ type: 'note', level: 'warning', subject: fileName, message });
  }
  return reused.map((status) => ({ ...status, inMirror: null, record: null, publishedSha256: null }));
}

/** Takes images and all deltas from and to them out of the indexes. Returns the paths of all of them, also compressed. */
async function withdrawImages(
  site: MirrorSite,
  request: BuildRequest,
  names: ReadonlySet<string>,
): Promise<ReadonlySet<string>> {
  const deltas = [...request.deltas.values()]
    .flat()
    .filter(({ base, target }) => names.has(base.fileName) || names.has(target.fileName));
  const deltaNames = deltas.flatMap(({ fileName }) => [fileName, zstFileName(fileName)]);
  const paths = new Set([...names, ...deltaNames.map(rdiffPath)]);
  await withdraw(site, paths);
  return paths;
}
