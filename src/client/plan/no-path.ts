import type { MetaImage, SeriesMeta } from '../../metadata/meta.js';
import type { UpdateGraph } from './graph.js';
import type { UpdatePath } from './path.js';

/** Why there is no path, as the error that the caller makes of it. */
export interface NoPath {
  readonly code: 'NO_SPACE' | 'NOT_FOUND' | 'CONFIG';
  /** What was expected and what was found, in one line. */
  readonly message: string;
  /** Bytes of disk of the way that takes least of it; null where there is none, or that is not why. */
  readonly neededBytes: number | null;
  /** What can be done about it. */
  readonly hint: string;
}

/** For a wanted version that the mirror does not have. */
export function notInMirror({ series, images }: SeriesMeta, wanted: string): NoPath {
  const newest = images.reduce<MetaImage | null>((a, b) => (a !== null && a.version > b.version ? a : b), null);
  const found = newest === null ? 'no image' : `${images.length} others, the newest ${newest.version}`;
  return {
    code: 'NOT_FOUND',
    message: `${series}: expected an image of version ${wanted}, found ${found}`,
    neededBytes: null,
    hint: 'ask for a version that the mirror has',
  };
}

/** For a version that is there; `smallest` is the path that takes least disk where there is any path. */
export function noPath({ wanted, device, limits, present }: UpdateGraph, smallest: UpdatePath | null): NoPath {
  if (smallest !== null) {
    const { diskBytes } = smallest;
    return {
      code: 'NO_SPACE',
      message: `${wanted.filename}: expected ${diskBytes} bytes of free disk, found ${device.freeBytes}`,
      neededBytes: diskBytes,
      hint: 'free some space: this is the way that takes least of it',
    };
  }
  const here = present.size === 0 ? 'no version is here' : `here is ${[...present.keys()].sort().join(', ')}`;
  if (!limits.wholeImages && !limits.failed.has(wanted.filename)) {
    return {
      code: 'CONFIG',
      message: `${wanted.filename}: expected a way by deltas, found none (${here}), and whole images are not allowed`,
      neededBytes: null,
      hint: 'allow the whole image',
    };
  }
  return {
    code: 'NOT_FOUND',
    message: `${wanted.filename}: expected a way to it, found that each needs one of ${failedFiles(limits.failed)}`,
    neededBytes: null,
    hint: 'try again later, or from another mirror',
  };
}

function failedFiles(failed: ReadonlySet<string>): string {
  return `${failed.size} ${failed.size === 1 ? 'file that' : 'files that'} failed`;
}
