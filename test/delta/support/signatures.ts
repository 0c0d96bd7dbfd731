import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { applyDeltaStream } from '../../../src/delta/apply-stream.js';
import { type SignatureOptions, signatureKind, writeSignature } from '../../../src/delta/signature.js';
import { type SignatureDeltaStatistics, writeDeltaFromSignature } from '../../../src/delta/signature-delta.js';
import type { SignatureEngineChoice } from '../../../src/delta/signature-engine.js';
import { ByteInput } from '../../../src/io/byte-input.js';

let files = 0;

/** A fresh file in `dir` with these bytes. */
export function fileWith(dir: string, bytes: Uint8Array): string {
  files += 1;
  const path = join(dir, `file-${files}`);
  writeFileSync(path, bytes);
  return path;
}

/** All four kinds of signature. */
export const KINDS = (['rabinkarp', 'rollsum'] as const).flatMap((weak) =>
  (['blake2', 'md4'] as const).map((strong) => ({ weak, strong })),
);

/** The signature of `bytes`, by way of a file in `dir`. */
export async function signatureOf(
  dir: string,
  bytes: Uint8Array,
  options: Partial<SignatureOptions> = {},
  engine: SignatureEngineChoice = 'wasm',
): Promise<Buffer> {
  using input = new ByteInput(fileWith(dir, bytes));
  const all = { weak: 'rabinkarp', strong: 'blake2', blockBytes: 0, strongBytes: 0, ...options } as const;
  const pieces = collector();
  await writeSignature(input, signatureKind(all, input.sizeBytes), pieces.sink, {}, engine);
  return pieces.all();
}

export interface DeltaFromSignature {
  readonly delta: Buffer;
  readonly statistics: SignatureDeltaStatistics;
}

/** The delta from the file of `signature` to `target`, by way of files in `dir`. */
export async function deltaFrom(
  dir: string,
  signature: Uint8Array,
  target: Uint8Array,
  engine: SignatureEngineChoice = 'wasm',
): Promise<DeltaFromSignature> {
  using signatureInput = new ByteInput(fileWith(dir, signature));
  using targetInput = new ByteInput(fileWith(dir, target));
  const pieces = collector();
  const inputs = { signature: signatureInput, target: targetInput };
  const statistics = await writeDeltaFromSignature(inputs, pieces.sink, {}, engine);
  return { delta: pieces.all(), statistics };
}

/** What `delta` makes of `base`. */
export async function patched(dir: string, base: Uint8Array, delta: Uint8Array): Promise<Buffer> {
  using input = new ByteInput(fileWith(dir, delta));
  const pieces = collector();
  await applyDeltaStream({ basePath: fileWith(dir, base), delta: input }, pieces.sink);
  return pieces.all();
}

function collector() {
  const pieces: Buffer[] = [];
  return { sink: (bytes: Uint8Array) => void pieces.push(Buffer.from(bytes)), all: () => Buffer.concat(pieces) };
}
