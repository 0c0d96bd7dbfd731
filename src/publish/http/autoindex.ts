import { type JsonNode, jsonCount, jsonItems, jsonMember, jsonString, parseJson } from '../../metadata/json-node.js';
import type { ListedEntry } from './multistatus.js';

const MAX_ENTRIES = 1_000_000;

/**
 * Reads a directory as nginx's `autoindex_format json` gives it: a list of objects with `name`, `type`, `mtime` and, for
 * files, `size`. A server that is not nginx may add `etag`.
 *
 * @param source opens the messages
 * @throws UpdateRepositoryError FORMAT
 */
export function parseAutoindex(text: string, source: string): ListedEntry[] {
  const items = jsonItems(parseJson(text, { file: source, code: 'FORMAT' }), MAX_ENTRIES);
  return items.flatMap((item) => entryOf(item) ?? []);
}

function entryOf(item: JsonNode): ListedEntry | null {
  const name = jsonString(jsonMember(item, 'name'), 'a name without slashes', isPart);
  const type = jsonString(jsonMember(item, 'type'), 'a type', () => true);
  const lastModified = jsonString(jsonMember(item, 'mtime'), 'a time', () => true);
  if (type === 'directory') return { name, directory: true, sizeBytes: null, etag: undefined, lastModified };
  if (type !== 'file') return null;
  const etag = jsonMember(item, 'etag');
  return {
    name,
    directory: false,
    sizeBytes: jsonCount(jsonMember(item, 'size')),
    etag: etag.value === undefined ? undefined : jsonString(etag, 'an ETag', () => true),
    lastModified,
  };
}

function isPart(name: string): boolean {
  return name !== '' && name !== '.' && name !== '..' && !name.includes('/');
}
