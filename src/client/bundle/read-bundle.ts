import { createHash } from 'node:crypto';
import { UpdateRepositoryError } from '../../errors.js';
import { describeName } from '../../metadata/describe-value.js';
import { fileOf, type Hop } from '../hop.js';
import {
  type BundledFile,
  type BundleManifest,
  MANIFEST_NAME,
  MAX_MANIFEST_BYTES,
  membersOf,
  parseManifest,
} from './manifest.js';
import { type TarMember, TarReader } from './tar-reader.js';

/** A bundle that is being read. */
export interface OpenBundle {
  readonly manifest: BundleManifest;
  /** The texts of its signed metadata by path, of which nothing is believed yet. */
  readonly metadata: ReadonlyMap<string, string>;
  /**
   * The files in the order of the hops, once. Of each as much may be read as is wanted; the rest is read, and compared,
   * before the next. Whoever ends the iteration early ends the reading of the source.
   */
  readonly files: AsyncIterable<BundleMember>;
  /** Ends the reading of the source. */
  close(): Promise<void>;
}

export interface BundleMember {
  readonly hop: Hop;
  /** The bytes, once. Ends with an error where they are not those that the manifest says. */
  readonly bytes: AsyncIterable<Uint8Array>;
}

/**
 * Reads the beginning of a bundle of foreign origin; `name` opens the messages. The members have to be bundle.json and
 * the files that it says, in their order, as plain files of the sizes that it says, and nothing more. Holds some MiB beside
 * the manifest and the signed metadata.
 *
 * @throws UpdateRepositoryError FORMAT with the name of the member that is wrong, here and while the files are read;
 *   VERIFICATION when a file has other bytes; what `source` fails with
 */
export async function openBundle(source: AsyncIterable<Uint8Array>, name: string): Promise<OpenBundle> {
  const reader = new TarReader(source, name);
  try {
    reader.allow(MAX_MANIFEST_BYTES);
    const manifest = await readManifest(reader, name);
    reader.allow(membersOf(manifest).reduce((sum, { size }) => sum + size, 0));
    const metadata = await readMetadata(reader, manifest, name);
    return { manifest, metadata, files: readFiles(reader, manifest, name), close: () => reader.close() };
  } catch (error) {
    await reader.close();
    throw error;
  }
}

async function readManifest(reader: TarReader, name: string): Promise<BundleManifest> {
  const member = await nextMember(reader, MANIFEST_NAME, name);
  const { sizeBytes } = member;
  if (sizeBytes > MAX_MANIFEST_BYTES) {
    throw wrongMember(name, MANIFEST_NAME, `at most ${MAX_MANIFEST_BYTES} bytes`, `${sizeBytes}`);
  }
  const pieces: Uint8Array[] = [];
  for (let piece = await member.next(); piece !== null; piece = await member.next()) pieces.push(piece);
  return parseManifest(decode(pieces, MANIFEST_NAME, name), `${name}: ${MANIFEST_NAME}`);
}

async function readMetadata(
  reader: TarReader,
  { metadata }: BundleManifest,
  name: string,
): Promise<Map<string, string>> {
  const texts = new Map<string, string>();
  for (const file of metadata) {
    const member = await nextFile(reader, file, name);
    const pieces: Uint8Array[] = [];
    for await (const piece of checked(member, file.sha256, name)) pieces.push(piece);
    texts.set(file.filename, decode(pieces, file.filename, name));
  }
  return texts;
}

function decode(pieces: readonly Uint8Array[], member: string, name: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.concat(pieces));
  } catch (error) {
    throw wrongMember(name, member, 'UTF-8 text', 'other bytes', error);
  }
}

async function* readFiles(reader: TarReader, { hops }: BundleManifest, name: string): AsyncIterable<BundleMember> {
  try {
    for (const hop of hops) {
      const file = fileOf(hop);
      const member = await nextFile(reader, file, name);
      const pieces = checked(member, file.sha256, name);
      yield { hop, bytes: { [Symbol.asyncIterator]: () => unclosing(pieces) } };
      while ((await pieces.next()).done !== true);
    }
    const surplus = await reader.next();
    if (surplus !== null) throw wrongMember(name, surplus.name, 'no further member', 'one');
  } finally {
    await reader.close();
  }
}

async function nextFile(reader: TarReader, { filename, size }: BundledFile, name: string): Promise<TarMember> {
  const member = await nextMember(reader, filename, name);
  if (member.sizeBytes === size) return member;
  throw wrongMember(name, filename, `${size} bytes`, `${member.sizeBytes}`);
}

async function nextMember(reader: TarReader, expected: string, name: string): Promise<TarMember> {
  const member = await reader.next();
  if (member === null) throw wrongMember(name, expected, 'this member', 'the end of the archive');
  if (member.name !== expected) throw wrongMember(name, member.name, `the member ${expected} in its place`, 'another');
  if (!member.isFile) throw wrongMember(name, expected, 'a plain file', 'something else');
  return member;
}

async function* checked({ name: filename, next }: TarMember, sha256: string, name: string): AsyncGenerator<Uint8Array> {
  const hash = createHash('sha256');
  for (let piece = await next(); piece !== null; piece = await next()) {
    hash.update(piece);
    yield piece;
  }
  const found = hash.digest('hex');
  if (found === sha256) return;
  const message = `${name}: ${describeName(filename)}: expected sha256 ${sha256}, found ${found}`;
  throw new UpdateRepositoryError('VERIFICATION', message, { data: { file: name, member: filename } });
}

/** Leaving a loop over the bytes early does not end them: what is left is still to be compared. */
function unclosing<T>(iterator: AsyncIterator<T>): AsyncIterator<T> {
  return { next: () => iterator.next() };
}

function wrongMember(
  file: string,
  member: string,
  expected: string,
  found: string,
  cause?: unknown,
): UpdateRepositoryError {
  return new UpdateRepositoryError('FORMAT', `${file}: ${describeName(member)}: expected ${expected}, found ${found}`, {
    data: { file, member },
    ...(cause === undefined ? {} : { cause }),
  });
}
