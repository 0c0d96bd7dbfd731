import { isSha256Hex, SHA256_FORM, type Sha256Hex } from '../metadata/brands.js';
import {
  type JsonNode,
  jsonCount,
  jsonItems,
  jsonMember,
  jsonMembers,
  jsonString,
  parseJson,
  wrongJson,
} from '../metadata/json-node.js';
import { PRIVATE_DIR } from '../metadata/mirror-paths.js';
import { findRelativePathFault } from '../metadata/safe-name.js';

/*
 * What publishing remembers in the storage itself, `.update-repository/published.json`:
 *
 *     { "format": 1,
 *       "generations": [ { "number", "publishedAt", "immutables": [FILE…], "indexes": [FILE…] } ],     newest first
 *       "dropped": { "<path>": "<time since when no generation that is kept names it>" } }
 *
 * FILE is { "path", "size", "sha256", "revision" }. The bytes of each generation's indexes lie beside it under their
 * sha256, so that a generation can be published again.
 */

/** Where the state lies in a storage. */
export const STATE_PATH = `${PRIVATE_DIR}/published.json`;
/** Where copies of the indexes lie. */
export const COPIES_PREFIX = `${PRIVATE_DIR}/indexes/`;

/** How many generations are remembered: the one that readers see, and those that can be gone back to. */
export const GENERATIONS_KEPT = 2;

const FORMAT = 1;
const MAX_FILES = 1_000_000;

/** An object that was stored and found to be right. */
export interface PublishedFile {
  readonly path: string;
  readonly size: number;
  readonly sha256: Sha256Hex;
  /** Of the storage when it was found to be right: while it is the same, so are the bytes. */
  readonly revision: string;
}

/** One published set of indexes, and the objects that they name. */
export interface Generation {
  readonly number: number;
  /** ISO 8601. */
  readonly publishedAt: string;
  readonly immutables: readonly PublishedFile[];
  /** In the order in which they were stored. */
  readonly indexes: readonly PublishedFile[];
}

export interface RemoteState {
  /** Newest first; the first is what readers see. */
  readonly generations: readonly Generation[];
  /** ISO 8601, by path. */
  readonly dropped: ReadonlyMap<string, string>;
}

/** Where the copy of an index with these bytes lies. */
export function copyPath(sha256: string): string {
  return `${COPIES_PREFIX}${sha256}`;
}

/** The state after a publish. What is named no more keeps the time since when; what is named again loses it. */
export function nextState(state: RemoteState, generation: Generation): RemoteState {
  const generations = [generation, ...state.generations].slice(0, GENERATIONS_KEPT);
  const named = new Set(generations.flatMap(({ immutables }) => immutables.map(({ path }) => path)));
  const before = state.generations.flatMap(({ immutables }) => immutables);
  const { dropped } = withDropped(state, before, generation.publishedAt);
  return { generations, dropped: new Map([...dropped].filter(([path]) => !named.has(path))) };
}

/** The state with objects noted that no generation names, from `since` on where they were not noted before. */
export function withDropped(
  { generations, dropped }: RemoteState,
  objects: readonly { readonly path: string }[],
  since: string,
): RemoteState {
  return { generations, dropped: new Map([...objects.map(({ path }) => [path, since] as const), ...dropped]) };
}

export function renderRemoteState({ generations, dropped }: RemoteState): string {
  return `${JSON.stringify({ format: FORMAT, generations, dropped: Object.fromEntries(dropped) })}\n`;
}

/** Reads a state of foreign origin; `fileName` opens the messages. Throws FORMAT with the path of what is wrong. */
export function parseRemoteState(text: string, fileName: string): RemoteState {
  const root = parseJson(text, { file: fileName, code: 'FORMAT' });
  const format = jsonMember(root, 'format');
  if (format.value !== FORMAT) throw wrongJson(format, `the format ${FORMAT} that this program knows`);
  const dropped = jsonMembers(jsonMember(root, 'dropped'), MAX_FILES);
  return {
    generations: jsonItems(jsonMember(root, 'generations'), 100).map(parseGeneration),
    dropped: new Map([...dropped].map(([path, since]) => [checkPath(path, since), parseTime(since)])),
  };
}

function parseGeneration(node: JsonNode): Generation {
  const files = (name: string) => jsonItems(jsonMember(node, name), MAX_FILES).map(parseFile);
  return {
    number: jsonCount(jsonMember(node, 'number')),
    publishedAt: parseTime(jsonMember(node, 'publishedAt')),
    immutables: files('immutables'),
    indexes: files('indexes'),
  };
}

function parseFile(node: JsonNode): PublishedFile {
  return {
    path: jsonString(jsonMember(node, 'path'), 'a plain relative path', isPath),
    size: jsonCount(jsonMember(node, 'size')),
    sha256: jsonString(jsonMember(node, 'sha256'), SHA256_FORM, isSha256Hex),
    revision: jsonString(jsonMember(node, 'revision'), 'a text', () => true),
  };
}

function parseTime(node: JsonNode): string {
  return jsonString(node, 'a time', (text) => !Number.isNaN(Date.parse(text)));
}

function checkPath(path: string, node: JsonNode): string {
  if (isPath(path)) return path;
  throw wrongJson(node, 'a plain relative path as its name', 'another');
}

function isPath(text: string): boolean {
  return findRelativePathFault(text) === null;
}
