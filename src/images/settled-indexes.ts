import { isDeepStrictEqual } from 'node:util';
import { readIndexTexts } from './disk-indexes.js';
import type { MirrorState } from './state.js';
import { identify } from './survey.js';

/**
 * The texts of a mirror's indexes, by path. While a build rewrites them they belong to two moments: they are read until
 * two readings agree. `interrupted`: a build was at it, and may have been killed over it.
 */
export async function readSettledIndexes(
  mirrorDir: string,
  state: MirrorState,
): Promise<{ readonly texts: ReadonlyMap<string, string>; readonly interrupted: boolean }> {
  const isPublishing = async (): Promise<boolean> => (await identify(state.publishingPath)) !== null;
  let before = await isPublishing();
  let texts = await readIndexTexts(mirrorDir);
  for (let reading = 0; reading < 10; reading++) {
    const again = await readIndexTexts(mirrorDir);
    const after = await isPublishing();
    if (isDeepStrictEqual(again, texts) && before === after) break;
    [before, texts] = [after, again];
  }
  return { texts, interrupted: before };
}
