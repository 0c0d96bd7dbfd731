import { describe } from 'vitest';
import { NGINX_DAV_EXT, startDavNginx } from '../../peers/nginx.mjs';
import { haveTools } from '../../support/tools.js';
import { overHttp } from '../support/reader.js';
import { READER_TOOLS, readersSuite } from '../support/readers.js';

describe.skipIf(!haveTools(...READER_TOOLS, 'nginx', NGINX_DAV_EXT))('nginx', () => {
  readersSuite('WebDAV of nginx', async (dir) => {
    const nginx = await startDavNginx(dir, { methods: 'PUT DELETE MKCOL MOVE', propfind: true, autoindex: false });
    return { target: `${nginx.url}/images`, fetch: overHttp(`${nginx.url}/images`), end: nginx.stop };
  });
});
