import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { parseSha256Hex } from '../../../src/metadata/brands.js';
import { publish as publishRelease } from '../../../src/publish/publish.js';
import { cacheRule, textObject } from '../../../src/publish/release.js';
import { openS3Storage } from '../../../src/publish/s3/open-s3-storage.js';
import type { PutRequest, Storage } from '../../../src/publish/storage.js';
import { runCli, startCli } from '../../cli/run.js';
import { temporaryDirectoryOfSuite } from '../../support/temporary-directory.js';
import { CEPH_ENV, type Ceph, endUploads, openUploads } from '../support/ceph.js';
import { defaults } from '../support/releases.js';
import { type S3Proxy, startS3Proxy } from '../support/s3-proxy.js';

const call = { signal: new AbortController().signal };
const retries = { attempts: 6, firstPauseMs: 10, onEvent: () => undefined };
const MIB = 1 << 20;

/** Large objects, which go in parts. */
export function s3ResumeSuite(ceph: () => Ceph): void {
  describe('a large object', () => {
    const dir = temporaryDirectoryOfSuite();
    const image = 'puavo-os-big-bookworm-2025-01-13-060000-amd64.img';
    const mirror = join(dir, 'mirror');
    beforeAll(async () => {
      mkdirSync(join(dir, 'images'));
      writeFileSync(join(dir, 'images', image), randomBytes(200 * MIB));
      const built = await runCli(['--quiet', '--base-url', 'https://img.example', join(dir, 'images'), mirror]);
      expect(built).toMatchObject({ code: 0 });
    });

    const publish = (proxy: S3Proxy, target: string) => [
      ...['publish', '--json', '--endpoint', proxy.endpoint, '--path-style', mirror, target],
    ];
    const open = async ({ endpoint }: { endpoint: string }, prefix: string) =>
      await openS3Storage(`s3://test/${prefix}`, { options: { endpoint, pathStyle: true }, retries, ...call });

    test('is gone on with after a kill -9, and after a SIGTERM, without sending again what had been sent', async () => {
      const proxy = await startS3Proxy(ceph().endpoint);
      for (const [parts, signal] of [
        [4, 'SIGKILL'],
        [9, 'SIGTERM'],
      ] as const) {
        // Those whose answer is not waited for arrive all the same: so the next ones are held back.
        proxy.judge = (line) => (numberOf(line) > parts ? 'wait' : 'pass');
        const child = startCli(publish(proxy, 's3://test/killed'), CEPH_ENV);
        child.stdout.resume();
        proxy.onAnswer = () => {
          if (partsOf(proxy).length >= parts) child.kill(signal);
        };
        await once(child, 'close');
        expect(child.signalCode ?? child.exitCode).toBe(signal === 'SIGKILL' ? signal : 130);
        expect(await openUploads(ceph())).toEqual([`killed/${image}`]);
      }
      proxy.onAnswer = () => undefined;
      proxy.judge = () => 'pass';
      const { code, stderr } = await runCli(publish(proxy, 's3://test/killed'), CEPH_ENV);
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      const sent = partsOf(proxy);
      expect(sent.sort((a, b) => a - b)).toEqual(Array.from({ length: 13 }, (_, n) => n + 1));
      expect(await openUploads(ceph())).toEqual([]);
      const storage = await open(ceph(), 'killed');
      expect(await privateKeys(ceph(), 'killed')).toEqual([]);
      expect(await sha256Of(storage, image)).toBe((await storage.stat(image, call))?.sha256);
      proxy.seen.length = 0;
      expect(await runCli(publish(proxy, 's3://test/killed'), CEPH_ENV)).toMatchObject({ code: 0 });
      expect(proxy.seen.map(({ line }) => line.replace(/\?.*&prefix=/, ' '))).toEqual([
        'GET /test/ killed%2F.update-repository%2Fs3%2F',
        'GET /test/ killed%2F',
      ]);
    }, 180_000);

    test('that nobody wants any more after a kill is thrown away by the next publish', async () => {
      const proxy = await startS3Proxy(ceph().endpoint);
      const storage = await open(proxy, 'unwanted');
      await leaveOpen(proxy, storage, file(dir, 'unwanted', 80 * MIB));
      expect(await openUploads(ceph())).toEqual(['unwanted/unwanted']);
      expect(await runCli(publish(proxy, 's3://test/unwanted'), CEPH_ENV)).toMatchObject({ code: 0 });
      expect(await openUploads(ceph())).toEqual([]);
      expect(await privateKeys(ceph(), 'unwanted')).toEqual([]);
    }, 120_000);

    test('of other content than what was begun under its name is sent as a whole, and has its own sha256', async () => {
      const proxy = await startS3Proxy(ceph().endpoint);
      const storage = await open(proxy, 'other');
      const before = file(dir, 'other', 80 * MIB);
      await leaveOpen(proxy, storage, before);
      proxy.seen.length = 0;
      // It begins with the same bytes, so that the first parts are equal.
      const after = file(dir, 'other', 81 * MIB);
      const stored = await storage.put(after, call);
      expect(stored).toMatchObject({ sizeBytes: 81 * MIB, sha256: after.sha256 });
      expect(partsOf(proxy)).toHaveLength(6);
      expect(await sha256Of(storage, 'other')).toBe(after.sha256);
      expect(await openUploads(ceph())).toEqual([]);
    });

    test('that turns out to be another one than it was said to be never appears, and nothing of it stays', async () => {
      const storage = await open(ceph(), 'changed');
      const object = file(dir, 'changed', 80 * MIB);
      writeFileSync(join(dir, 'changed'), Buffer.alloc(80 * MIB, 'x'));
      await expect(storage.put(object, call)).rejects.toMatchObject({ code: 'CHANGED_WHILE_READ' });
      expect(await storage.stat('changed', call)).toBeNull();
      expect(await openUploads(ceph())).toEqual([]);
      expect(await privateKeys(ceph(), 'changed')).toEqual([]);
    });

    test('that is stopped never appears, and what was sent of it is not sent again', async () => {
      const proxy = await startS3Proxy(ceph().endpoint);
      const storage = await open(proxy, 'stopped');
      const object = file(dir, 'stopped', 80 * MIB);
      const stop = new AbortController();
      proxy.onAnswer = () => {
        if (partsOf(proxy).length === 2) stop.abort();
      };
      await expect(storage.put(object, { signal: stop.signal })).rejects.toMatchObject({ code: 'INTERRUPTED' });
      expect(await storage.stat('stopped', call)).toBeNull();
      expect(await openUploads(ceph())).toEqual(['stopped/stopped']);
      await expectGoneOnWith(proxy, storage, object);
    });

    test.each([
      ['another transfer of the same run is refused', 403, 'STORAGE'],
      ['another transfer of the same run finds the server full', 507, 'NO_SPACE'],
    ])('that is stopped because %s is gone on with', async (_, status, code) => {
      const proxy = await startS3Proxy(ceph().endpoint);
      const storage = await open(proxy, `sibling-${status}`);
      const object = file(dir, 'sibling', 80 * MIB);
      proxy.judge = (line) => {
        if (line.endsWith('/refused')) return partsOf(proxy).length < 2 ? 'wait' : { status };
        // It must not be complete before that.
        return numberOf(line) === 5 ? 'wait' : 'pass';
      };
      const refused = textObject('refused', 'refused', 'text/plain');
      const release = { immutables: [object, refused], indexStages: [] };
      await expect(publishRelease(release, defaults(storage))).rejects.toMatchObject({ code });
      expect(await openUploads(ceph())).toEqual([`sibling-${status}/sibling`]);
      await expectGoneOnWith(proxy, storage, object);
    });

    test.each([
      ['a part of it is refused', 403, 'STORAGE'],
      ['the server is full', 507, 'NO_SPACE'],
    ])('that ends because %s is gone on with', async (_, status, code) => {
      const proxy = await startS3Proxy(ceph().endpoint);
      const storage = await open(proxy, `refused-${status}`);
      const object = file(dir, 'refused', 80 * MIB);
      proxy.judge = (line) => {
        if (!line.includes('partNumber=5')) return 'pass';
        return partsOf(proxy).length < 2 ? 'wait' : { status };
      };
      await expect(storage.put(object, call)).rejects.toMatchObject({ code });
      await expectGoneOnWith(proxy, storage, object);
    });

    test('whose file cannot be read for a while is gone on with', async () => {
      const proxy = await startS3Proxy(ceph().endpoint);
      const storage = await open(proxy, 'unreadable');
      const object = file(dir, 'unreadable', 80 * MIB);
      await leaveOpen(proxy, storage, object);
      renameSync(join(dir, 'unreadable'), join(dir, 'elsewhere'));
      await expect(storage.put(object, call)).rejects.toMatchObject({ code: 'NOT_FOUND' });
      renameSync(join(dir, 'elsewhere'), join(dir, 'unreadable'));
      await expectGoneOnWith(proxy, storage, object);
    });

    test('whose upload somebody else ended is refused once, and sent as a whole the next time', async () => {
      const proxy = await startS3Proxy(ceph().endpoint);
      const storage = await open(proxy, 'ended');
      const object = file(dir, 'ended', 80 * MIB);
      proxy.judge = (line) => {
        if (!line.includes('partNumber=5')) return 'pass';
        // As S3 has it. Ceph breaks off the request, which looks like any other failure.
        return partsOf(proxy).length < 4 ? 'wait' : { status: 404, s3Error: 'NoSuchUpload' };
      };
      await expect(storage.put(object, call)).rejects.toMatchObject({ data: { s3Error: 'NoSuchUpload' } });
      expect(await privateKeys(ceph(), 'ended')).toEqual([]);
      expect(await openUploads(ceph())).toEqual([]);
      proxy.judge = () => 'pass';
      expect(await storage.put(object, call)).toMatchObject({ sha256: object.sha256 });
      expect(partsOf(proxy)).toHaveLength(9);
      expect(await openUploads(ceph())).toEqual([]);
    });

    test('whose parts were put together without an answer is not sent again', async () => {
      const proxy = await startS3Proxy(ceph().endpoint);
      const storage = await open(proxy, 'deaf');
      const object = file(dir, 'deaf', 80 * MIB);
      let deaf = false;
      proxy.judge = (line) => {
        if (deaf) return { status: 403 };
        deaf = line.startsWith('POST') && line.endsWith('/deaf');
        return deaf ? 'lose-answer' : 'pass';
      };
      await expect(storage.put(object, call)).rejects.toMatchObject({ code: 'STORAGE' });
      await expectGoneOnWith(proxy, storage, object);
    });

    /** The object is stored in the end, and no part was sent twice. */
    async function expectGoneOnWith(proxy: S3Proxy, storage: Storage, object: PutRequest): Promise<void> {
      const before = partsOf(proxy).length;
      expect(before).toBeGreaterThanOrEqual(2);
      proxy.judge = () => 'pass';
      proxy.onAnswer = () => undefined;
      expect(await storage.put(object, call)).toMatchObject({ sizeBytes: object.sizeBytes, sha256: object.sha256 });
      const sent = partsOf(proxy);
      expect(sent).toEqual([...new Set(sent)]);
      expect(await openUploads(ceph())).toEqual([]);
      expect(await sha256Of(storage, object.path)).toBe(object.sha256);
    }

    test('that was begun twice, since the first answer was lost, leaves nothing behind', async () => {
      const proxy = await startS3Proxy(ceph().endpoint);
      const storage = await open(proxy, 'twice');
      let losses = 1;
      proxy.judge = (line) =>
        line.includes('?uploads') && line.startsWith('POST') && losses-- > 0 ? 'lose-answer' : 'pass';
      const object = file(dir, 'twice', 80 * MIB);
      expect(await storage.put(object, call)).toMatchObject({ sha256: object.sha256 });
      expect(losses).toBeLessThan(1);
      expect(await openUploads(ceph())).toEqual([]);
      expect(await privateKeys(ceph(), 'twice')).toEqual([]);
    });

    test.each([
      ['a part of it', (line: string) => line.includes('partNumber=3')],
      ['its beginning', (line: string) => line.startsWith('POST') && line.includes('uploads')],
      ['its end', (line: string) => line.startsWith('POST') && line.endsWith('/asks')],
    ])('is given up when %s has failed six times, and asked no more', async (_, isIt) => {
      const proxy = await startS3Proxy(ceph().endpoint);
      const storage = await open(proxy, 'given-up');
      proxy.judge = (line) => (isIt(line) ? { status: 503 } : 'pass');
      const object = file(dir, 'asks', 80 * MIB);
      await expect(storage.put(object, call)).rejects.toMatchObject({ code: 'NETWORK' });
      expect(proxy.seen.filter(({ line }) => isIt(line))).toHaveLength(6);
      await endUploads(ceph(), 'given-up/asks');
    });

    test('is stored though parts fail for a while and the last answer is lost; each byte is told once', async () => {
      const proxy = await startS3Proxy(ceph().endpoint);
      const storage = await open(proxy, 'disturbed');
      let failures = 3;
      proxy.judge = (line) => {
        if (/partNumber=[24]/.test(line) && failures-- > 0) return { status: 500 };
        return line.startsWith('POST') && line.endsWith('/disturbed') && losses-- > 0 ? 'lose-answer' : 'pass';
      };
      let losses = 1;
      let told = 0;
      const onBytes = async (bytes: number) => {
        told += bytes;
      };
      const object = file(dir, 'disturbed', 80 * MIB);
      expect(await storage.put(object, { ...call, onBytes })).toMatchObject({ sha256: object.sha256 });
      expect(told).toBe(80 * MIB);
      expect(losses).toBeLessThan(1);
    });
  });
}

/** Which part of an object a request carries; 0 where it carries none. */
function numberOf(line: string): number {
  return Number(line.match(/^PUT .*partNumber=(\d+)/)?.[1] ?? 0);
}

/** The parts that have arrived, in the order of their answers. */
function partsOf({ seen }: S3Proxy): number[] {
  return seen
    .filter(({ status }) => status === 200)
    .map(({ line }) => numberOf(line))
    .filter((number) => number > 0);
}

/** Begins to store an object, and ends when the first two parts of it have arrived, and no others. */
async function leaveOpen(proxy: S3Proxy, storage: Storage, request: PutRequest): Promise<void> {
  const before = partsOf(proxy).length;
  proxy.judge = (line) => {
    if (numberOf(line) < 3) return 'pass';
    return numberOf(line) === 3 && partsOf(proxy).length === before + 2 ? { status: 403 } : 'wait';
  };
  await expect(storage.put(request, call)).rejects.toMatchObject({ code: 'STORAGE' });
  proxy.judge = () => 'pass';
}

/** A file of `dir` whose bytes are those of every other one that is as long. */
function file(dir: string, name: string, sizeBytes: number): PutRequest {
  const filePath = join(dir, name);
  rmSync(filePath, { force: true });
  const bytes = Buffer.alloc(sizeBytes, createHash('sha512').update('any').digest());
  writeFileSync(filePath, bytes);
  return {
    path: name,
    sizeBytes,
    sha256: parseSha256Hex(createHash('sha256').update(bytes).digest('hex'), name),
    mediaType: 'application/octet-stream',
    cacheControl: cacheRule('immutable'),
    content: { kind: 'file', filePath },
  };
}

async function sha256Of(storage: Storage, path: string): Promise<string> {
  const digest = createHash('sha256');
  for await (const piece of (await storage.read(path, call)) ?? []) digest.update(piece);
  return digest.digest('hex');
}

/** What the backend notes of uploads. */
async function privateKeys({ client }: Ceph, prefix: string): Promise<string[]> {
  const { ListObjectsV2Command } = await import('@aws-sdk/client-s3');
  const Prefix = `${prefix}/.update-repository/s3/uploads/`;
  const { Contents } = await client.send(new ListObjectsV2Command({ Bucket: 'test', Prefix }));
  return (Contents ?? []).map(({ Key }) => Key ?? '');
}
