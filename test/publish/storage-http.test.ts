import { describe, expect, onTestFinished, test } from 'vitest';
import { textObject } from '../../src/publish/release.js';
import type { StorageAbilities } from '../../src/publish/storage.js';
import { startDavApache } from '../peers/apache.mjs';
import { NGINX_DAV_EXT, startDavNginx } from '../peers/nginx.mjs';
import { startPlainPut } from '../peers/plain-put.mjs';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { haveTools, requireTools } from '../support/tools.js';
import { storageContract, type Tested } from './support/contract.js';
import { openedHttp } from './support/opened-http.js';

interface Peer {
  readonly url: string;
  stop(): Promise<void>;
}

async function testedAt({ url, stop }: Peer, abilities: StorageAbilities): Promise<Tested> {
  try {
    const [storage, other] = [await openedHttp(`${url}/mirror`), await openedHttp(`${url}/mirror/`)];
    expect(storage.abilities).toEqual(abilities);
    const end = async () => {
      await Promise.all([storage.close(), other.close()]);
      await stop();
    };
    return { storage, other, end };
  } catch (error) {
    await stop();
    throw error;
  }
}

const call = { signal: new AbortController().signal };
const ATOMIC: StorageAbilities = { conditionalPut: false, atomicPut: true };
const DAV_METHODS = 'PUT DELETE MKCOL MOVE';

describe.skipIf(!haveTools('nginx', NGINX_DAV_EXT))('nginx', () => {
  storageContract('WebDAV of nginx, with PROPFIND', async (dir) =>
    testedAt(await startDavNginx(dir, { methods: DAV_METHODS, propfind: true, autoindex: false }), ATOMIC),
  );
  storageContract('WebDAV of nginx, listed as JSON', async (dir) =>
    testedAt(await startDavNginx(dir, { methods: DAV_METHODS, propfind: false, autoindex: true }), ATOMIC),
  );
});

describe.skipIf(!haveTools('apache2'))('Apache', () => {
  storageContract('WebDAV of Apache', async (dir) => testedAt(await startDavApache(dir), ATOMIC));
});

test('an object takes no directory’s place: what is in it may be of others', async (context) => {
  requireTools(context, 'apache2');
  const { url, stop } = await startDavApache(await temporaryDirectory());
  onTestFinished(stop);
  const storage = await openedHttp(url);
  onTestFinished(() => storage.close());
  const put = (path: string) =>
    storage.put({ ...textObject(path, path, 'text/plain'), cacheControl: 'no-cache' }, call);
  await put('taken/by-others');
  await expect(put('taken')).rejects.toMatchObject({ code: 'STORAGE' });
  expect(await storage.stat('taken/by-others', call)).not.toBeNull();
});

test('what a stopped upload left behind is removed, and at last by a publish a day later', async () => {
  const { url, objects, stop } = await startPlainPut({ conditions: false, inPlace: true, move: true });
  onTestFinished(stop);
  const temporary = () => [...objects.keys()].filter((path) => path.startsWith('.update-repository/tmp/')).sort();
  const left = (name: string, ageMs: number) => {
    const lastModified = new Date(Date.now() - ageMs).toUTCString();
    objects.set(`.update-repository/tmp/${name}`, { bytes: Buffer.from('left behind'), etag: '', lastModified });
  };
  const object = { ...textObject('a', 'content', 'text/plain'), cacheControl: 'no-cache' };
  const first = await openedHttp(url);
  // What is complete cannot be moved to such a name.
  await expect(first.put({ ...object, path: 'x'.repeat(300) }, call)).rejects.toThrow(/MOVE/);
  expect(temporary()).toEqual([]);
  await first.close();
  left('yesterday', 25 * 3_600_000);
  left('today', 3_600_000);
  const second = await openedHttp(url);
  expect(temporary()).toHaveLength(2);
  const listed = [];
  for await (const { path } of second.list('', call)) listed.push(path);
  expect(listed).toEqual([]);
  await second.put(object, call);
  expect(temporary()).toEqual(['.update-repository/tmp/today']);
  await second.close();
});

test('a server that writes into what readers get is known as one', async () => {
  const { url, stop } = await startPlainPut({ conditions: false, inPlace: true });
  onTestFinished(stop);
  const storage = await openedHttp(url);
  expect(storage.abilities.atomicPut).toBe(false);
  await storage.close();
});

storageContract('PUT and MOVE', async () =>
  testedAt(await startPlainPut({ conditions: false, inPlace: true, move: true }), {
    conditionalPut: false,
    atomicPut: false,
  }),
);
storageContract('plain PUT', async () => testedAt(await startPlainPut({ conditions: false }), ATOMIC));
storageContract('plain PUT with conditions', async () =>
  testedAt(await startPlainPut({ conditions: true }), { conditionalPut: true, atomicPut: true }),
);
