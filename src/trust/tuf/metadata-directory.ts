import { rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fromSystemError } from '../../errors.js';
import { makeDirectory, readTextFile, writeFileAtomic } from '../../io/atomic-file.js';
import { readPlainTextFile, requirePlainDirectories } from '../../io/plain-file.js';
import { jsonItems, jsonString, parseJson } from '../../metadata/json-node.js';
import { findRelativePathFault } from '../../metadata/safe-name.js';
import { isRootPath, METADATA_DIR } from './documents.js';
import { members } from './members.js';
import type { NextRepository, RepositoryFile } from './next-repository.js';
import type { ReadMetadata } from './repository.js';

/** Where a mirror's metadata is written. */
export interface MetadataPlace {
  readonly mirrorDir: string;
  /** A directory that is not served, on the same file system, for files in the making. */
  readonly privateDir: string;
}

const JOURNAL_FILE = 'unfinished-metadata.json';
const MAX_JOURNAL_BYTES = 512 * 1_024 * 1_024;
const MAX_JOURNAL_FILES = 200_000;

/**
 * Reads the metadata of a mirror from its directory. Whoever can write there is not to have a signer wait or look elsewhere: what
 * is no plain file in plain directories is refused.
 */
export function readFrom(mirrorDir: string): ReadMetadata {
  return async (fileName, maxBytes) => {
    const path = join(METADATA_DIR, fileName);
    await requirePlainDirectories(mirrorDir, dirname(path));
    return await readPlainTextFile(join(mirrorDir, path), maxBytes);
  };
}

/**
 * Writes the files of a repository's next state, stage by stage, each atomically. A new root is seen by clients as soon
 * as it is there, and what was signed by the keys before it alone is then refused: a state with a root in it is noted in
 * full first, and {@link finishWriting} completes it after a kill at any instant. Without a root nothing is seen before the
 * timestamp, the last file, and what a kill left is written again by the next build.
 */
export async function writeRepository({ stages }: NextRepository, place: MetadataPlace): Promise<void> {
  const files = stages.flat();
  const journal = join(place.privateDir, JOURNAL_FILE);
  const hasRoot = files.some(({ path }) => isRootPath(path));
  await makeDirectory(place.privateDir);
  if (hasRoot) await writeFileAtomic(journal, JSON.stringify({ files }), `${journal}.new`);
  await writeFiles(files, place);
  if (hasRoot) await remove(journal);
}

/** Whether {@link writeRepository} was killed with a root in its hands. */
export async function isUnfinished({ privateDir }: MetadataPlace): Promise<boolean> {
  return (await readTextFile(join(privateDir, JOURNAL_FILE), MAX_JOURNAL_BYTES)) !== null;
}

/** Completes what {@link writeRepository} was killed in, and gives its files; to be called before the metadata is read. */
export async function finishWriting(place: MetadataPlace): Promise<readonly RepositoryFile[]> {
  const journal = join(place.privateDir, JOURNAL_FILE);
  const text = await readTextFile(journal, MAX_JOURNAL_BYTES);
  if (text === null) return [];
  const files = parseJournal(text, journal);
  await writeFiles(files, place);
  await remove(journal);
  return files;
}

async function writeFiles(files: readonly RepositoryFile[], { mirrorDir, privateDir }: MetadataPlace): Promise<void> {
  for (const { path, text } of files) {
    const target = join(mirrorDir, path);
    await requirePlainDirectories(mirrorDir, dirname(path));
    await makeDirectory(dirname(target));
    await writeFileAtomic(target, text, join(privateDir, 'metadata.new'));
  }
}

async function remove(path: string): Promise<void> {
  try {
    await rm(path);
  } catch (error) {
    throw fromSystemError(error, 'remove it', path);
  }
}

/** Nothing outside the metadata is written, whatever a journal says. */
function parseJournal(text: string, file: string): RepositoryFile[] {
  const { files } = members(parseJson(text, { file, code: 'FORMAT' }), ['files']);
  return jsonItems(files, MAX_JOURNAL_FILES).map((item) => {
    const nodes = members(item, ['path', 'text']);
    const inMetadata = (path: string) => path.startsWith(`${METADATA_DIR}/`) && findRelativePathFault(path) === null;
    return {
      path: jsonString(nodes.path, `a plain path below ${METADATA_DIR}/`, inMetadata),
      text: jsonString(nodes.text, 'the text of a file', () => true),
    };
  });
}
