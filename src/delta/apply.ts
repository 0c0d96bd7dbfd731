import { createHash } from 'node:crypto';
import { UpdateRepositoryError } from '../errors.js';
import { readBuffer } from '../io/page-aligned.js';
import { makeBreather } from './breather.js';
import { Deliveries } from './deliveries.js';
import { type DeltaHooks, reportProgress } from './hooks.js';
import { writeNewFile } from './output-file.js';
import { DeltaPatcher, type PatchInput } from './patch.js';
import { SourceFile } from './source-file.js';

const CHUNK_MAX_BYTES = 262144;

export interface ApplyRequest {
  readonly basePath: string;
  readonly deltaPath: string;
  /** Size that the target must have. */
  readonly targetBytes: number;
}

export interface StreamTargetRequest {
  readonly basePath: string;
  readonly deltaPath: string;
  /** Size that the target must have; left out, any. A delta of a few bytes can ask for a target of any size. */
  readonly targetBytes?: number;
  /** Lower-case hex; left out, the target's bytes are not checked. */
  readonly sha256?: string;
}

export interface ApplyToFileRequest extends StreamTargetRequest {
  /** Where the target goes. */
  readonly targetPath: string;
  /** Whether a file that is there may be replaced; left out, it may. */
  readonly force?: boolean;
  /** Whether the target is on the disk before it gets its name; left out, it is. */
  readonly sync?: boolean;
}

/**
 * Applies a delta and hands the target to `sink`, in order, in pieces of up to 128 KiB that are valid until the sink
 * returns. Progress counts bytes of the target. Blocks until it is done; holds about 1 MiB. The bytes are those that
 * the delta says: compare their digest with the target's before they are used.
 *
 * @throws UpdateRepositoryError FORMAT for a delta that is malformed, reaches past the base or yields another size;
 * CHANGED_WHILE_READ, INTERRUPTED, NOT_FOUND, IO
 */
export function applyDelta(request: ApplyRequest, sink: (bytes: Uint8Array) => void, hooks: DeltaHooks = {}): void {
  let doneBytes = 0;
  const passAndReport = (bytes: Uint8Array) => {
    sink(bytes);
    doneBytes += bytes.length;
    reportProgress(doneBytes, request.deltaPath, hooks);
  };
  const sources = openSources(request);
  try {
    const patcher = makePatcher(sources, request.targetBytes, passAndReport);
    for (const chunk of sources.delta.chunks(CHUNK_MAX_BYTES)) patcher.push(chunk);
    patcher.finish();
    assertUnchanged(sources);
  } finally {
    closeSources(sources);
  }
}

/**
 * Applies a delta as {@link applyDelta} does, to a sink that may take its time: a piece is valid until its promise is
 * fulfilled. Lets the event loop run now and then. Returns the size of the target. Whether its digest is the expected one
 * is known at the end only, after the sink has got it all.
 *
 * @throws UpdateRepositoryError as {@link applyDelta}, and VERIFICATION for another sha256
 */
export async function streamTarget(
  request: StreamTargetRequest,
  sink: (bytes: Uint8Array) => Promise<void>,
  hooks: DeltaHooks = {},
): Promise<number> {
  const deliveries = new Deliveries();
  const receiver = {
    send: (bytes: Uint8Array) => deliveries.send(() => sink(bytes)),
    settle: () => deliveries.settle(),
    end: () => deliveries.end(),
    rest: () => deliveries.rest(),
  };
  return await makeTarget(request, receiver, hooks);
}

/**
 * Applies a delta into a file: written beside `targetPath` under a temporary name that ends in `.tmp`, checked, fsynced
 * unless `sync` is false, and renamed. Leaves nothing behind when it fails. Else like {@link streamTarget}.
 *
 * @throws UpdateRepositoryError as {@link streamTarget}, and NO_SPACE
 */
export async function applyDeltaToFile(
  { sync = true, force = true, ...request }: ApplyToFileRequest,
  hooks: DeltaHooks = {},
): Promise<number> {
  return await writeNewFile(
    request.targetPath,
    (output) => makeTarget(request, { send: (bytes) => output.write(bytes) }, hooks, oneBuffer()),
    { sync, force },
  );
}

/** Who gets the pieces of a target. One that has done with a piece when `send` returns has nothing to wait for. */
interface PieceReceiver {
  send(bytes: Uint8Array): void;
  /** Waits for a buffer to make the next piece in. */
  settle?(): Promise<void>;
  /** Waits for all pieces. */
  end?(): Promise<void>;
  /** Waits until nothing is on its way any more, whether or not that failed. */
  rest?(): Promise<void>;
}

async function makeTarget(
  request: StreamTargetRequest,
  receiver: PieceReceiver,
  hooks: DeltaHooks,
  buffers: Buffers = {},
): Promise<number> {
  const digest = request.sha256 === undefined ? undefined : createHash('sha256');
  const breathe = makeBreather();
  let doneBytes = 0;
  const sources = openSources(request);
  try {
    const take = (bytes: Uint8Array) => {
      digest?.update(bytes);
      receiver.send(bytes);
      doneBytes += bytes.length;
    };
    const patcher = makePatcher(sources, request.targetBytes, take, buffers);
    for (const chunk of sources.delta.chunks(CHUNK_MAX_BYTES)) {
      for (let rest: Uint8Array | null = chunk; rest !== null; ) {
        rest = patcher.pushSome(rest);
        if (receiver.settle !== undefined) await receiver.settle();
        reportProgress(doneBytes, request.deltaPath, hooks);
        // Where there is nothing to wait for, not even a promise is: thousands of them would cost a third of the time.
        const pause = breathe();
        if (pause !== undefined) await pause;
      }
    }
    const targetBytes = patcher.finish();
    await receiver.end?.();
    reportProgress(doneBytes, request.deltaPath, hooks);
    assertUnchanged(sources);
    if (digest !== undefined) checkDigest(request, digest.digest('hex'));
    return targetBytes;
  } finally {
    await receiver.rest?.();
    closeSources(sources);
  }
}

/** What pieces are in. */
type Buffers = Pick<PatchInput, 'allocate'>;

/** One in place of two: half as much to keep in the processor's cache. */
function oneBuffer(): Buffers {
  let buffer: Uint8Array | undefined;
  const allocate = (bytes: number) => {
    buffer ??= readBuffer(bytes);
    return buffer;
  };
  return { allocate };
}

/** The files that a target is made of. */
interface Sources {
  readonly base: SourceFile;
  readonly delta: SourceFile;
}

function openSources({ basePath, deltaPath }: Pick<StreamTargetRequest, 'basePath' | 'deltaPath'>): Sources {
  const delta = new SourceFile(deltaPath);
  try {
    return { base: new SourceFile(basePath), delta };
  } catch (error) {
    delta.close();
    throw error;
  }
}

function closeSources({ base, delta }: Sources): void {
  base.close();
  delta.close();
}

function assertUnchanged({ base, delta }: Sources): void {
  base.assertUnchanged();
  delta.assertUnchanged();
}

function makePatcher(
  { base, delta }: Sources,
  targetBytes: number | undefined,
  sink: (bytes: Uint8Array) => void,
  buffers: Buffers = {},
): DeltaPatcher {
  const size = targetBytes === undefined ? {} : { targetBytes };
  return new DeltaPatcher({ base, deltaName: delta.path, ...size, ...buffers }, sink);
}

function checkDigest({ basePath, deltaPath, sha256 }: StreamTargetRequest, found: string): void {
  if (found === sha256) return;
  throw new UpdateRepositoryError(
    'VERIFICATION',
    `${deltaPath}: applied to ${basePath}, expected sha256 ${sha256}, found ${found}`,
    { data: { path: deltaPath, base: basePath, expected: sha256 ?? null, found } },
  );
}
