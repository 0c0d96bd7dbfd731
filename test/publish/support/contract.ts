import { createHash, randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseSha256Hex } from '../../../src/metadata/brands.js';
import { cacheRule, type ReleaseObject, textObject } from '../../../src/publish/release.js';
import type { PutCondition, Storage, StorageCall, StoredObject } from '../../../src/publish/storage.js';
import { pseudoRandomBytes } from '../../support/pseudo-random.js';
import { temporaryDirectoryOfSuite } from '../../support/temporary-directory.js';

/** A storage under test, new and empty, and how to end it. */
export interface Tested {
  readonly storage: Storage;
  /** Another client of the same place, as a second publisher is. */
  readonly other: Storage;
  end(): Promise<void>;
}

const call: StorageCall = { signal: new AbortController().signal };

/** What every storage has to do, whatever it is made of. */
export function storageContract(name: string, start: (dir: string) => Promise<Tested>): void {
  describe(`a storage: ${name}`, () => {
    const dir = temporaryDirectoryOfSuite();
    let tested: Tested;
    beforeAll(async () => {
      tested = await start(dir);
    });
    afterAll(() => tested?.end());

    const put = async (object: ReleaseObject, condition?: PutCondition) =>
      await tested.storage.put(
        { ...object, cacheControl: cacheRule('index'), ...(condition === undefined ? {} : { condition }) },
        call,
      );
    const text = (path: string, content: string) => textObject(path, content, 'text/plain; charset=utf-8');

    test('is empty at first, and has nothing', async () => {
      expect(await paths(tested.storage, '')).toEqual([]);
      expect(await tested.storage.stat('nothing', call)).toBeNull();
      expect(await tested.storage.read('nothing', call)).toBeNull();
      await tested.storage.remove(['nothing', 'deep/down/nothing'], call);
    });

    test('has what was put into it, byte for byte, below names with any number of slashes', async () => {
      for (const path of ['a.img', 'rdiffs/b.rdiff', 'meta/deep/c.json', '.update-repository/d', 'a+b~c_ä.img']) {
        const object = text(path, `this is ${path}`);
        const stored = await put(object);
        expect(stored).toMatchObject({ path, sizeBytes: object.sizeBytes });
        expect(await tested.other.stat(path, call)).toMatchObject({ path, sizeBytes: object.sizeBytes });
        expect(await content(tested.other, path)).toBe(`this is ${path}`);
      }
      expect(await paths(tested.other, '')).toEqual(
        ['.update-repository/d', 'a+b~c_ä.img', 'a.img', 'meta/deep/c.json', 'rdiffs/b.rdiff'].sort(),
      );
      expect(await paths(tested.storage, 'rdiffs/')).toEqual(['rdiffs/b.rdiff']);
      expect(await paths(tested.storage, 'meta/')).toEqual(['meta/deep/c.json']);
      expect(await paths(tested.storage, 'me')).toEqual(['meta/deep/c.json']);
    });

    test('has files and empty objects', async () => {
      await put(text('empty', ''));
      expect(await content(tested.storage, 'empty')).toBe('');
      const object = file(dir, 'large.img', pseudoRandomBytes('large', 20_000_000));
      await put(object);
      expect(await tested.storage.stat('large.img', call)).toMatchObject({ sizeBytes: 20_000_000 });
      expect(await digest(tested.other, 'large.img')).toBe(object.sha256);
    });

    test('gives another revision to other bytes, and the same one to bytes that nobody touched', async () => {
      const first = await put(text('changing', 'one'));
      const listed = await find(tested.other, 'changing');
      expect(listed?.revision).toBe(first?.revision);
      expect((await tested.other.stat('changing', call))?.revision).toBe(first?.revision);
      const second = await put(text('changing', 'two'));
      expect(second?.revision).not.toBe(first?.revision);
      expect(await content(tested.other, 'changing')).toBe('two');
    });

    test('removes what it is asked to, and nothing else', async () => {
      for (const path of ['gone/1', 'gone/2', 'gone/3', 'stays']) await put(text(path, path));
      await tested.storage.remove(['gone/1', 'gone/3', 'never/was'], call);
      expect(await paths(tested.other, 'gone/')).toEqual(['gone/2']);
      expect(await content(tested.other, 'stays')).toBe('stays');
    });

    test('tells how many bytes went', async () => {
      let sent = 0;
      const onBytes = async (count: number) => {
        sent += count;
      };
      const object = file(dir, 'counted', pseudoRandomBytes('counted', 3_000_000));
      await tested.storage.put({ ...object, cacheControl: cacheRule('immutable') }, { ...call, onBytes });
      expect(sent).toBe(3_000_000);
    });

    test('refuses a file that is not what it is said to be, and keeps what it had', async () => {
      await put(text('kept', 'the old one'));
      const changed = file(dir, 'changed', pseudoRandomBytes('changed', 8_000_000));
      writeFileSync(join(dir, 'changed'), pseudoRandomBytes('other', 8_000_000));
      const request = { ...changed, path: 'kept', cacheControl: cacheRule('index') };
      await expect(tested.storage.put(request, call)).rejects.toMatchObject({ code: 'CHANGED_WHILE_READ' });
      expect(await content(tested.other, 'kept')).toBe('the old one');
      writeFileSync(join(dir, 'changed'), pseudoRandomBytes('changed', 7_999_999));
      await expect(tested.storage.put(request, call)).rejects.toMatchObject({ code: 'CHANGED_WHILE_READ' });
      expect(await content(tested.other, 'kept')).toBe('the old one');
      expect((await paths(tested.other, '')).filter((path) => path.includes('tmp'))).toEqual([]);
    });

    test('stops when it is told to, and keeps what it had', async () => {
      await put(text('stopped', 'the old one'));
      const stop = new AbortController();
      const object = { ...file(dir, 'long', pseudoRandomBytes('long', 12_000_000)), path: 'stopped' };
      const onBytes = async () => stop.abort();
      const stopped = tested.storage.put(
        { ...object, cacheControl: cacheRule('index') },
        { signal: stop.signal, onBytes },
      );
      await expect(stopped).rejects.toMatchObject({ code: 'INTERRUPTED' });
      expect(await content(tested.other, 'stopped')).toBe('the old one');
    });

    test('lets one of many win who put on condition, where it can', async () => {
      if (!tested.storage.abilities.conditionalPut) return;
      const contend = (condition: PutCondition) =>
        Promise.all(
          [tested.storage, tested.other, tested.storage, tested.other].map((storage, n) =>
            storage.put(
              { ...text('won', `${n} ${randomBytes(8).toString('hex')}`), cacheControl: 'no-cache', condition },
              call,
            ),
          ),
        );
      const winners = (await contend({ kind: 'absent' })).filter((stored) => stored !== null);
      expect(winners).toHaveLength(1);
      expect(await put(text('won', 'late'), { kind: 'absent' })).toBeNull();
      const next = (await contend({ kind: 'revision', revision: String(winners[0]?.revision) })).filter(
        (stored) => stored !== null,
      );
      expect(next).toHaveLength(1);
      expect(await put(text('won', 'late'), { kind: 'revision', revision: String(winners[0]?.revision) })).toBeNull();
      expect(await put(text('never', 'late'), { kind: 'revision', revision: String(winners[0]?.revision) })).toBeNull();
    });

    test('never shows half of an object that is replaced, where it can', async () => {
      if (!tested.storage.abilities.atomicPut) return;
      const versions = ['a', 'b'].map((letter) => text('flipping', letter.repeat(2_000_000)));
      await put(versions[0]!);
      let writing = true;
      const reading = (async () => {
        while (writing) {
          const read = await content(tested.other, 'flipping');
          expect(new Set(read).size).toBe(1);
          expect(read).toHaveLength(2_000_000);
        }
      })();
      try {
        for (let turn = 0; turn < 10; turn += 1) await put(versions[turn % 2]!);
      } finally {
        writing = false;
        await reading;
      }
    });
  });
}

function file(dir: string, name: string, bytes: Buffer): ReleaseObject {
  const filePath = join(dir, name);
  writeFileSync(filePath, bytes);
  const sha256 = parseSha256Hex(createHash('sha256').update(bytes).digest('hex'), name);
  const mediaType = 'application/octet-stream';
  return { path: name, sizeBytes: bytes.length, sha256, mediaType, content: { kind: 'file', filePath } };
}

async function paths(storage: Storage, prefix: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { path } of storage.list(prefix, call)) found.push(path);
  return found.sort();
}

async function find(storage: Storage, wanted: string): Promise<StoredObject | undefined> {
  for await (const object of storage.list(wanted, call)) if (object.path === wanted) return object;
  return undefined;
}

async function bytesOf(storage: Storage, path: string): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of (await storage.read(path, call)) ?? []) pieces.push(Buffer.from(piece));
  return Buffer.concat(pieces);
}

async function content(storage: Storage, path: string): Promise<string> {
  return (await bytesOf(storage, path)).toString();
}

async function digest(storage: Storage, path: string): Promise<string> {
  return createHash('sha256')
    .update(await bytesOf(storage, path))
    .digest('hex');
}
