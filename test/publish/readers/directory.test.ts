import { join } from 'node:path';
import { describe } from 'vitest';
import { haveTools } from '../../support/tools.js';
import { fromDirectory } from '../support/reader.js';
import { READER_TOOLS, readersSuite } from '../support/readers.js';

describe.skipIf(!haveTools(...READER_TOOLS))('a directory', () => {
  readersSuite('a directory', async (dir) => {
    const root = join(dir, 'www');
    return { target: root, fetch: fromDirectory(root), end: async () => undefined };
  });
});
