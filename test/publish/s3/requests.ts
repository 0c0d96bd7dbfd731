import { GetObjectCommand } from '@aws-sdk/client-s3';
import { describe, expect, test, vi } from 'vitest';
import { openStorage } from '../../../src/publish/open-storage.js';
import { cacheRule, textObject } from '../../../src/publish/release.js';
import { openS3Storage } from '../../../src/publish/s3/open-s3-storage.js';
import type { S3Options } from '../../../src/publish/s3/options.js';
import type { Storage } from '../../../src/publish/storage.js';
import type { Ceph } from '../support/ceph.js';
import { type S3Proxy, startS3Proxy } from '../support/s3-proxy.js';

const call = { signal: new AbortController().signal };
const text = (path: string, content = `this is ${path}`) => ({
  ...textObject(path, content, 'text/plain; charset=utf-8'),
  cacheControl: cacheRule('index'),
});

/** What goes over the wire: how many requests, and what is in them. */
export function s3RequestsSuite(ceph: () => Ceph): void {
  describe('requests to S3', () => {
    const through = async (address: string, options: S3Options = {}) => {
      const proxy = await startS3Proxy(ceph().endpoint);
      const s3 = { endpoint: proxy.endpoint, pathStyle: true, ...options };
      return {
        proxy,
        open: (attempts = 1) =>
          openStorage(address, { s3, ...call, retries: { attempts, firstPauseMs: 1, onEvent: () => undefined } }),
      };
    };
    const lines = ({ seen }: S3Proxy) => seen.map(({ line }) => line);

    test('to open a place is to list it; whether conditions are heeded is found out each time before something is stored', async () => {
      const { proxy, open } = await through('s3://test/probed');
      for (let time = 0; time < 2; time += 1) {
        proxy.seen.length = 0;
        const storage = await open();
        expect(storage.abilities.conditionalPut).toBe(false);
        expect(lines(proxy)).toEqual([expect.stringMatching(/^GET \/test\/?\?.*list-type=2/)]);
        await storage.prepare?.(call);
        expect(storage.abilities.conditionalPut).toBe(true);
        expect(proxy.seen.slice(1).map(({ status }) => status)).toEqual(time === 0 ? [200, 412, 412] : [412, 412]);
        expect(await count(storage, '')).toBe(0);
      }
      proxy.judge = (_, headers) => (headers['if-match'] === undefined ? 'pass' : { status: 200 });
      const storage = await open();
      await storage.prepare?.(call);
      expect(storage.abilities.conditionalPut).toBe(false);
    });

    test('a server that ignores conditions, or does not know them, is found out', async () => {
      for (const status of [200, 501]) {
        const { proxy, open } = await through('s3://test/old');
        proxy.judge = (_, headers) => (headers['if-none-match'] === undefined ? 'pass' : { status });
        const storage = await open();
        await storage.prepare?.(call);
        expect(storage.abilities.conditionalPut).toBe(false);
      }
    });

    test.each([1, 4])('each request is made %d times where it may be, and no more', async (attempts) => {
      const { proxy, open } = await through(`s3://test/asks-${attempts}`);
      const storage = await open(attempts);
      const absent = { kind: 'absent' } as const;
      const requests: Readonly<Record<string, () => Promise<unknown>>> = {
        'HEAD looked-at': () => storage.stat('looked-at', call),
        'GET read': () => storage.read('read', call),
        'PUT stored': () => storage.put(text('stored'), call),
        'PUT locked': () => storage.put({ ...text('locked'), condition: absent }, call),
        'POST ': () => storage.remove(['removed'], call),
        'GET ': () => count(storage, ''),
        'PUT .update-repository/s3/probe': () => storage.prepare?.(call) ?? Promise.resolve(),
      };
      for (const [asked, request] of Object.entries(requests)) {
        proxy.seen.length = 0;
        proxy.judge = () => ({ status: 503 });
        await expect(request()).rejects.toMatchObject({ code: 'NETWORK' });
        expect(lines(proxy), asked).toHaveLength(attempts);
        for (const line of lines(proxy)) expect(line.startsWith(`${asked.split(' ')[0]} `), line).toBe(true);
      }
    });

    test('a machine whose clock is wrong learns the time from the first answer', async () => {
      const { proxy, open } = await through('s3://test/clock');
      const storage = await open(3);
      const now = vi
        .spyOn(Date, 'now')
        .mockImplementation(() => performance.timeOrigin + performance.now() - 3_600_000);
      try {
        await storage.put(text('clock'), call);
      } finally {
        now.mockRestore();
      }
      expect(proxy.seen.filter(({ line }) => line.startsWith('PUT')).map(({ status }) => status)).toEqual([403, 200]);
    });

    test('an object is stored with its type, cache rule, sha256 and MD5, and never as compressed', async () => {
      const { proxy, open } = await through('s3://test/headers', {
        storageClass: 'STANDARD',
        acl: 'public-read',
        serverSideEncryption: 'AES256',
      });
      const storage = await open();
      // This Ceph encrypts nothing: the answer is made up, the request is what counts.
      proxy.judge = (line) => (line.includes('a.json') ? { status: 200 } : 'pass');
      const object = text('a.json', '{}');
      await storage.put(object, call);
      expect(proxy.seen.at(-1)?.headers).toMatchObject({
        'content-type': 'text/plain; charset=utf-8',
        'cache-control': 'no-cache',
        'content-length': '2',
        'content-md5': 'mZFLkyvTelC5g8XnyQrpOw==',
        'x-amz-meta-sha256': object.sha256,
        'x-amz-storage-class': 'STANDARD',
        'x-amz-acl': 'public-read',
        'x-amz-server-side-encryption': 'AES256',
      });
      expect(Object.keys(proxy.seen.at(-1)?.headers ?? {}).filter((name) => /encoding|checksum/.test(name))).toEqual(
        [],
      );
    });

    test('readers get what was said of an object, and its sha256 is known', async () => {
      const { open } = await through('s3://test/readers');
      const storage = await open();
      const object = text('b.txt');
      await storage.put(object, call);
      expect((await storage.stat('b.txt', call))?.sha256).toBe(object.sha256);
      const read = await ceph().client.send(new GetObjectCommand({ Bucket: 'test', Key: 'readers/b.txt' }));
      expect(read).toMatchObject({ ContentType: 'text/plain; charset=utf-8', CacheControl: 'no-cache' });
      expect(read.ContentEncoding).toBeUndefined();
      await read.Body?.transformToString();
    });

    test('many objects are listed and removed by one request for every thousand, with an MD5', async () => {
      const { proxy, open } = await through('s3://test/many');
      const storage = await open();
      const paths = Array.from({ length: 1001 }, (_, n) => `n/${n}`);
      await inParallel(paths, (path) => storage.put(text(path, ''), call));
      proxy.seen.length = 0;
      expect(await count(storage, 'n/')).toBe(1001);
      expect(proxy.seen).toHaveLength(2);
      proxy.seen.length = 0;
      await storage.remove(paths, call);
      expect(lines(proxy)).toEqual(
        ['POST /test?delete', 'POST /test?delete'].map((line) => expect.stringContaining(line.slice(0, 10))),
      );
      for (const { headers } of proxy.seen) expect(headers['content-md5']).toMatch(/^[A-Za-z0-9+/]{22}==$/);
      expect(await count(storage, 'n/')).toBe(0);
    });

    test('a request that failed for now is made again, and the bytes are told once', async () => {
      const { proxy, open } = await through('s3://test/again');
      const storage = await open(3);
      let failures = 2;
      proxy.judge = (line) => (line.startsWith('PUT') && failures-- > 0 ? { status: 503 } : 'pass');
      let told = 0;
      await storage.put(text('c', 'x'.repeat(1_000_000)), {
        ...call,
        onBytes: async (bytes) => {
          told += bytes;
        },
      });
      expect(told).toBe(1_000_000);
      expect(lines(proxy).filter((line) => line.startsWith('PUT') && line.endsWith('/c'))).toHaveLength(3);
    });

    test('what a listener to the bytes throws ends the transfer', async () => {
      const { open } = await through('s3://test/listener');
      const storage = await open();
      const onBytes = async () => {
        throw new Error('enough');
      };
      await expect(storage.put(text('d'), { ...call, onBytes })).rejects.toThrow('enough');
      expect(await storage.stat('d', call)).toBeNull();
    });

    test('a conditional write whose answer was lost counts as done', async () => {
      const { proxy, open } = await through('s3://test/lost');
      const storage = await open(2);
      let losses = 1;
      proxy.judge = (line) => (line.startsWith('PUT') && losses-- > 0 ? 'lose-answer' : 'pass');
      const object = text('lock');
      expect(await storage.put({ ...object, condition: { kind: 'absent' } }, call)).toMatchObject({ path: 'lock' });
      expect(await storage.put({ ...object, condition: { kind: 'absent' } }, call)).toBeNull();
    });

    test('what is wrong is said with the address, and without credentials', async () => {
      const missing = await through('s3://no-such-bucket/x');
      await expect(missing.open()).rejects.toMatchObject({ code: 'STORAGE', data: { s3Error: 'NoSuchBucket' } });
      const down = openS3Storage('s3://test/x', {
        options: { endpoint: 'http://127.0.0.1:1' },
        ...call,
      });
      await expect(down).rejects.toMatchObject({
        code: 'NETWORK',
        message: expect.stringMatching(/^s3:\/\/test\/x: cannot list it: /),
      });
      const { proxy, open } = await through('s3://test/forbidden');
      const storage = await open();
      proxy.judge = () => ({ status: 403 });
      const refused = storage.put(text('e'), call);
      await expect(refused).rejects.toMatchObject({ code: 'STORAGE' });
      await expect(refused).rejects.toThrow(
        's3://test/forbidden/e: cannot store it: expected success, found status 403',
      );
      await expect(refused).rejects.not.toThrow('test-access');
    });
  });
}

async function inParallel(paths: readonly string[], work: (path: string) => Promise<unknown>): Promise<void> {
  const waiting = [...paths];
  const workOff = async () => {
    for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) await work(path);
  };
  await Promise.all(Array.from({ length: 8 }, workOff));
}

async function count(storage: Storage, prefix: string): Promise<number> {
  let found = 0;
  for await (const { path } of storage.list(prefix, call)) if (path !== '') found += 1;
  return found;
}
