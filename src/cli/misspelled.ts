import { UpdateRepositoryError } from '../errors.js';
import { nearest } from './nearest.js';

/**
 * Throws USAGE when the first word of a line is near the name of a command and no directory: it is a slip, and not the
 * images of a build. Before the line is parsed, because as a build it would be refused for its other words.
 */
export function refuseMisspelled(
  argv: readonly string[],
  commands: readonly string[],
  isDirectory: (path: string) => boolean,
): void {
  const word = argv.find((argument) => !argument.startsWith('-'));
  // A word with a slash is a path.
  if (word === undefined || word.includes('/') || commands.includes(word)) return;
  const suggestion = nearest(word, commands);
  if (suggestion === undefined || isDirectory(word)) return;
  throw new UpdateRepositoryError(
    'USAGE',
    `'${word}' is neither a command nor a directory (did you mean ${suggestion}?)`,
    { data: { word } },
  );
}
