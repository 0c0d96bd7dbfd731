import type { Sha256Hex } from '../../metadata/brands.js';
import { rdiffPath } from '../../metadata/mirror-paths.js';
import { fileOf, type Hop } from '../hop.js';
import type { Validators } from './validators.js';

/** A file that mirrors have, and what is known of it before it is fetched. */
export interface RemoteFile {
  /** Below the root of each mirror. */
  readonly path: string;
  /** Absolute URLs, which are tried after the mirrors. */
  readonly fallbackUrls: readonly string[];
  readonly sizeBytes: number;
  readonly sha256: Sha256Hex;
  /** What each source said of the file when earlier bytes of it came from there, by the name of the source. */
  readonly validators?: ReadonlyMap<string, Validators>;
}

/** The file that a hop fetches. */
export function remoteFileOf(hop: Hop): RemoteFile {
  const { filename, urls, size, sha256 } = fileOf(hop);
  return { path: hop.kind === 'image' ? filename : rdiffPath(filename), fallbackUrls: urls, sizeBytes: size, sha256 };
}
