import { isDeepStrictEqual } from 'node:util';
import { hasCode, UpdateRepositoryError } from '../errors.js';
import { parseIndexJson } from '../metadata/index-json.js';
import { CKSUMS_FILE, DELTA_SHA256SUMS_FILE, INDEX_FILE, SHA256SUMS_FILE } from '../metadata/mirror-paths.js';
import { type HttpAddress, parseHttpAddress } from '../net/http/address.js';
import { connectionTo } from '../net/http/connection.js';
import { HttpClient, isMissing } from '../publish/http/client.js';
import { METADATA_DIR } from '../trust/tuf/documents.js';
import type { ReadMetadata } from '../trust/tuf/repository.js';
import { MAX_INDEX_BYTES } from './disk-indexes.js';

/** Whether a text is where a web server serves a mirror. */
export function isWebAddress(text: string): boolean {
  return /^https?:\/\//i.test(text);
}

/**
 * A client for a mirror that a web server shows to everybody: no credentials are sent.
 *
 * @throws UpdateRepositoryError USAGE for an address that is none
 */
export async function openServedMirror(url: string): Promise<HttpClient> {
  const address: HttpAddress = parseHttpAddress(url);
  return new HttpClient(address, { dispatcher: await connectionTo(address), authorization: null });
}

/**
 * The texts of the indexes that a web server shows, by path. A publish may write them meanwhile: they are read until two
 * readings agree, three times at most. Which series there are is known from index.json alone.
 *
 * @throws UpdateRepositoryError CONFIG where none of them is there; NETWORK, STORAGE, INTERRUPTED
 */
export async function readServedIndexes(client: HttpClient, signal: AbortSignal): Promise<ReadonlyMap<string, string>> {
  let texts = await readOnce(client, signal);
  for (let reading = 0; reading < 2; reading++) {
    const again = await readOnce(client, signal);
    const settled = isDeepStrictEqual(again, texts);
    texts = again;
    if (settled) break;
  }
  if (texts.size > 0) return texts;
  const { name } = client.address;
  throw new UpdateRepositoryError('CONFIG', `${name}: expected a mirror (${CKSUMS_FILE}, ${INDEX_FILE}), found none`, {
    data: { url: name },
  });
}

/** Reads the metadata that a web server shows, each file as long as it may be at most. Throws NETWORK, STORAGE. */
export function readServedMetadata(client: HttpClient, signal: AbortSignal): ReadMetadata {
  return async (fileName, maxBytes) => {
    const path = `${METADATA_DIR}/${fileName}`;
    // What a server says of a file that is missing may be longer than the file.
    const text = await readText(client, path, Math.max(maxBytes, MAX_MISSING_BYTES), signal);
    if (text === null || Buffer.byteLength(text) <= maxBytes) return text;
    throw new UpdateRepositoryError('FORMAT', `${path}: expected at most ${maxBytes} bytes, found more`, {
      data: { path, maxBytes },
    });
  };
}

/** The texts of these channels that a web server shows, by path. Throws NETWORK, STORAGE. */
export async function readServedChannels(
  client: HttpClient,
  paths: readonly string[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, string>> {
  const texts = new Map<string, string>();
  for (const path of paths) {
    const text = await readText(client, path, MAX_MISSING_BYTES, signal);
    if (text !== null) texts.set(path, text);
  }
  return texts;
}

const MAX_MISSING_BYTES = 1 << 20;

/** Null where there is none. */
async function readText(
  client: HttpClient,
  path: string,
  maxBytes: number,
  signal: AbortSignal,
): Promise<string | null> {
  const { status, text } = await client.text('GET', path, maxBytes, { signal });
  if (status === 200) return text;
  if (isMissing(status)) return null;
  throw refused(client, path, status);
}

async function readOnce(client: HttpClient, signal: AbortSignal): Promise<ReadonlyMap<string, string>> {
  const texts = new Map<string, string>();
  const read = async (path: string): Promise<void> => {
    const text = await readText(client, path, MAX_INDEX_BYTES, signal);
    if (text !== null) texts.set(path, text);
  };
  for (const path of [INDEX_FILE, CKSUMS_FILE, SHA256SUMS_FILE, DELTA_SHA256SUMS_FILE]) await read(path);
  for (const path of metaPaths(texts.get(INDEX_FILE))) await read(path);
  return texts;
}

/** A damaged index names no series; that it is damaged is found when it is compared. */
function metaPaths(index: string | undefined): readonly string[] {
  if (index === undefined) return [];
  try {
    return parseIndexJson(index, INDEX_FILE).series.map(({ meta }) => meta);
  } catch (error) {
    if (hasCode(error, 'FORMAT')) return [];
    throw error;
  }
}

function refused({ address }: HttpClient, path: string, status: number): UpdateRepositoryError {
  const code = status >= 500 ? 'NETWORK' : 'STORAGE';
  const url = `${address.name}/${path}`;
  return new UpdateRepositoryError(code, `${url}: expected status 200, or 404 for none, found ${status}`, {
    data: { url, status },
  });
}
