// Applies a delta as it comes: node apply-once.mjs ROOT BASE DELTA TARGET SIZE SHA256; DELTA is a path or a URL, ROOT the
// checkout that is measured.
import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const [root = '', basePath = '', delta = '', path = '', sizeBytes, sha256 = ''] = process.argv.slice(2);

/** @param {string} name @returns {Promise<any>} */
const load = (name) => import(pathToFileURL(join(root, 'dist', 'delta', name)).href);

/** @param {number} start */
async function* bytesFrom(start) {
  if (!delta.startsWith('http:')) {
    yield* createReadStream(delta, { start, highWaterMark: 262144 });
    return;
  }
  const response = await fetch(delta, { headers: { range: `bytes=${start}-` } });
  if (response.status !== 206 || response.body === null)
    throw new Error(`${delta}: expected 206, found ${response.status}`);
  yield* response.body;
}

const { SourceFile } = await load('source-file.js');
const { applyAsItComes } = await load('apply-as-it-comes.js');
const base = new SourceFile(basePath);
await applyAsItComes({
  base,
  delta: { name: delta, bytesFrom },
  target: { path, sizeBytes: Number(sizeBytes), sha256 },
  checkpoints: { save: () => undefined },
});
base.close();
