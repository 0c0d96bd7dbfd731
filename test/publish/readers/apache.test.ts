import { describe } from 'vitest';
import { startDavApache } from '../../peers/apache.mjs';
import { haveTools } from '../../support/tools.js';
import { overHttp } from '../support/reader.js';
import { READER_TOOLS, readersSuite } from '../support/readers.js';

describe.skipIf(!haveTools(...READER_TOOLS, 'apache2'))('Apache', () => {
  readersSuite('WebDAV of Apache', async (dir) => {
    const apache = await startDavApache(dir);
    return { target: `${apache.url}/images`, fetch: overHttp(`${apache.url}/images`), end: apache.stop };
  });
});
