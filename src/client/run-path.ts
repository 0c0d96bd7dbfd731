import { applyAsItComes, type Checkpoints, type IncomingDelta } from '../delta/apply-as-it-comes.js';
import type { BaseReader } from '../delta/base-reader.js';
import { SourceFile } from '../delta/source-file.js';
import { TargetView } from '../delta/target-view.js';
import { hasCode, UpdateRepositoryError } from '../errors.js';
import type { SeriesMeta } from '../metadata/meta.js';
import type { Device } from './device/device.js';
import { freeBytes } from './device/free-bytes.js';
import type { Stages } from './device/stages.js';
import { assertUnchanged } from './device/survey.js';
import { unlessMirrorsFailed } from './download/wrong-bytes.js';
import { type DeltaHop, fileNameOf, fileOf, type Hop } from './hop.js';
import type { HopDelta, HopFiles } from './hop-files.js';
import { performJob } from './job.js';
import type { LocalImage } from './local-image.js';
import { forgetPartial, forgetUnlessKnown, patchCheckpoints } from './patch-state.js';
import { formsOf } from './plan/graph.js';
import { storedDelta } from './stored-delta.js';
import { unpackDelta } from './unpack-delta.js';

/** The lists of commands of all deltas may take so much whose targets are read without being made. */
const VIEWS_MEMORY_BYTES = 48 * 1024 * 1024;

/** What a path is gone with. */
export interface Means {
  readonly device: Device;
  readonly files: HopFiles;
  readonly meta: SeriesMeta;
  readonly present: readonly LocalImage[];
  /** Whether deltas are kept, in `rdiffs/`: they are fetched whole before they are applied then. */
  readonly keepDeltas: boolean;
  readonly stages: Stages;
  /** What the lists of commands of all views may take; left out, 48 MiB. */
  readonly viewsMemoryBytes?: number;
}

/** A hop that could not be gone; `cause` says why. */
export class HopFailure extends Error {
  override readonly name = 'HopFailure';
  /** Names of the files that a path has to do without: the one that failed first, then its other form if that is no better. */
  readonly fileNames: readonly [string, ...string[]];
  override readonly cause: UpdateRepositoryError;

  constructor(fileNames: readonly [string, ...string[]], cause: UpdateRepositoryError) {
    super(cause.message, { cause });
    this.fileNames = fileNames;
    this.cause = cause;
  }
}

/**
 * Goes a path to its end: the image is in `partial/` then, whole, on the disk, and of the right sha256. The deltas of all
 * hops but the last are downloaded and read through, so that no image between is made; the last one is applied while it
 * comes. One that comes compressed is unpacked first. Memory: some 20 MiB, and 16 bytes a command of the deltas before the last,
 * of which 48 MiB at most.
 *
 * @throws HopFailure where another path may lead there; UpdateRepositoryError NO_SPACE, IO, LOCKED, INTERRUPTED
 */
export async function runPath(hops: readonly Hop[], means: Means): Promise<void> {
  using base = new Base(means, hops.at(-1)?.image.size ?? 0);
  for (const [index, hop] of hops.entries()) {
    try {
      await means.device.assertMayGoOn();
      if (hop.kind === 'image') base.isNow(await fetchFile(hop, means));
      else if (index < hops.length - 1) await base.goOn(hop);
      else await makeLast(hop, await base.of(hop), means);
    } catch (error) {
      // What came was whole and right: it is the same in the other form.
      const formNames = hop.kind === 'image' ? [] : formsOf(hop.delta).map(({ filename }) => filename);
      const names = formNames.filter((name) => name !== fileNameOf(hop));
      throw isOfHop(error, means.device.signal) ? new HopFailure([fileNameOf(hop), ...names], error) : error;
    }
  }
}

/** What fails while the file of a hop comes is the fault of this file alone. */
async function asItComes<T>(hop: Hop, { device }: Means, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw isOfHop(error, device.signal) ? new HopFailure([fileNameOf(hop)], error) : error;
  }
}

/** Whether another path may do without what failed. */
function isOfHop(error: unknown, signal: AbortSignal): error is UpdateRepositoryError {
  if (signal.aborted || !(error instanceof UpdateRepositoryError)) return false;
  return ['NETWORK', 'STORAGE', 'NOT_FOUND', 'VERIFICATION', 'FORMAT', 'MEMORY', 'CHANGED_WHILE_READ'].includes(
    error.code,
  );
}

/** Fetches what a hop needs into `partial/`: the image or the delta, which may come compressed. */
async function fetchFile(hop: Hop, means: Means): Promise<string> {
  const { device, files, stages } = means;
  const { size } = fileOf(hop);
  return await asItComes(hop, means, async () => {
    await stages.enter(hop.kind === 'image' ? 'image_download' : 'rdiff_fetch');
    const path = await files.fetch(hop, (doneBytes) => stages.isAt((doneBytes / size) * 100));
    if (hop.kind === 'image' || hop.zst === undefined) return path;
    await stages.enter('rdiff_checksum');
    return await unpackDelta(device, { delta: hop.delta, zst: hop.zst });
  });
}

/** Tells others as well how many of so many bytes are done. */
function telling(stages: Stages, totalBytes: number, onProgress: (doneBytes: number) => void) {
  return (doneBytes: number) => {
    stages.isAt((doneBytes / totalBytes) * 100);
    onProgress(doneBytes);
  };
}

/** What the next hop starts from: an image on the disk, or a view of one that is not made. */
class Base implements Disposable {
  readonly #means: Means;
  /** Room that the end of the path takes. */
  readonly #targetBytes: number;
  #opened: Disposable[] = [];
  #viewsBytes = 0;
  #reader: BaseReader | null = null;
  /** The file name of an image between that was made. */
  #made: string | null = null;

  constructor(means: Means, targetBytes: number) {
    this.#means = means;
    this.#targetBytes = targetBytes;
  }

  /** The base of a hop, which is what the hops before it lead to. */
  async of(hop: DeltaHop): Promise<BaseReader> {
    if (this.#reader !== null) return this.#reader;
    const { device, present } = this.#means;
    const image = present.find(({ version }) => version === hop.base);
    if (image === undefined) throw new UpdateRepositoryError('INTERNAL', `${fileNameOf(hop)}: its base is not here`);
    await assertUnchanged(device, image);
    return this.#open(image.path);
  }

  /** A whole image was fetched. */
  isNow(path: string): void {
    this.#open(path);
  }

  /** Goes on to the image that a delta leads to: it is made only where to read it without takes too much memory. */
  async goOn(hop: DeltaHop): Promise<void> {
    const base = await this.of(hop);
    const deltaPath = await fetchFile(hop, this.#means);
    const { device } = this.#means;
    const memoryBytes = (this.#means.viewsMemoryBytes ?? VIEWS_MEMORY_BYTES) - this.#viewsBytes;
    try {
      const request = { base, deltaPath, targetBytes: hop.image.size, memoryBytes };
      const view = await TargetView.open(request, { signal: device.signal });
      this.#viewsBytes += view.memoryBytes;
      this.#opened.push(view);
      this.#reader = view;
    } catch (error) {
      if (!hasCode(error, 'MEMORY') || (await freeBytes(device)) < hop.image.size + this.#targetBytes) throw error;
      await makeImage({ hop, base, delta: storedDelta(hop, deltaPath) }, this.#means);
      await this.#startsFromMade(hop.image.filename);
    }
  }

  /** What came before an image that was made is of no use any more: there is one between at most. */
  async #startsFromMade(fileName: string): Promise<void> {
    const { device } = this.#means;
    this.#close();
    if (this.#made !== null) await forgetPartial(device, this.#made);
    this.#made = fileName;
    this.#open(device.place.partialPath(fileName));
  }

  #open(path: string): BaseReader {
    const file = new SourceFile(path);
    this.#opened.push({ [Symbol.dispose]: () => file.close() });
    this.#reader = file;
    return file;
  }

  #close(): void {
    for (const opened of this.#opened.reverse()) opened[Symbol.dispose]();
    this.#opened = [];
    this.#viewsBytes = 0;
  }

  [Symbol.dispose](): void {
    this.#close();
  }
}

/** Applies the last delta while it comes, or where it is kept or comes compressed, when it is there. */
async function makeLast(hop: DeltaHop, base: BaseReader, means: Means): Promise<void> {
  if (!means.keepDeltas && hop.zst === undefined) {
    const delta = means.files.stream(hop);
    return await asItComes(hop, means, () => makeImage({ hop, base, delta }, means));
  }
  const path = await fetchFile(hop, means);
  await makeImage({ hop, base, delta: storedDelta(hop, path) }, means);
}

/** What an image is made from. */
interface Making {
  readonly hop: DeltaHop;
  readonly base: BaseReader;
  readonly delta: HopDelta;
}

/** Makes the image of a hop in `partial/`, from where an earlier run got to. */
async function makeImage(making: Making, means: Means): Promise<void> {
  const { device, stages } = means;
  const { image, base, delta } = making.hop;
  await stages.enter('image_patch');
  await performJob(device, { kind: 'patch', path: image.filename, totalBytes: image.size }, async (onJobProgress) => {
    try {
      await applyUntilRight(making, means, telling(stages, image.size, onJobProgress));
    } catch (error) {
      // What is there of a delta that makes something else is of no use.
      if (isWrong(error)) await forgetPartial(device, delta.filename);
      throw error;
    }
    return { result: undefined, sizeBytes: image.size, detail: `from ${base}` };
  });
}

/** What came out wrong is made once more from its start, where the delta may have other bytes then. */
async function applyUntilRight(
  { hop, base, delta }: Making,
  { device, meta, present }: Means,
  onProgress: (doneBytes: number) => void,
): Promise<void> {
  const { image } = hop;
  const target = { path: device.place.partialPath(image.filename), sizeBytes: image.size, sha256: image.sha256 };
  const baseSha256 = [...present, ...meta.images].find(({ version }) => version === hop.base)?.sha256 ?? null;
  const apply = async (incoming: IncomingDelta, checkpoints: Checkpoints) => {
    const request = { base, delta: incoming, target, checkpoints };
    await applyAsItComes(request, { signal: device.signal, onProgress });
  };
  let wrongBefore: UpdateRepositoryError | null = null;
  let from = delta;
  for (;;) {
    const checkpoints = await patchCheckpoints(device, hop, baseSha256);
    const wrong = await wrongOf(hop, device, apply(from, checkpoints)).catch(async (error: unknown) => {
      if (wrongBefore === null) throw error;
      await forgetUnlessKnown(device, image.filename);
      throw unlessMirrorsFailed(wrongBefore, error);
    });
    if (wrong === null) return;
    wrongBefore = wrong;
    const again = (await from.again?.(checkpoints.last !== undefined)) ?? null;
    if (again === null) throw wrong;
    from = again;
    const message = `${wrong.message}; applying ${delta.name} from the start`;
    device.onEvent({ type: 'note', level: 'warning', subject: image.filename, message });
  }
}

/** How the delta, or what it made, was wrong, after that is gone; null where it was right. All else is thrown. */
async function wrongOf(
  { image }: DeltaHop,
  device: Device,
  applying: Promise<void>,
): Promise<UpdateRepositoryError | null> {
  try {
    await applying;
    return null;
  } catch (error) {
    if (!isWrong(error)) throw error;
    await forgetPartial(device, image.filename);
    return error;
  }
}

/** The delta came with all the bytes that the mirror lists: one without an end is as wrong as any other. */
function isWrong(error: unknown): error is UpdateRepositoryError {
  return hasCode(error, 'VERIFICATION') || hasCode(error, 'FORMAT');
}
