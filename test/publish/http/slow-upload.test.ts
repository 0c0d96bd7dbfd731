import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { RateLimit } from '../../../src/net/rate-limit.js';
import { textObject } from '../../../src/publish/release.js';
import { startNginx } from '../../peers/nginx.mjs';
import { freePort } from '../../peers/server-process.mjs';
import { temporaryDirectory } from '../../support/temporary-directory.js';
import { haveTools } from '../../support/tools.js';
import { openedHttp } from '../support/opened-http.js';
import { publishTo } from '../support/releases.js';

describe.skipIf(!haveTools('nginx'))('a server that ends uploads which say nothing for two seconds', () => {
  test('gets what is sent slowly, side by side', async () => {
    const dir = await temporaryDirectory();
    const root = join(dir, 'www');
    mkdirSync(root);
    const port = await freePort();
    const stop = await startNginx(
      dir,
      port,
      `
  server {
    listen 127.0.0.1:${port};
    root ${root};
    client_max_body_size 0;
    client_body_timeout 4s;
    location / { dav_methods PUT DELETE MKCOL MOVE; autoindex on; autoindex_format json; }
  }`,
    );
    onTestFinished(stop);
    const storage = await openedHttp(`http://127.0.0.1:${port}`);
    onTestFinished(() => storage.close());
    const immutables = ['a.img', 'b.img'].map((name) => {
      const filePath = join(dir, name);
      writeFileSync(filePath, name.repeat(800_000));
      return { ...textObject(name, name.repeat(800_000), 'a/b'), content: { kind: 'file' as const, filePath } };
    });
    const startedAt = performance.now();
    await publishTo(storage, { immutables, indexStages: [] }, { limit: new RateLimit(800_000), transfers: 2 });
    expect(performance.now() - startedAt).toBeGreaterThan(5000);
    for (const name of ['a.img', 'b.img']) {
      expect(readFileSync(join(root, name), 'utf8')).toBe(name.repeat(800_000));
    }
  });
});
