import { join } from 'node:path';
import { applyAsItComes, type IncomingDelta } from '../delta/apply-as-it-comes.js';
import type { BaseReader } from '../delta/base-reader.js';
import { SourceFile } from '../delta/source-file.js';
import { TargetView } from '../delta/target-view.js';
import { hasCode, UpdateRepositoryError } from '../errors.js';
import { makeDirectory, placeFile } from '../io/atomic-file.js';
import type { SeriesMeta } from '../metadata/meta.js';
import { RDIFFS_DIR } from '../metadata/mirror-paths.js';
import type { Device } from './device/device.js';
import { freeBytes } from './device/free-bytes.js';
import { stateOf } from './device/plain-file.js';
import { assertUnchanged } from './device/survey.js';
import { type DeltaHop, fileNameOf, type Hop } from './hop.js';
import type { HopFiles } from './hop-files.js';
import { performJob } from './job.js';
import type { LocalImage } from './local-image.js';
import { forgetPartial, patchCheckpoints } from './patch-state.js';

/** The list of a delta's commands may take so much where its target is read without being made. */
const VIEW_MEMORY_BYTES = 64 * 1024 * 1024;

/** What a path is gone with. */
export interface Means {
  readonly device: Device;
  readonly files: HopFiles;
  readonly meta: SeriesMeta;
  readonly present: readonly LocalImage[];
  /** Whether deltas are kept, in `rdiffs/`: they are fetched whole before they are applied then. */
  readonly keepDeltas: boolean;
}

/** A hop that could not be gone; `cause` says why. */
export class HopFailure extends Error {
  override readonly name = 'HopFailure';
  readonly hop: Hop;
  override readonly cause: UpdateRepositoryError;

  constructor(hop: Hop, cause: UpdateRepositoryError) {
    super(cause.message, { cause });
    this.hop = hop;
    this.cause = cause;
  }
}

/**
 * Goes a path to its end: the image is in `partial/` then, whole, on the disk, and of the right sha256. The deltas of all
 * hops but the last are downloaded and read through, so that no image between is made; the last one is applied while it
 * comes. Memory: some 20 MiB, and 16 bytes a command of the deltas before the last.
 *
 * @throws HopFailure where another path may lead there; UpdateRepositoryError NO_SPACE, IO, LOCKED, INTERRUPTED
 */
export async function runPath(hops: readonly Hop[], means: Means): Promise<void> {
  await using base = new Base(means);
  for (const [index, hop] of hops.entries()) {
    try {
      await means.device.assertMayGoOn();
      if (hop.kind === 'image') base.isNow(await means.files.fetch(hop));
      else if (index < hops.length - 1) await base.goOn(hop);
      else await makeLast(hop, await base.of(hop), means);
    } catch (error) {
      throw isOfHop(error, means.device.signal) ? new HopFailure(hop, error) : error;
    }
  }
}

/** Whether another path may do without what failed. */
function isOfHop(error: unknown, signal: AbortSignal): error is UpdateRepositoryError {
  if (signal.aborted || !(error instanceof UpdateRepositoryError)) return false;
  return ['NETWORK', 'STORAGE', 'NOT_FOUND', 'VERIFICATION', 'FORMAT', 'MEMORY', 'CHANGED_WHILE_READ'].includes(
    error.code,
  );
}

/** What the next hop starts from: an image on the disk, or a view of one that is not made. */
class Base implements AsyncDisposable {
  readonly #means: Means;
  readonly #opened: Disposable[] = [];
  #reader: BaseReader | null = null;

  constructor(means: Means) {
    this.#means = means;
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
    const { device, files } = this.#means;
    const deltaPath = await files.fetch(hop);
    const request = { base, deltaPath, targetBytes: hop.image.size, memoryBytes: VIEW_MEMORY_BYTES };
    try {
      const view = await TargetView.open(request, { signal: device.signal });
      this.#opened.push(view);
      this.#reader = view;
    } catch (error) {
      if (!hasCode(error, 'MEMORY') || (await freeBytes(device)) < hop.image.size) throw error;
      await makeImage({ hop, base, delta: stored(hop, deltaPath) }, this.#means);
      this.#open(device.place.partialPath(hop.image.filename));
    }
  }

  #open(path: string): BaseReader {
    const file = new SourceFile(path);
    this.#opened.push({ [Symbol.dispose]: () => file.close() });
    this.#reader = file;
    return file;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const opened of this.#opened.reverse()) opened[Symbol.dispose]();
  }
}

/** Applies the last delta while it comes. */
async function makeLast(hop: DeltaHop, base: BaseReader, means: Means): Promise<void> {
  const { files, keepDeltas } = means;
  const delta = keepDeltas ? stored(hop, await files.fetch(hop)) : files.stream(hop);
  await makeImage({ hop, base, delta }, means);
}

/** What an image is made from. */
interface Making {
  readonly hop: DeltaHop;
  readonly base: BaseReader;
  readonly delta: IncomingDelta;
}

/** Makes the image of a hop in `partial/`, from where an earlier run got to. */
async function makeImage({ hop, base, delta }: Making, { device, meta, present }: Means): Promise<void> {
  const { image } = hop;
  const target = { path: device.place.partialPath(image.filename), sizeBytes: image.size, sha256: image.sha256 };
  const baseSha256 = [...present, ...meta.images].find(({ version }) => version === hop.base)?.sha256;
  const checkpoints = await patchCheckpoints(device, hop, baseSha256 ?? null);
  await performJob(device, { kind: 'patch', path: image.filename, totalBytes: image.size }, async (onProgress) => {
    try {
      await applyAsItComes({ base, delta, target, checkpoints }, { signal: device.signal, onProgress });
    } catch (error) {
      if (hasCode(error, 'VERIFICATION') || hasCode(error, 'FORMAT')) await forgetPartial(device, image.filename);
      throw error;
    }
    return { result: undefined, sizeBytes: image.size, detail: `from ${hop.base}` };
  });
}

function stored(hop: DeltaHop, path: string): IncomingDelta {
  return {
    name: fileNameOf(hop),
    async *bytesFrom(position) {
      const file = new SourceFile(path);
      try {
        yield* file.chunks(262144, position);
      } finally {
        file.close();
      }
    },
  };
}

/** Puts the deltas of a path, which are in `partial/`, to where they are kept. */
export async function keepDeltas(hops: readonly Hop[], { dir, place }: Device): Promise<void> {
  const directory = join(dir, RDIFFS_DIR);
  await makeDirectory(directory);
  for (const hop of hops) {
    if (hop.kind !== 'delta') continue;
    const name = fileNameOf(hop);
    if ((await stateOf(place.partialPath(name))) === null) continue;
    await placeFile(place.partialPath(name), join(directory, name));
  }
}
