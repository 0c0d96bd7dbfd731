import { hasCode, UpdateRepositoryError } from '../errors.js';
import type { PuavoIdentity } from '../inspection.js';
import type { Squashfs } from './squashfs.js';

const DEFINITIONS = '/usr/share/puavo-conf/definitions';
const IDENTITY = '/etc/puavo-image';
const MAX_DEFINITION_FILES = 10_000;
const MAX_DEFINITION_BYTES = 1024 * 1024;
const MAX_DEFINITIONS_BYTES = 64 * 1024 * 1024;
const MAX_LABEL_BYTES = 4096;

/** A file of the image as text. */
export interface DefinitionFile {
  /** Its path inside the image. */
  readonly path: string;
  readonly text: string;
}

/** What the mirror wants to know of a Puavo image. */
export interface PuavoImage {
  /** The file name that the image was built under, null where it has none. */
  readonly innerName: string | null;
  /** The files that define puavo-conf parameters, sorted bytewise by name. */
  readonly definitionFiles: readonly DefinitionFile[];
}

/**
 * Reads from a Puavo image its own name and its puavo-conf definitions, each file of which may have 1 MiB, all together
 * 64 MiB.
 *
 * @throws FORMAT where a file is damaged, too large, no text in UTF-8, or a link to nowhere, or there are more than
 * 10,000.
 */
export async function readPuavoImage(image: Squashfs): Promise<PuavoImage> {
  return { innerName: await readLabel(image, 'name'), definitionFiles: await readDefinitions(image) };
}

/**
 * Reads what a Puavo image calls itself; null for an image that has none of it.
 *
 * @throws FORMAT where a file is damaged, longer than 4 KiB or no text in UTF-8.
 */
export async function readPuavoIdentity(image: Squashfs): Promise<PuavoIdentity | null> {
  const name = await readLabel(image, 'name');
  const imageClass = await readLabel(image, 'class');
  const release = await readLabel(image, 'release');
  if (name === null && imageClass === null && release === null) return null;
  return { name, class: imageClass, release };
}

/** The line in a file of /etc/puavo-image, null where there is no such file. */
async function readLabel(image: Squashfs, file: string): Promise<string | null> {
  try {
    return (await readText(image, `${IDENTITY}/${file}`, MAX_LABEL_BYTES)).trim();
  } catch (error) {
    if (hasCode(error, 'NOT_FOUND')) return null;
    throw error;
  }
}

async function readDefinitions(image: Squashfs): Promise<DefinitionFile[]> {
  const names = await listDefinitions(image);
  if (names.length > MAX_DEFINITION_FILES) {
    throw unusable(image, DEFINITIONS, `at most ${MAX_DEFINITION_FILES} definition files`, `${names.length}`);
  }
  const files: DefinitionFile[] = [];
  let remaining = MAX_DEFINITIONS_BYTES;
  for (const name of names) {
    const path = `${DEFINITIONS}/${name}`;
    const text = await readDefinition(image, path);
    remaining -= Buffer.byteLength(text);
    if (remaining < 0) throw unusable(image, path, `definitions of ${MAX_DEFINITIONS_BYTES} bytes in all`, 'more');
    files.push({ path, text });
  }
  return files;
}

/** What a shell's `*.json` stands for: no hidden files. */
async function listDefinitions(image: Squashfs): Promise<string[]> {
  try {
    const names = (await image.list(DEFINITIONS)).map(({ name }) => name);
    return names.filter((name) => name.endsWith('.json') && !name.startsWith('.')).sort(compareBytes);
  } catch (error) {
    if (hasCode(error, 'NOT_FOUND')) return [];
    throw error;
  }
}

async function readDefinition(image: Squashfs, path: string): Promise<string> {
  try {
    return await readText(image, path, MAX_DEFINITION_BYTES);
  } catch (error) {
    if (!hasCode(error, 'NOT_FOUND')) throw error;
    throw unusable(image, path, 'a definition file', 'a link to nowhere', error);
  }
}

async function readText(image: Squashfs, path: string, maxBytes: number): Promise<string> {
  const bytes = await image.readFile(path, { maxBytes });
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    throw unusable(image, path, 'text in UTF-8', 'other bytes', error);
  }
}

function compareBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

function unusable(
  image: Squashfs,
  path: string,
  expected: string,
  found: string,
  cause?: unknown,
): UpdateRepositoryError {
  const message = `${image.name}: ${path}: expected ${expected}, found ${found}`;
  return new UpdateRepositoryError('FORMAT', message, { data: { image: image.name, path, expected, found }, cause });
}
