import { join } from 'node:path';
import { SourceFile } from '../delta/source-file.js';
import { makeDirectory, placeFile } from '../io/atomic-file.js';
import { RDIFFS_DIR } from '../metadata/mirror-paths.js';
import type { Device } from './device/device.js';
import { stateOf } from './device/plain-file.js';
import { type DeltaHop, fileNameOf, type Hop } from './hop.js';
import type { HopDelta } from './hop-files.js';

const PIECE_BYTES = 256 * 1024;

/** A delta of the right sha256 on the disk: only what an earlier run made of it may be wrong. */
export function storedDelta(hop: DeltaHop, path: string): HopDelta {
  return {
    name: fileNameOf(hop),
    async again(wasBegun) {
      return wasBegun ? this : null;
    },
    async *bytesFrom(position) {
      yield* storedBytes(path, position);
    },
  };
}

/** The bytes of a file from `position` on. */
export function* storedBytes(path: string, position: number): Generator<Uint8Array, void, undefined> {
  const file = new SourceFile(path);
  try {
    yield* file.chunks(PIECE_BYTES, position);
  } finally {
    file.close();
  }
}

/** Puts the deltas of a path, which are in `partial/`, to where they are kept. */
export async function keepDeltas(hops: readonly Hop[], { dir, place }: Device): Promise<void> {
  const directory = join(dir, RDIFFS_DIR);
  for (const hop of hops) {
    if (hop.kind !== 'delta') continue;
    const name = hop.delta.filename;
    if ((await stateOf(place.partialPath(name))) === null) continue;
    await makeDirectory(directory);
    await placeFile(place.partialPath(name), join(directory, name));
  }
}
