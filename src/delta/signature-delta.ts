import { setImmediate } from 'node:timers/promises';
import { UpdateRepositoryError } from '../errors.js';
import type { ByteInput } from '../io/byte-input.js';
import { chooseSignatureEngine } from './choose-signature-engine.js';
import { type DeltaStatistics, DeltaWriter } from './encode.js';
import { type DeltaHooks, reportProgress } from './hooks.js';
import type { BlockSearcher, Matches, SignatureEngineChoice } from './signature-engine.js';
import {
  entryBytes,
  parseSignatureHeader,
  SIGNATURE_HEADER_BYTES,
  type SignatureKind,
  truncatedSignature,
} from './signature-format.js';

/** The target is searched in pieces of about this size, and of at least a block more than a block. */
const PIECE_BYTES = 1024 * 1024;
const SIGNATURE_CHUNK_BYTES = 1024 * 1024;
/**
 * For each byte of the target so many may be summed in vain. An honest signature takes about one for each 4 GiB of its
 * file.
 */
const PATIENCE_PER_BYTE = 16;

/** What a delta that was made from a signature came to. */
export interface SignatureDeltaStatistics extends DeltaStatistics {
  readonly kind: SignatureKind;
  /** Blocks of the signature. */
  readonly blocks: number;
  readonly targetBytes: number;
  readonly engine: 'wasm' | 'js';
}

/**
 * Writes the delta that leads from the file of a signature to what `target` holds. Both are read from start to end, the
 * signature first, and neither is trusted: whatever the signature says, the work is bounded by a fixed number of steps
 * for each byte of the two. The sink must use or copy what it gets before it returns. Progress counts bytes of the
 * target. Holds the signature, some 20 bytes for each of its blocks, and 2 MiB or two blocks.
 *
 * @throws UpdateRepositoryError FORMAT for a malformed signature, MEMORY, IO, CHANGED_WHILE_READ, INTERRUPTED, CONFIG (an engine that cannot
 * be had), and what the sink throws
 */
export async function writeDeltaFromSignature(
  inputs: { readonly signature: ByteInput; readonly target: ByteInput },
  sink: (bytes: Uint8Array) => void,
  hooks: DeltaHooks = {},
  choice: SignatureEngineChoice = 'auto',
): Promise<SignatureDeltaStatistics> {
  const { signature, target } = inputs;
  const engine = chooseSignatureEngine(choice);
  const kind = readHeader(signature);
  const entries = readEntries(signature, kind);
  const room = pieceBytes(kind.blockBytes, target.sizeBytes);
  const searcher = engine.searcher(kind, entries.blocks, room, (into) => entries.store(into));
  const writer = new DeltaWriter(sink, target.name);
  const targetBytes = await searchTarget(target, searcher, kind.blockBytes, writer, hooks);
  return { ...writer.finish(), kind, blocks: entries.blocks, targetBytes, engine: engine.name };
}

function readHeader(signature: ByteInput): SignatureKind {
  const header = new Uint8Array(SIGNATURE_HEADER_BYTES);
  return parseSignatureHeader(header.subarray(0, signature.fill(header)), signature.name);
}

/** The entries of a signature: a file's are read straight to their place, a pipe's are counted first. */
interface Entries {
  readonly blocks: number;
  store(into: Uint8Array): void;
}

function readEntries(signature: ByteInput, kind: SignatureKind): Entries {
  const { sizeBytes, name } = signature;
  if (sizeBytes === undefined) {
    const chunks = readChunks(signature);
    const bytes = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
    return { blocks: countEntries(bytes, kind, name), store: (into) => void storeChunks(chunks, into) };
  }
  const blocks = countEntries(sizeBytes - SIGNATURE_HEADER_BYTES, kind, name);
  return {
    blocks,
    store: (into) => {
      const found = signature.fill(into);
      if (found < into.length) throw truncatedSignature(name, `${into.length} bytes of sums`, `${found} bytes`);
    },
  };
}

function countEntries(bytes: number, kind: SignatureKind, name: string): number {
  const size = entryBytes(kind);
  const blocks = Math.floor(bytes / size);
  if (bytes === blocks * size) return blocks;
  throw truncatedSignature(name, `entries of ${size} bytes`, `${bytes - blocks * size} bytes after ${blocks} of them`);
}

function readChunks(signature: ByteInput): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  for (;;) {
    const chunk = new Uint8Array(SIGNATURE_CHUNK_BYTES);
    const length = signature.fill(chunk);
    chunks.push(chunk.subarray(0, length));
    if (length < chunk.length) return chunks;
  }
}

function storeChunks(chunks: readonly Uint8Array[], into: Uint8Array): void {
  let at = 0;
  for (const chunk of chunks) {
    into.set(chunk, at);
    at += chunk.length;
  }
}

/** Room for two blocks, but for no more than there is: a hostile block length costs nothing where the target is small. */
function pieceBytes(blockBytes: number, sizeBytes = Number.POSITIVE_INFINITY): number {
  return Math.min(Math.max(2 * blockBytes, blockBytes + PIECE_BYTES), sizeBytes + 1);
}

async function searchTarget(
  target: ByteInput,
  searcher: BlockSearcher,
  blockBytes: number,
  writer: DeltaWriter,
  hooks: DeltaHooks,
): Promise<number> {
  const { text } = searcher;
  let held = 0;
  let targetBytes = 0;
  for (let isLast = false; !isLast; ) {
    const read = target.fill(text.subarray(held));
    isLast = held + read < text.length;
    held += read;
    targetBytes += read;
    const done = searchPiece(searcher, { held, read, isLast }, blockBytes, writer);
    text.copyWithin(0, done, held);
    held -= done;
    if (held === text.length) throw changed(target);
    // Signals are heard between two pieces.
    await setImmediate();
    reportProgress(targetBytes, target.name, hooks);
  }
  return targetBytes;
}

/** Writes what the first `held` bytes of the text come to; returns how many are done with. */
function searchPiece(
  searcher: BlockSearcher,
  { held, read, isLast }: { readonly held: number; readonly read: number; readonly isLast: boolean },
  blockBytes: number,
  writer: DeltaWriter,
): number {
  let patienceBytes = PATIENCE_PER_BYTE * read;
  let at = 0;
  while (isLast ? at < held : held - at >= blockBytes) {
    const matches = searcher.search({ from: at, to: held, isLast, patienceBytes });
    writeMatches(searcher.text, at, matches, blockBytes, writer);
    at = matches.end;
    patienceBytes = 0;
  }
  return at;
}

function writeMatches(text: Uint8Array, from: number, matches: Matches, blockBytes: number, writer: DeltaWriter): void {
  let at = from;
  for (let n = 0; n < 3 * matches.count; n += 3) {
    const start = matches.numbers[n]!;
    const length = matches.numbers[n + 1]!;
    writer.literal(text, at, start);
    writer.copy(matches.numbers[n + 2]! * blockBytes, length);
    at = start + length;
  }
  writer.literal(text, at, matches.end);
}

/** A file that has grown does not fit the memory that was meant for it. */
function changed({ name }: ByteInput): UpdateRepositoryError {
  const message = `${name}: it changed while it was read: expected the size that it had, found more`;
  return new UpdateRepositoryError('CHANGED_WHILE_READ', message, { data: { path: name } });
}
