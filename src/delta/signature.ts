import { setImmediate } from 'node:timers/promises';
import { UpdateRepositoryError } from '../errors.js';
import type { ByteInput } from '../io/byte-input.js';
import { chooseSignatureEngine } from './choose-signature-engine.js';
import { type DeltaHooks, reportProgress } from './hooks.js';
import type { SignatureEngineChoice } from './signature-engine.js';
import {
  DIGEST_BYTES,
  formatSignatureHeader,
  SIGNATURE_HEADER_BYTES,
  type SignatureKind,
  type StrongSum,
  type WeakSum,
} from './signature-format.js';
import { leastStrongBytes, recommendedBlockBytes } from './signature-lengths.js';

/** Blocks are read and summed about so many bytes at once. */
const ROOM_BYTES = 1024 * 1024;
/** More blocks than these at once make their entries the larger part of the memory. */
const ROOM_BLOCKS = 16384;
/** Enough for the engine to sum blocks side by side. */
const LEAST_ROOM_BLOCKS = 8;
/** From this block length on less memory is worth more than that. */
const LARGE_BLOCK_BYTES = 16 * 1024 * 1024;

/** What kind of signature is wanted. */
export interface SignatureOptions {
  readonly weak: WeakSum;
  readonly strong: StrongSum;
  /** Bytes of a block; 0: as the size recommends. */
  readonly blockBytes: number;
  /** Bytes of the strong sum; 0: the whole digest; -1: the fewest that the size recommends. */
  readonly strongBytes: number;
}

/** What a signature came to. */
export interface SignatureStatistics {
  readonly kind: SignatureKind;
  readonly blocks: number;
  readonly inputBytes: number;
  readonly signatureBytes: number;
  readonly engine: 'wasm' | 'js';
}

/**
 * The kind of signature that `options` ask for, of a file of `sizeBytes` bytes; undefined for a pipe. The lengths are to
 * be whole numbers that {@link SignatureOptions} allows.
 */
export function signatureKind(options: SignatureOptions, sizeBytes: number | undefined): SignatureKind {
  const { weak, strong } = options;
  const blockBytes = options.blockBytes === 0 ? recommendedBlockBytes(sizeBytes) : options.blockBytes;
  const strongBytes = options.strongBytes === 0 ? DIGEST_BYTES[strong] : options.strongBytes;
  if (strongBytes !== -1) return { weak, strong, blockBytes, strongBytes };
  const least = Math.min(leastStrongBytes(sizeBytes, blockBytes), DIGEST_BYTES[strong]);
  return { weak, strong, blockBytes, strongBytes: least };
}

/**
 * Writes the signature of what `input` holds, the bytes that Debian's rdiff writes. The sink must use or copy what it
 * gets before it returns. Progress counts bytes of the input. Holds about 3 MiB, or eight blocks where they are larger
 * than that, or one where they are larger than 16 MiB.
 *
 * @throws UpdateRepositoryError IO, MEMORY, CHANGED_WHILE_READ, INTERRUPTED, CONFIG (an engine that cannot be had), and what the sink throws
 */
export async function writeSignature(
  input: ByteInput,
  kind: SignatureKind,
  sink: (bytes: Uint8Array) => void,
  hooks: DeltaHooks = {},
  choice: SignatureEngineChoice = 'auto',
): Promise<SignatureStatistics> {
  const engine = chooseSignatureEngine(choice);
  const summer = engine.summer(kind, roomBytes(kind.blockBytes, input.sizeBytes));
  sink(formatSignatureHeader(kind));
  let signatureBytes = SIGNATURE_HEADER_BYTES;
  let inputBytes = 0;
  for (let length = summer.room.length; length === summer.room.length; ) {
    length = input.fill(summer.room);
    if (length === summer.room.length && length % kind.blockBytes !== 0) throw changed(input);
    const entries = summer.sum(length);
    sink(entries);
    signatureBytes += entries.length;
    inputBytes += length;
    // Signals are heard between two pieces.
    await setImmediate();
    reportProgress(inputBytes, input.name, hooks);
  }
  const blocks = Math.ceil(inputBytes / kind.blockBytes);
  return { kind, blocks, inputBytes, signatureBytes, engine: engine.name };
}

/** A whole number of blocks; a file that is smaller than that needs no more than it has. */
function roomBytes(blockBytes: number, sizeBytes = Number.POSITIVE_INFINITY): number {
  const most = blockBytes > LARGE_BLOCK_BYTES ? 1 : Math.max(LEAST_ROOM_BLOCKS, Math.floor(ROOM_BYTES / blockBytes));
  return Math.min(Math.min(most, ROOM_BLOCKS) * blockBytes, sizeBytes + 1);
}

/** A file that has grown does not fit the room that was meant for it. */
function changed({ name }: ByteInput): UpdateRepositoryError {
  const message = `${name}: it changed while it was read: expected the size that it had, found more`;
  return new UpdateRepositoryError('CHANGED_WHILE_READ', message, { data: { path: name } });
}
