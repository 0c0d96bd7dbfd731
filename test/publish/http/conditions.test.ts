import { expect, onTestFinished, test } from 'vitest';
import { textObject } from '../../../src/publish/release.js';
import { startDavApache } from '../../peers/apache.mjs';
import { startPlainPut } from '../../peers/plain-put.mjs';
import { temporaryDirectory } from '../../support/temporary-directory.js';
import { requireTools } from '../../support/tools.js';
import { openedHttp } from '../support/opened-http.js';

const call = { signal: new AbortController().signal };

async function conditionalAt(url: string): Promise<boolean> {
  const storage = await openedHttp(url);
  await storage.close();
  return storage.abilities.conditionalPut;
}

test('conditions count where one of two writers at the same time loses', async () => {
  const { url, stop } = await startPlainPut({ conditions: true });
  onTestFinished(stop);
  expect(await conditionalAt(url)).toBe(true);
});

test('conditions count also where a second ends while they are looked at', async () => {
  const { url, objects, stop } = await startPlainPut({ conditions: true });
  onTestFinished(stop);
  const { set } = objects;
  let isFirst = true;
  objects.set = (path, object) => {
    const lastModified = isFirst ? new Date(Date.parse(object.lastModified) - 1000).toUTCString() : object.lastModified;
    isFirst = false;
    return set.call(objects, path, { ...object, lastModified });
  };
  expect(await conditionalAt(url)).toBe(true);
});

test('ETags of second and size tell nothing apart, also where a second ends while they are looked at', async () => {
  const { url, objects, stop } = await startPlainPut({ conditions: true });
  onTestFinished(stop);
  const { set } = objects;
  let isFirst = true;
  objects.set = (path, { bytes }) => {
    const lastModified = new Date(Date.now() - (isFirst ? 10_000 : 0)).toUTCString();
    isFirst = false;
    return set.call(objects, path, { bytes, etag: `"${Date.parse(lastModified)}-${bytes.length}"`, lastModified });
  };
  const storage = await openedHttp(url);
  onTestFinished(() => storage.close());
  const put = (text: string) =>
    storage.put({ ...textObject('changing', text, 'text/plain'), cacheControl: 'no-cache' }, call);
  const revisions = new Set([await put('one'), await put('two'), await put('six')].map((stored) => stored?.revision));
  expect(revisions.size).toBe(3);
});

test('a server that forgets the condition of an overtaken request has none', async () => {
  const { url, stop } = await startPlainPut({ conditions: true, checksEarly: true });
  onTestFinished(stop);
  expect(await conditionalAt(url)).toBe(false);
});

test('Apache looks at conditions when a request begins, so they are not relied on', async (context) => {
  requireTools(context, 'apache2');
  const { url, stop } = await startDavApache(await temporaryDirectory());
  onTestFinished(stop);
  const put = async (path: string) =>
    (await fetch(`${url}/${path}`, { method: 'PUT', headers: { 'if-none-match': '*' }, body: 'x' })).status;
  expect([await put('a'), await put('a')]).toEqual([201, 412]);
  expect(await conditionalAt(url)).toBe(false);
});
