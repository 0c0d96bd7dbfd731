import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { type Pack, pack } from 'tar-stream';
import { UpdateRepositoryError } from '../../errors.js';
import { type ByteOutput, openOutput } from '../../io/byte-output.js';
import { type BundledFile, type BundleManifest, MANIFEST_NAME, membersOf, renderManifest } from './manifest.js';
import { type MemberHeader, memberHeader } from './member-header.js';

export interface WriteBundleRequest {
  readonly manifest: BundleManifest;
  /** Opens the bytes of a file of the manifest. Called once for each, in order, when they are needed. */
  readonly openFile: (file: BundledFile) => AsyncIterable<Uint8Array>;
  /** Where the bundle goes: a file, or undefined for standard output. */
  readonly path: string | undefined;
  /** Whether a file that is there may be replaced. */
  readonly force: boolean;
  readonly signal: AbortSignal;
}

/**
 * Writes a bundle and returns its size. It appears under its name when it is complete; the same manifest gives the same
 * bytes. Each file is compared with its size and sha256 while it is written. Holds a few pieces of what `openFile` yields.
 *
 * @throws UpdateRepositoryError VERIFICATION when a file is not what the manifest says; NO_SPACE, IO; INTERRUPTED
 */
export async function writeBundle(request: WriteBundleRequest): Promise<number> {
  const output = openOutput(request.path, { force: request.force });
  try {
    const sizeBytes = await writeArchive(request, output);
    output.complete();
    return sizeBytes;
  } catch (error) {
    output.discard();
    throw error;
  }
}

async function writeArchive(request: WriteBundleRequest, output: ByteOutput): Promise<number> {
  const archive = pack();
  const adding = addMembers(archive, request).catch((error: unknown) => {
    archive.destroy(error instanceof Error ? error : new Error(String(error)));
    throw error;
  });
  // Whichever side fails ends the other. That of the output tells why in both cases.
  const [written, added] = await Promise.allSettled([drain(archive, output), adding]);
  if (written.status === 'rejected') throw written.reason;
  if (added.status === 'rejected') throw added.reason;
  return written.value;
}

async function drain(archive: Pack, output: ByteOutput): Promise<number> {
  let sizeBytes = 0;
  for await (const bytes of archive as AsyncIterable<Uint8Array>) {
    output.write(bytes);
    sizeBytes += bytes.length;
  }
  return sizeBytes;
}

async function addMembers(archive: Pack, { manifest, openFile, signal }: WriteBundleRequest): Promise<void> {
  const text = Buffer.from(renderManifest(manifest));
  await addMember(archive, { filename: MANIFEST_NAME, size: text.length }, [text]);
  for (const file of membersOf(manifest)) {
    await addMember(archive, file, checked(openFile(file), file, signal));
  }
  archive.finalize();
}

async function addMember(
  archive: Pack,
  { filename, size }: { readonly filename: string; readonly size: number },
  bytes: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
): Promise<void> {
  const { sink, ended } = openMember(archive, memberHeader(filename, size));
  for await (const piece of bytes) {
    if (!sink.write(piece)) throwIfFailed(await Promise.race([drained(sink), ended]));
  }
  sink.end(null);
  throwIfFailed(await ended);
}

interface OpenMember {
  readonly sink: ReturnType<Pack['entry']>;
  /** Resolves to what it failed with, at any time; null where it is complete. */
  readonly ended: Promise<Error | null>;
}

function openMember(archive: Pack, header: MemberHeader): OpenMember {
  let end: (error?: Error | null) => void = () => undefined;
  const ended = new Promise<Error | null>((resolve) => {
    end = (error) => resolve(error ?? null);
  });
  const sink = archive.entry(header, (error) => end(error));
  sink.on('error', end);
  return { sink, ended };
}

/** Null as soon as there is room again. */
async function drained(sink: OpenMember['sink']): Promise<null> {
  await once(sink, 'drain');
  return null;
}

function throwIfFailed(failure: Error | null): void {
  if (failure !== null) throw failure;
}

/** Passes bytes on, and fails when they turn out not to be those of `file`. */
async function* checked(
  bytes: AsyncIterable<Uint8Array>,
  file: BundledFile,
  signal: AbortSignal,
): AsyncIterable<Uint8Array> {
  const { filename, size, sha256 } = file;
  const hash = createHash('sha256');
  let count = 0;
  for await (const piece of bytes) {
    if (signal.aborted) throw new UpdateRepositoryError('INTERRUPTED', 'interrupted', { cause: signal.reason });
    count += piece.length;
    if (count > size) break;
    hash.update(piece);
    yield piece;
  }
  const found = hash.digest('hex');
  if (count === size && found === sha256) return;
  const what = count === size ? `sha256 ${found}` : count > size ? 'more' : `${count} bytes`;
  const expected = count === size ? `sha256 ${sha256}` : `${size} bytes`;
  throw new UpdateRepositoryError('VERIFICATION', `${filename}: expected ${expected}, found ${what}`, {
    data: { filename, sizeBytes: size, sha256 },
  });
}
