import { createHash } from 'node:crypto';
import { appendFileSync, chmodSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { digestFile } from '../../src/io/digest.js';
import { PosixCksum } from '../../src/io/posix-cksum.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

const bytes = Buffer.alloc((1 << 20) + 17, 'image');

async function makeFile(): Promise<string> {
  const path = join(await temporaryDirectory(), 'file');
  await writeFile(path, bytes);
  return path;
}

it('yields cksum, sha256 and sha512 of the whole file, and its size', async () => {
  const { digests, identity } = digestFile(await makeFile());
  expect(digests.cksum).toBe(new PosixCksum().update(bytes).digest());
  expect(digests.sha256).toBe(createHash('sha256').update(bytes).digest('hex'));
  expect(digests.sha512).toBe(createHash('sha512').update(bytes).digest('hex'));
  expect(identity.sizeBytes).toBe(bytes.length);
});

it('reports the bytes it has read, up to all of them', async () => {
  const reports: number[] = [];
  digestFile(await makeFile(), (done) => reports.push(done));
  expect(reports).toEqual([1, 2, 3, 4].map((part) => part << 18).concat(bytes.length));
});

it('refuses a file that grows while it is read', async () => {
  const path = await makeFile();
  expect(() => digestFile(path, () => appendFileSync(path, 'x'.repeat(10)))).toThrow(
    expect.objectContaining({ code: 'CHANGED_WHILE_READ', message: expect.stringContaining(path) }),
  );
});

it('refuses a file that is rewritten while it is read and gets its old mtime back', async () => {
  const path = await makeFile();
  const { atime, mtime } = statSync(path);
  let fill = 0;
  const rewrite = (): void => {
    writeFileSync(path, Buffer.alloc(bytes.length, fill++));
    utimesSync(path, atime, mtime);
  };
  utimesSync(path, atime, mtime);
  expect(() => digestFile(path, rewrite)).toThrow(expect.objectContaining({ code: 'CHANGED_WHILE_READ' }));
});

it('reads a file again whose mode or links change meanwhile, and takes it', async () => {
  const path = await makeFile();
  const { digests } = digestFile(path, () => chmodSync(path, 0o600));
  expect(digests.sha256).toBe(createHash('sha256').update(bytes).digest('hex'));
});

it('names a file that is not there', () => {
  expect(() => digestFile('/nonexistent/image')).toThrow(
    expect.objectContaining({ code: 'NOT_FOUND', message: expect.stringContaining('/nonexistent/image') }),
  );
});
