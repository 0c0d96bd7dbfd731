import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { FilePages } from '../../src/delta/file-pages.js';
import { SourceFile } from '../../src/delta/source-file.js';
import { pseudoRandomBytes, pseudoRandomNumbers } from '../support/pseudo-random.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

test('any part of a file is read as it is, whatever was read before', async () => {
  const content = pseudoRandomBytes('file pages', 5_000_003);
  const path = join(await temporaryDirectory(), 'file');
  writeFileSync(path, content);
  const source = new SourceFile(path);
  onTestFinished(() => source.close());
  const pages = new FilePages(source);
  const random = pseudoRandomNumbers('file pages');
  for (let n = 0; n < 2000; n += 1) {
    const position = Math.floor(random() * content.length);
    const length = Math.floor(random() ** 8 * (content.length - position));
    const parts: Buffer[] = [];
    pages.read(position, length, (bytes, from, to) => void parts.push(Buffer.from(bytes.subarray(from, to))));
    expect(Buffer.concat(parts).equals(content.subarray(position, position + length))).toBe(true);
  }
});

test('what lies together is read from the disk once', async () => {
  const path = join(await temporaryDirectory(), 'file');
  writeFileSync(path, pseudoRandomBytes('once', 100_000));
  const source = new SourceFile(path);
  onTestFinished(() => source.close());
  const read = vi.spyOn(source, 'read');
  const pages = new FilePages(source);
  for (let position = 0; position < 100_000; position += 10) pages.read(position, 10, () => undefined);
  expect(read).toHaveBeenCalledTimes(4);
});
