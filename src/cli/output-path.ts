import { lstatSync, type Stats, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { fromSystemError, UpdateRepositoryError } from '../errors.js';

/** Whether a command may write a file. */
export interface OutputRules {
  /** Whether a regular file that is there may be replaced. */
  readonly force: boolean;
  /** The files that are needed as they are. */
  readonly inputs?: readonly string[];
}

/**
 * Lets a command write the file `path`, if nothing is there or, with `force`, a regular file that is none of its inputs: said
 * before the work, not after it.
 *
 * @throws UpdateRepositoryError USAGE: a device or a directory is never replaced; NOT_FOUND: nor is a directory made
 */
export function requireWritable(path: string, { force, inputs = [] }: OutputRules): void {
  requireName(path);
  const stats = statsOf(path);
  if (stats === undefined) {
    requireDirectory(path);
    return;
  }
  if (!stats.isFile()) {
    throw new UpdateRepositoryError(
      'USAGE',
      `${path}: expected no such file or a regular one, found ${nameOf(stats)}`,
      {
        data: { path },
      },
    );
  }
  if (!force) {
    throw new UpdateRepositoryError('USAGE', `${path}: expected no such file, found one`, {
      data: { path },
      hint: 'choose another name, or replace it with --force',
    });
  }
  const input = inputs.find((name) => isSameFile(statsOf(name), stats));
  if (input === undefined) return;
  throw new UpdateRepositoryError('USAGE', `${path}: expected a file that is not read, found ${input}`, {
    data: { path, input },
    hint: 'choose another name',
  });
}

function requireName(path: string): void {
  if (path !== '' && path !== '-') return;
  throw new UpdateRepositoryError('USAGE', `expected the name of a file to write, found '${path}'`, {
    ...(path === '-' ? { hint: 'a file of that name is ./-' } : {}),
  });
}

function requireDirectory(path: string): void {
  if (statsOf(dirname(path))?.isDirectory() === true) return;
  throw new UpdateRepositoryError('NOT_FOUND', `${path}: cannot create it: there is no such directory`, {
    data: { path },
  });
}

function nameOf(stats: Stats): string {
  if (stats.isDirectory()) return 'a directory';
  return stats.isSymbolicLink() ? 'a link to nothing' : 'something else';
}

function isSameFile(one: Stats | undefined, other: Stats): boolean {
  return one !== undefined && one.dev === other.dev && one.ino === other.ino;
}

/** What is there, or where that is a link to nothing, the link. */
function statsOf(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false }) ?? lstatSync(path, { throwIfNoEntry: false });
  } catch (error) {
    throw fromSystemError(error, 'look at it', path);
  }
}
