// put-one.mjs TARGET FILE SHA256: stores one file with the compiled library, as `publish` does, until it is killed.
import { statSync } from 'node:fs';
import { basename } from 'node:path';

const { openStorage } = await import(new URL('../../../dist/publish/open-storage.js', import.meta.url).href);
const [target = '', filePath = '', sha256 = ''] = process.argv.slice(2);
const storage = await openStorage(target, { signal: new AbortController().signal, s3: {} });
await storage.put(
  {
    path: basename(filePath),
    sizeBytes: statSync(filePath).size,
    sha256,
    mediaType: 'application/octet-stream',
    content: { kind: 'file', filePath },
    cacheControl: 'no-cache',
  },
  { signal: new AbortController().signal },
);
