import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { expect, test } from 'vitest';
import { bodyOf } from '../../../src/publish/http/body.js';
import { textObject } from '../../../src/publish/release.js';
import { pseudoRandomBytes } from '../../support/pseudo-random.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';

const ANNOUNCED_BYTES = 3 << 20;

test.each([
  ['shorter', ANNOUNCED_BYTES - 1],
  ['of other bytes', ANNOUNCED_BYTES],
  ['longer', ANNOUNCED_BYTES + 1],
  ['much longer', 3 * ANNOUNCED_BYTES],
])('of a file that is %s than announced less is sent than a server waits for', async (_, sizeBytes) => {
  const filePath = join(await temporaryDirectory(), 'file');
  writeFileSync(filePath, pseudoRandomBytes('file', sizeBytes));
  const object = { ...textObject('a', '', 'text/plain'), sizeBytes: ANNOUNCED_BYTES };
  const request = { ...object, content: { kind: 'file' as const, filePath }, cacheControl: 'no-cache' };
  const { headers, body } = bodyOf(request, { signal: new AbortController().signal });
  if (!(body instanceof Readable)) throw new Error('expected a stream');
  let sent = 0;
  const sendAll = async () => {
    for await (const piece of body) sent += piece.length;
  };
  await expect(sendAll()).rejects.toMatchObject({ code: 'CHANGED_WHILE_READ' });
  expect(headers?.['content-length']).toBe(String(ANNOUNCED_BYTES));
  expect(sent).toBeLessThan(ANNOUNCED_BYTES);
});
