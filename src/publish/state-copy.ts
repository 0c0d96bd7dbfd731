import { createHash } from 'node:crypto';
import { dirname, join } from 'node:path';
import { hasCode, UpdateRepositoryError } from '../errors.js';
import { makeDirectory, readTextFile, writeFileQuickly } from '../io/atomic-file.js';
import { PRIVATE_DIR } from '../metadata/mirror-paths.js';
import type { StateCopy } from './remote.js';
import { MAX_STATE_BYTES } from './remote-state.js';
import type { Storage } from './storage.js';

/*
 * A mirror's private memory has a copy of what publishing remembers in each place that the mirror was published to,
 * `.update-repository/published/<sha256 of the place>`:
 *
 *     { "place", "revision", "sha256" }       of which place and revision, and of the text that follows
 *     <the text of published.json>
 */

const COPIES_DIR = join(PRIVATE_DIR, 'published');
const MAX_HEADER_BYTES = 1 << 16;

/**
 * The copy that a mirror has of the state of a storage. One that is damaged, of another place or of another revision is
 * none; where the mirror cannot be written nothing is kept, and all that costs is another download.
 */
export function stateCopyOf(mirrorDir: string, { name, place = name }: Storage): StateCopy {
  const path = join(mirrorDir, COPIES_DIR, sha256Of(place));
  return {
    async read({ revision }) {
      const [header, text] = split(await readIfUsable(path));
      return text !== null && header === headerOf(place, revision, text) ? text : null;
    },
    async keep({ revision }, text) {
      try {
        await makeDirectory(dirname(path));
        // Two that write at once may spoil it for each other: then there is none.
        await writeFileQuickly(path, `${headerOf(place, revision, text)}\n${text}`, `${path}.tmp`);
      } catch (error) {
        if (!(error instanceof UpdateRepositoryError)) throw error;
      }
    },
  };
}

async function readIfUsable(path: string): Promise<string> {
  try {
    return (await readTextFile(path, MAX_STATE_BYTES + MAX_HEADER_BYTES)) ?? '';
  } catch (error) {
    if (hasCode(error, 'FORMAT') || hasCode(error, 'IO')) return '';
    throw error;
  }
}

/** The first line, and what follows it. */
function split(content: string): [header: string, text: string | null] {
  const end = content.indexOf('\n');
  return end < 0 ? ['', null] : [content.slice(0, end), content.slice(end + 1)];
}

function headerOf(place: string, revision: string, text: string): string {
  return JSON.stringify({ place, revision, sha256: sha256Of(text) });
}

function sha256Of(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
