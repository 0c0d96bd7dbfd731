import { closeSync, openSync, renameSync, writeSync } from 'node:fs';

/**
 * Writes `chunks` one after the other; a file that is there is whole.
 * @param {string} path
 * @param {Iterable<Uint8Array>} chunks
 */
export function writeChunks(path, chunks) {
  const file = openSync(`${path}.tmp`, 'w');
  try {
    for (const chunk of chunks) writeAll(file, chunk);
  } finally {
    closeSync(file);
  }
  renameSync(`${path}.tmp`, path);
}

/**
 * @param {number} file
 * @param {Uint8Array} bytes
 */
function writeAll(file, bytes) {
  for (let done = 0; done < bytes.length; ) done += writeSync(file, bytes, done);
}
