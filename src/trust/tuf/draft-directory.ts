import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fromSystemError, UpdateRepositoryError } from '../../errors.js';
import { makeDirectory, readTextFile, writeFileAtomic } from '../../io/atomic-file.js';
import { requireEmptyDirectory } from '../../io/empty-directory.js';
import { type Envelope, MAX_BYTES, type RootDocument } from './documents.js';
import { type Drafts, parseDrafts, renderDrafts } from './drafts.js';
import { parseEnvelope, renderEnvelope } from './parse-document.js';

/*
 * Drafts as they are carried from one machine to another: `<version>.root.json`, `<version>.targets.json`, and beside
 * them the root that they follow, from which a machine without the mirror knows who has to sign.
 */

const PREVIOUS_ROOT = 'previous-root.json';
const DRAFT_NAME = /^\d+\.(?:root|targets)\.json$/;

/** Writes drafts; into a new or empty directory where `previous`, the root that they follow, is not in it yet. */
export async function writeDrafts(
  directory: string,
  drafts: Drafts,
  previous: Envelope<RootDocument> | null,
): Promise<string[]> {
  const files = new Map(renderDrafts(drafts));
  if (previous !== null) {
    await requireEmptyDirectory(directory);
    await makeDirectory(directory);
    files.set(PREVIOUS_ROOT, renderEnvelope(previous));
  }
  const paths: string[] = [];
  for (const [name, text] of files) {
    const path = join(directory, name);
    await writeFileAtomic(path, text, `${path}.new`);
    paths.push(path);
  }
  return paths;
}

/** Reads what {@link writeDrafts} wrote. Throws CONFIG when there are no drafts, FORMAT when one is malformed. */
export async function readDraftDirectory(
  directory: string,
): Promise<{ readonly drafts: Drafts; readonly previousRoot: Envelope<RootDocument> | null }> {
  const texts = new Map<string, string>();
  for (const name of (await listNames(directory)).filter((name) => DRAFT_NAME.test(name)).sort()) {
    const text = await readTextFile(join(directory, name), MAX_BYTES.targets);
    if (text !== null) texts.set(name, text);
  }
  if (texts.size === 0) {
    throw new UpdateRepositoryError('CONFIG', `${directory}: expected drafts of root or targets, found none`, {
      data: { path: directory },
    });
  }
  const previous = join(directory, PREVIOUS_ROOT);
  const text = await readTextFile(previous, MAX_BYTES.root);
  return { drafts: parseDrafts(texts), previousRoot: text === null ? null : parseEnvelope('root', text, previous) };
}

async function listNames(directory: string): Promise<string[]> {
  try {
    return await readdir(directory);
  } catch (error) {
    throw fromSystemError(error, 'list it', directory);
  }
}
