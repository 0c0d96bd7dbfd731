import { readTextFile } from '../../../io/atomic-file.js';
import { jsonItems, jsonMembers, jsonString, parseJson } from '../../../metadata/json-node.js';

const MAX_BYTES = 16 << 20;
const MAX_SERIES = 10_000;
const MAX_PATHS = 100_000;

/**
 * Whether a bootserver's own client looks after the file at `path`: `listPath` holds a list of paths for each series.
 * Without that file nobody does.
 *
 * @throws UpdateRepositoryError FORMAT when it is something else: then nothing may be removed
 */
export async function isManaged(path: string, listPath: string): Promise<boolean> {
  const text = await readTextFile(listPath, MAX_BYTES);
  if (text === null) return false;
  const series = jsonMembers(parseJson(text, { file: listPath, code: 'FORMAT' }), MAX_SERIES);
  return [...series.values()].some((list) =>
    jsonItems(list, MAX_PATHS).some((item) => jsonString(item, 'a path', () => true) === path),
  );
}
