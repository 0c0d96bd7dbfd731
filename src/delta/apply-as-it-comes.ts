import { UpdateRepositoryError } from '../errors.js';
import { sharedPages } from '../io/page-aligned.js';
import { openSha256, type Sha256Stream } from '../io/sha256-stream.js';
import type { BaseReader } from './base-reader.js';
import { makeBreather } from './breather.js';
import { CheckpointedOutput, type Checkpoints } from './checkpointed-output.js';
import { Deliveries } from './deliveries.js';
import { DELTA_START, parseDeltaPlace } from './delta-place.js';
import { type DeltaHooks, interrupted, reportProgress } from './hooks.js';
import { DeltaPatcher } from './patch.js';
import { untilAborted } from './until-aborted.js';

export type { Checkpoints } from './checkpointed-output.js';
export { type DeltaPlace, parseDeltaPlace } from './delta-place.js';

/** The target is written, hashed and saved in such pieces. */
const PIECE_BYTES = 1048576;

/** A delta that is read, or downloaded, while it is applied. */
export interface IncomingDelta {
  /** How messages name it: its path or address. */
  readonly name: string;
  /** Its bytes from one on to its end, in pieces of any size, each valid until the next one is asked for. */
  bytesFrom(position: number): AsyncIterable<Uint8Array>;
}

/** What a delta is to make. */
export interface WantedTarget {
  /** Where it goes. The file stays when the work fails; it is the caller's to rename or to remove. */
  readonly path: string;
  readonly sizeBytes: number;
  /** Lower-case hex. */
  readonly sha256: string;
}

export interface ApplyAsItComesRequest {
  readonly base: BaseReader;
  readonly delta: IncomingDelta;
  readonly target: WantedTarget;
  readonly checkpoints: Checkpoints;
}

/**
 * Applies a delta while its bytes come, into a file that is on the disk and has the wanted sha256 when this resolves. A
 * checkpoint is saved now and then, and when the delta's bytes fail to come, the disk is full or the caller stops: nothing
 * that was made is lost. With the last checkpoint it goes on from there, after it has read the file again for its sha256;
 * of the delta only the bytes behind it are asked for. Progress counts bytes of the target. Holds about 2.3 MiB and one
 * piece of the delta.
 *
 * @throws UpdateRepositoryError FORMAT for a delta that is malformed, reaches past the base, is cut off or yields another
 * size, and for a checkpoint that cannot be; VERIFICATION for another sha256; CHANGED_WHILE_READ, INTERRUPTED, NO_SPACE, IO;
 * what the delta's bytes and the saving throw
 */
export async function applyAsItComes(request: ApplyAsItComesRequest, hooks: DeltaHooks = {}): Promise<void> {
  const { base, target, checkpoints } = request;
  const from = parseDeltaPlace(checkpoints.last ?? DELTA_START, target.path, target.sizeBytes);
  const save: Checkpoints['save'] = (place) => {
    // What was made of something else is not worth to go on from.
    base.assertUnchanged();
    return checkpoints.save(place);
  };
  const output = await CheckpointedOutput.open(target.path, from, { ...checkpoints, save });
  try {
    const digest = await openSha256(target.sizeBytes);
    try {
      await output.digestInto(digest, hooks);
      await new Application(request, output, digest).run(hooks);
      base.assertUnchanged();
      checkDigest(request, await digest.digest());
    } finally {
      await digest.close();
    }
    await output.complete();
  } finally {
    await output.close();
  }
}

/** The delta on its way into the output. */
class Application {
  readonly #delta: IncomingDelta;
  readonly #patcher: DeltaPatcher;
  readonly #output: CheckpointedOutput;
  readonly #deliveries = new Deliveries();
  readonly #from: number;
  /** Whether what the patcher made so far is a part of the target, as far as it is known. */
  #isSound = true;

  constructor(
    { base, delta, target, checkpoints }: ApplyAsItComesRequest,
    output: CheckpointedOutput,
    digest: Sha256Stream,
  ) {
    const from = checkpoints.last ?? DELTA_START;
    this.#delta = delta;
    this.#output = output;
    this.#from = from.deltaBytes;
    const buffers = { pieceBytes: PIECE_BYTES, allocate: sharedPages };
    const input = { base, deltaName: delta.name, targetBytes: target.sizeBytes, from, ...buffers };
    this.#patcher = new DeltaPatcher(input, (bytes) => {
      const { place } = this.#patcher;
      // The digest's thread has them first: the file is written by this one.
      this.#deliveries.send(async () => void (await Promise.all([digest.update(bytes), output.write(bytes, place)])));
    });
  }

  async run(hooks: DeltaHooks): Promise<void> {
    try {
      await this.#applyAll(hooks);
      this.#finish();
      await this.#deliveries.end();
    } catch (error) {
      if (this.#isSound) await Promise.allSettled([this.#saveMade()]);
      throw error;
    } finally {
      await this.#deliveries.rest();
    }
  }

  async #applyAll(hooks: DeltaHooks): Promise<void> {
    const { name } = this.#delta;
    const breathe = makeBreather();
    const pieces = this.#delta.bytesFrom(this.#from);
    for await (const piece of untilAborted(pieces, hooks.signal, () => interrupted(name, hooks.signal?.reason))) {
      for (let rest: Uint8Array | null = piece; rest !== null; ) {
        rest = this.#pushSome(rest);
        await this.#deliveries.settle();
        reportProgress(this.#patcher.place.targetBytes, name, hooks);
        await breathe();
      }
    }
  }

  #pushSome(piece: Uint8Array): Uint8Array | null {
    this.#isSound = false;
    const rest = this.#patcher.pushSome(piece);
    this.#isSound = true;
    return rest;
  }

  #finish(): void {
    // A delta whose end is missing may yet go on; one that ended is right or wrong.
    this.#isSound = !this.#patcher.hasEnded;
    this.#patcher.finish();
    this.#isSound = true;
  }

  /** What is made is written as far as that goes, and what is written is saved. */
  async #saveMade(): Promise<void> {
    this.#patcher.flush();
    await this.#deliveries.rest();
    await this.#output.save();
  }
}

function checkDigest({ delta, target: { path, sha256 } }: ApplyAsItComesRequest, found: string): void {
  if (found === sha256) return;
  throw new UpdateRepositoryError(
    'VERIFICATION',
    `${path}: made by ${delta.name}: expected sha256 ${sha256}, found ${found}`,
    { data: { path, delta: delta.name, expected: sha256, found } },
  );
}
