import { digestFile } from '../io/digest.js';
import { parseSha256Hex, parseSha512Hex } from '../metadata/brands.js';
import type { DigestedPath } from './jobs.js';

/** All digests of a file in one read, as the metadata's types. */
export function digestPath(path: string, onProgress: (doneBytes: number) => void): DigestedPath {
  const { identity, digests } = digestFile(path, onProgress);
  return {
    identity,
    digests: {
      cksum: digests.cksum,
      sha256: parseSha256Hex(digests.sha256, path),
      sha512: parseSha512Hex(digests.sha512, path),
    },
  };
}
