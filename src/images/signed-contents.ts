import { UpdateRepositoryError } from '../errors.js';
import { metaPath } from '../metadata/mirror-paths.js';
import { type RepositoryContents, repositoryContents } from '../trust/tuf/contents.js';
import { NO_CONTENTS } from '../trust/tuf/make-keys.js';
import { readExpectations } from './expectations.js';
import { readSettledIndexes } from './settled-indexes.js';
import type { MirrorView } from './site.js';

/**
 * What a mirror vouches for by its indexes as they are on the disk: for its first metadata alone, since whoever can write
 * the mirror says it. Nothing, where it was never built. Throws CONFIG when they are damaged or a build was interrupted.
 */
export async function contentsOnDisk({ mirrorDir, state }: MirrorView): Promise<RepositoryContents> {
  const { texts, interrupted } = await readSettledIndexes(mirrorDir, state);
  if (texts.size === 0) return NO_CONTENTS;
  const { metas, problems } = readExpectations(texts, interrupted);
  const error = problems.find(({ level }) => level === 'error');
  const known = new Set<string>(metas.map(({ series }) => metaPath(series)));
  if (error === undefined && !interrupted) {
    return repositoryContents(metas, new Map([...texts].filter(([path]) => known.has(path) || !path.includes('/'))));
  }
  const found = error === undefined ? 'a build that was interrupted' : `${error.path}: ${error.message}`;
  throw new UpdateRepositoryError('CONFIG', `${mirrorDir}: expected sound indexes to sign, found ${found}`, {
    data: { path: mirrorDir },
    hint: 'run a build of it, and `verify`',
  });
}
