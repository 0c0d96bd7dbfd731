import { applyDeltaStream } from '../delta/apply-stream.js';
import { signatureKind, writeSignature } from '../delta/signature.js';
import { writeDeltaFromSignature } from '../delta/signature-delta.js';
import type { SignatureKind } from '../delta/signature-format.js';
import { leastStrongBytes } from '../delta/signature-lengths.js';
import { isSystemError, UpdateRepositoryError } from '../errors.js';
import { ByteInput } from '../io/byte-input.js';
import { openOutput } from '../io/byte-output.js';
import { OUTPUT_LOST } from './interrupts.js';
import type { Session } from './invocation.js';
import { RDIFF_EXIT } from './rdiff-exit-codes.js';
import { type RdiffFlags, signatureOptions } from './rdiff-options.js';

/** The three steps of rdiff. */
export type RdiffStep = 'signature' | 'delta' | 'patch';

/** A step at work. */
interface Work {
  readonly flags: RdiffFlags;
  readonly session: Session;
  /** Calls `produce` with where its bytes go, and keeps them when it is through. */
  output<T>(path: string | undefined, produce: (sink: (bytes: Uint8Array) => void) => Promise<T>): Promise<T>;
}

/**
 * Runs a step of rdiff on the files that it takes, as many as its usage allows.
 *
 * @throws UpdateRepositoryError what the functions of src/delta/ throw, IO for an output that is there without --force
 */
export async function runRdiff(
  step: RdiffStep,
  files: readonly string[],
  flags: RdiffFlags,
  session: Session,
): Promise<typeof RDIFF_EXIT.done> {
  const work: Work = { flags, session, output: (path, produce) => writeOutput(path, flags, produce) };
  const [first, second, third] = files.map((name) => (name === '-' ? undefined : name));
  if (step === 'signature') await makeSignature(first, second, work);
  else if (step === 'delta') await makeDelta(first, second, third, work);
  else await patch(first, second, third, work);
  return RDIFF_EXIT.done;
}

async function makeSignature(basis: string | undefined, path: string | undefined, work: Work): Promise<void> {
  const { flags, session } = work;
  const options = signatureOptions(flags);
  using input = new ByteInput(basis, readAtMost(flags));
  const kind = signatureKind(options, input.sizeBytes);
  warnOfShortSums(kind, input, session);
  tell(work, flags.verbose, `${input.name}: making its signature, ${describe(kind)}`);
  const made = await work.output(path, (sink) => writeSignature(input, kind, sink, session));
  noteFallback(made.engine, session);
  const sizes = `${made.inputBytes} bytes in, ${made.signatureBytes} bytes out`;
  tell(work, flags.statistics, `signature: ${made.blocks} blocks of ${kind.blockBytes} bytes, ${sizes}`);
}

async function makeDelta(
  signaturePath: string | undefined,
  newPath: string | undefined,
  path: string | undefined,
  work: Work,
): Promise<void> {
  const { flags, session } = work;
  using signature = new ByteInput(signaturePath, readAtMost(flags));
  using target = new ByteInput(newPath, readAtMost(flags));
  tell(work, flags.verbose, `${target.name}: making the delta from the file that ${signature.name} is of`);
  const made = await work.output(path, (sink) => writeDeltaFromSignature({ signature, target }, sink, session));
  noteFallback(made.engine, session);
  tell(work, flags.verbose, `${signature.name}: ${made.blocks} blocks, ${describe(made.kind)}`);
  const commands =
    `${made.copyCommands} copies of ${made.copiedBytes} bytes, ` +
    `${made.literalCommands} literals of ${made.literalBytes} bytes`;
  const sizes = `${made.targetBytes} bytes in, ${made.deltaBytes} bytes out`;
  tell(work, flags.statistics, `delta: ${commands}, ${sizes}`);
}

async function patch(
  basis: string | undefined,
  deltaPath: string | undefined,
  path: string | undefined,
  work: Work,
): Promise<void> {
  const { flags, session } = work;
  using delta = new ByteInput(deltaPath, readAtMost(flags));
  // Standard input may be a file.
  const basePath = basis ?? '/dev/stdin';
  tell(work, flags.verbose, `${basePath}: applying the delta ${delta.name} to it`);
  const bytes = await work.output(path, (sink) => applyDeltaStream({ basePath, delta }, sink, session));
  tell(work, flags.statistics, `patch: ${bytes} bytes out`);
}

function readAtMost({ inputSize }: RdiffFlags): number {
  return inputSize === 0 ? Number.POSITIVE_INFINITY : inputSize;
}

async function writeOutput<T>(
  path: string | undefined,
  { force = false, outputSize }: RdiffFlags,
  produce: (sink: (bytes: Uint8Array) => void) => Promise<T>,
): Promise<T> {
  const output = openOutput(path, { force, ...(outputSize === 0 ? {} : { maxWriteBytes: outputSize }) });
  try {
    const made = await produce((bytes) => output.write(bytes));
    output.complete();
    return made;
  } catch (error) {
    output.discard();
    // Nobody is left to be told, as in `… | head`.
    if (error instanceof UpdateRepositoryError && isSystemError(error.cause, 'EPIPE')) throw OUTPUT_LOST;
    throw error;
  }
}

function warnOfShortSums({ strongBytes, blockBytes }: SignatureKind, input: ByteInput, { onEvent }: Session): void {
  const least = leastStrongBytes(input.sizeBytes, blockBytes);
  if (input.sizeBytes === undefined || strongBytes >= least) return;
  const message = `strong sums of ${strongBytes} bytes may lead to a wrong delta: expected at least ${least} for this file`;
  onEvent({ type: 'note', level: 'warning', subject: input.name, message });
}

function noteFallback(engine: 'wasm' | 'js', { onEvent }: Session): void {
  if (engine === 'wasm') return;
  onEvent({ type: 'note', level: 'info', message: 'WebAssembly cannot be had here: a slower engine did the work' });
}

function tell({ session }: Work, wanted: boolean | undefined, message: string): void {
  if (wanted === true) session.onEvent({ type: 'note', level: 'info', message });
}

function describe({ weak, strong, blockBytes, strongBytes }: SignatureKind): string {
  return `${weak} and ${strong}, ${blockBytes} bytes a block, ${strongBytes} bytes a strong sum`;
}
