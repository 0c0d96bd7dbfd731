// Applies a delta as it comes, from a file, and keeps its checkpoints in another: node apply-once.mjs REQUEST, in JSON.
import { readFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { setImmediate } from 'node:timers/promises';
import { applyAsItComes } from '../../../dist/delta/apply-as-it-comes.js';
import { SourceFile } from '../../../dist/delta/source-file.js';
import { writeFileAtomic } from '../../../dist/io/atomic-file.js';

/**
 * @typedef {{
 *   basePath: string, deltaPath: string, target: import('../../../src/delta/apply-as-it-comes.js').WantedTarget,
 *   checkpointPath: string, everyBytes: number, pieceBytes: number,
 * }} ApplyOnce
 */

/** @type {ApplyOnce} */
const { basePath, deltaPath, target, checkpointPath, everyBytes, pieceBytes } = JSON.parse(process.argv[2] ?? '');

/** @param {number} position */
async function* bytesFrom(position) {
  console.log(position);
  const file = await open(deltaPath);
  const piece = new Uint8Array(pieceBytes);
  for (;;) {
    const { bytesRead } = await file.read(piece, 0, pieceBytes, position);
    if (bytesRead === 0) break;
    position += bytesRead;
    yield piece.subarray(0, bytesRead);
    await setImmediate();
  }
  await file.close();
}

const kept = readFileSync(checkpointPath, 'utf8');
await applyAsItComes({
  base: new SourceFile(basePath),
  delta: { name: deltaPath, bytesFrom },
  target,
  checkpoints: {
    ...(kept === '' ? {} : { last: JSON.parse(kept) }),
    everyBytes,
    save: (place) => writeFileAtomic(checkpointPath, JSON.stringify(place), `${checkpointPath}.tmp`),
  },
});
