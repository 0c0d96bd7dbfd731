import { isSha256Hex, SHA256_FORM, type Sha256Hex } from '../../metadata/brands.js';
import { type JsonNode, jsonCount, jsonMember, jsonMembers, jsonString, parseJson } from '../../metadata/json-node.js';
import { isEntityTag, isHttpDate, type Validators } from './validators.js';

/*
 * partial/<file name>.json beside a download that has begun:
 *
 *     {"kind":"download","sha256":…,"sizeBytes":…,"sources":{"https://images.example.org":{"etag":…,"lastModified":…}}}
 */

/** What the bytes of an unfinished download are. */
export interface DownloadState {
  /** Of the whole file. */
  readonly sha256: Sha256Hex;
  readonly sizeBytes: number;
  /** Who delivered bytes, and in which state the file was there. */
  readonly sources: ReadonlyMap<string, Validators>;
}

/** The most that a state file has. */
export const MAX_STATE_BYTES = 256 << 10;
const MAX_SOURCES = 200;

export function renderDownloadState({ sha256, sizeBytes, sources }: DownloadState): string {
  return `${JSON.stringify({ kind: 'download', sha256, sizeBytes, sources: Object.fromEntries(sources) })}\n`;
}

/** Null for the state of something else that is no download. Throws FORMAT; `fileName` opens the message. */
export function parseDownloadState(text: string, fileName: string): DownloadState | null {
  const root = parseJson(text, { file: fileName, code: 'FORMAT' });
  if (jsonMember(root, 'kind').value !== 'download') return null;
  const sources = jsonMembers(jsonMember(root, 'sources'), MAX_SOURCES);
  return {
    sha256: jsonString(jsonMember(root, 'sha256'), SHA256_FORM, isSha256Hex),
    sizeBytes: jsonCount(jsonMember(root, 'sizeBytes')),
    sources: new Map([...sources].map(([name, node]) => [name, parseValidators(node)])),
  };
}

function parseValidators(node: JsonNode): Validators {
  return {
    etag: nullOr(jsonMember(node, 'etag'), 'an entity tag or null', isEntityTag),
    lastModified: nullOr(jsonMember(node, 'lastModified'), 'a date or null', isHttpDate),
  };
}

function nullOr(node: JsonNode, expected: string, accepts: (text: string) => boolean): string | null {
  return node.value === null ? null : jsonString(node, expected, accepts);
}
