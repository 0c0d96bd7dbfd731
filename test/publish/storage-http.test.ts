import { describe } from 'vitest';
import { openHttpStorage } from '../../src/publish/http/open.js';
import { startDavApache } from '../peers/apache.mjs';
import { NGINX_DAV_EXT, startDavNginx } from '../peers/nginx.mjs';
import { startPlainPut } from '../peers/plain-put.mjs';
import { haveTools } from '../support/tools.js';
import { storageContract, type Tested } from './support/contract.js';

interface Peer {
  readonly url: string;
  stop(): Promise<void>;
}

async function testedAt({ url, stop }: Peer): Promise<Tested> {
  const [storage, other] = [await openHttpStorage(`${url}/mirror`), await openHttpStorage(`${url}/mirror/`)];
  const end = async () => {
    await Promise.all([storage.close(), other.close()]);
    await stop();
  };
  return { storage, other, end };
}

const DAV_METHODS = 'PUT DELETE MKCOL MOVE';

describe.skipIf(!haveTools('nginx', NGINX_DAV_EXT))('nginx', () => {
  storageContract('WebDAV of nginx, with PROPFIND', async (dir) =>
    testedAt(await startDavNginx(dir, { methods: DAV_METHODS, propfind: true, autoindex: false })),
  );
  storageContract('WebDAV of nginx, listed as JSON', async (dir) =>
    testedAt(await startDavNginx(dir, { methods: DAV_METHODS, propfind: false, autoindex: true })),
  );
});

describe.skipIf(!haveTools('apache2'))('Apache', () => {
  storageContract('WebDAV of Apache', async (dir) => testedAt(await startDavApache(dir)));
});

storageContract('plain PUT', async () => testedAt(await startPlainPut({ conditions: false })));
storageContract('plain PUT with conditions', async () => testedAt(await startPlainPut({ conditions: true })));
