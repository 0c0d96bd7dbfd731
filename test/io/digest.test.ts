import { createHash } from 'node:crypto';
import { appendFileSync, chmodSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { digestFile } from '../../src/io/digest.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

const bytes = Buffer.alloc((1 << 20) + 17, 'image');

async function makeFile(): Promise<string> {
  const path = join(await temporaryDirectory(), 'file');
  await writeFile(path, bytes);
  return path;
}

it('yields sha256 and sha512 of the whole file, and its size', async () => {
  const { digests, identity } = digestFile(await makeFile());
  expect(digests.sha256).toBe(createHash('sha256').update(bytes).digest('hex'));
  expect(digests.sha512).toBe(createHash('sha512').update(bytes).digest('hex'));
  expect(identity.sizeBytes).toBe(bytes.length);
});

it('reports the bytes it has read, up to all of them', async () => {
  const reports: number[] = [];
  digestFile(await makeFile(), (done) => reports.push(done));
  expect(reports).toEqual([1 << 20, bytes.length]);
});

it('refuses a file that grows while it is read', async () => {
  const path = await makeFile();
  expect(() => digestFile(path, () => appendFileSync(path, 'x'.repeat(10)))).toThrow(
    expect.objectContaining({ code: 'CHANGED_WHILE_READ', message: expect.stringContaining(path) }),
  );
});

it('refuses a file whose inode is touched while it is read, as a rewrite with an old mtime would', async () => {
  const path = await makeFile();
  expect(() => digestFile(path, () => chmodSync(path, 0o600))).toThrow(
    expect.objectContaining({ code: 'CHANGED_WHILE_READ' }),
  );
});

it('names a file that is not there', () => {
  expect(() => digestFile('/nonexistent/image')).toThrow(
    expect.objectContaining({ code: 'NOT_FOUND', message: expect.stringContaining('/nonexistent/image') }),
  );
});
