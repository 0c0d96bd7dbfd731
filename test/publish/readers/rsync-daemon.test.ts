import { join } from 'node:path';
import { describe } from 'vitest';
import { haveTools } from '../../support/tools.js';
import { fromDirectory } from '../support/reader.js';
import { READER_TOOLS, readersSuite } from '../support/readers.js';
import { startRsyncd } from '../support/rsync-peers.js';

describe.skipIf(!haveTools(...READER_TOOLS, 'rsync'))('an rsync daemon', () => {
  readersSuite('the module of an rsync daemon', async (dir) => {
    const daemon = await startRsyncd(join(dir, 'rsyncd'));
    return {
      target: `rsync://127.0.0.1:${daemon.port}/mirror/images`,
      fetch: fromDirectory(join(dir, 'rsyncd', 'mirror', 'images')),
      end: daemon.end,
    };
  });
});
