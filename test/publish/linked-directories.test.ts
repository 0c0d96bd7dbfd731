import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { FileStorage } from '../../src/publish/file-storage.js';
import { textObject } from '../../src/publish/release.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { publishTo, releaseOf } from './support/releases.js';

const call = { signal: new AbortController().signal };
const SHARED_MEMORY = '/dev/shm';

/** A document root whose `images` and `meta` are elsewhere. */
async function linkedRoot(elsewhere: (dir: string) => string = (dir) => dir) {
  const dir = await temporaryDirectory();
  const root = join(dir, 'www');
  const [images, metas] = ['images', 'metas'].map((name) => join(elsewhere(dir), name));
  for (const directory of [root, images, metas]) mkdirSync(String(directory));
  symlinkSync(String(images), join(root, 'images'));
  symlinkSync(String(metas), join(root, 'meta'));
  return { root, images: String(images) };
}

async function listed(storage: FileStorage, prefix = ''): Promise<string[]> {
  const paths: string[] = [];
  for await (const { path } of storage.list(prefix, call)) paths.push(path);
  return paths.sort();
}

function expectLinked(root: string, release: ReturnType<typeof releaseOf>): void {
  for (const name of ['images', 'meta']) expect(lstatSync(join(root, name)).isSymbolicLink(), name).toBe(true);
  for (const { path } of release.immutables) expect(readFileSync(join(root, path), 'utf8')).toBe(`content of ${path}`);
}

test('what is in a linked directory is there, and is not stored again', async () => {
  const { root, images } = await linkedRoot();
  const storage = new FileStorage(root);
  const release = releaseOf(['images/a.img', 'b.img']);
  expect((await publishTo(storage, release)).summary).toMatchObject({ changed: true, uploaded: 6 });
  expectLinked(root, release);
  expect(readdirSync(images)).toEqual(['a.img']);
  expect(await listed(storage)).toEqual(expect.arrayContaining(['b.img', 'images/a.img', 'meta/a.json']));
  expect((await publishTo(storage, release)).summary).toMatchObject({ changed: false, kept: 6 });
  expect((await publishTo(storage, releaseOf(['images/a.img'], []))).summary).toMatchObject({ kept: 1 });
  // The last index in it is withdrawn: the link stays.
  expect(readlinkSync(join(root, 'meta'))).toContain('metas');
});

test.skipIf(!existsSync(SHARED_MEMORY) || statSync(SHARED_MEMORY).dev === statSync('/tmp').dev)(
  'a linked directory may be of another file system, and what was killed there goes after a day',
  async () => {
    const other = mkdtempSync(join(SHARED_MEMORY, 'linked-'));
    onTestFinished(() => rmSync(other, { recursive: true }));
    const { root, images } = await linkedRoot(() => other);
    const storage = new FileStorage(root);
    await publishTo(storage, releaseOf(['images/a.img']));
    expect(readdirSync(images)).toEqual(['a.img']);
    const temporary = join(images, '.update-repository-tmp');
    mkdirSync(temporary);
    const yesterday = Date.now() / 1000 - 25 * 3600;
    for (const name of ['old', 'new']) writeFileSync(join(temporary, name), 'half of it');
    utimesSync(join(temporary, 'old'), yesterday, yesterday);
    const release = releaseOf(['images/a.img', 'images/b.img']);
    const { summary } = await publishTo(new FileStorage(root), release);
    expect(summary).toMatchObject({ foreign: 0 });
    expectLinked(root, release);
    expect(readdirSync(temporary)).toEqual(['new']);
  },
);

test('links that lead back, or nowhere, are not followed', async () => {
  const { root, images } = await linkedRoot();
  symlinkSync('..', join(images, 'up'));
  symlinkSync(root, join(images, 'again'));
  symlinkSync('self', join(root, 'self'));
  symlinkSync('/not/there', join(root, 'dangling'));
  writeFileSync(join(images, 'a.img'), 'a');
  const storage = new FileStorage(root);
  expect(await listed(storage)).toEqual(['images/a.img']);
  expect(await storage.stat('self')).toBeNull();
  expect(await storage.stat('images')).toBeNull();
});

test('a file that is a link is what it leads to, and is replaced, not written through', async () => {
  const { root, images } = await linkedRoot();
  const original = join(images, 'original');
  writeFileSync(original, 'the old one');
  symlinkSync(original, join(root, 'a.img'));
  const storage = new FileStorage(root);
  expect(await storage.stat('a.img')).toMatchObject({ sizeBytes: 11 });
  expect(await listed(storage)).toEqual(['a.img', 'images/original']);
  await storage.put({ ...textObject('a.img', 'the new one', 'a/b'), cacheControl: '' }, call);
  expect(lstatSync(join(root, 'a.img')).isFile()).toBe(true);
  expect(readFileSync(original, 'utf8')).toBe('the old one');
});

test('a link to a directory is never replaced by an object', async () => {
  const { root } = await linkedRoot();
  const stored = new FileStorage(root).put({ ...textObject('images', 'x', 'a/b'), cacheControl: '' }, call);
  await expect(stored).rejects.toMatchObject({
    code: 'STORAGE',
    message: expect.stringContaining('found a directory'),
  });
  expect(lstatSync(join(root, 'images')).isSymbolicLink()).toBe(true);
});
