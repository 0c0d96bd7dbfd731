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
import { allImmutables, type Release } from './release.js';

/*
 * What publishing remembers in the storage itself, `.update-repository/published.json`:
 *
 *     { "format": 1,
 *       "generations": [ { "number", "publishedAt", "immutables": [FILE…], "indexes": [FILE…] } ],     newest first
 *       "pending": { "immutables": [FILE without "revision"…], "indexes": ["<path>"…] },
 *       "dropped": { "<path>": "<time since when no generation that is kept names it>" } }
 *
 * FILE is { "path", "size", "sha256", "revision" }, and { "lasting": true } where it is never removed. The bytes of each
 * generation's indexes lie beside it under their sha256, so that a generation can be published again. What is pending is of
 * publishes that have begun and did not end: indexes may name it.
 */

/** Where the state lies in a storage. */
export const STATE_PATH = `${PRIVATE_DIR}/published.json`;
/** Where copies of the indexes lie. */
export const COPIES_PREFIX = `${PRIVATE_DIR}/indexes/`;

/** How many generations are remembered: the one that readers see, and those that can be gone back to. */
export const GENERATIONS_KEPT = 2;

/** Far above the state of the largest mirror. */
export const MAX_STATE_BYTES = 256 << 20;

const FORMAT = 1;
const MAX_FILES = 1_000_000;

/** An object that was stored and found to be right. */
export interface PublishedFile {
  readonly path: string;
  readonly size: number;
  readonly sha256: Sha256Hex;
  /** Of the storage when it was found to be right: while it is the same, so are the bytes. */
  readonly revision: string;
  /** It stays whatever is published: see `lateImmutables` of a release. */
  readonly lasting?: true;
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

/** An object that a publish was going to store. */
export type PendingFile = Omit<PublishedFile, 'revision' | 'lasting'>;

/** What publishes that have begun and not ended may have stored. */
export interface Pending {
  readonly immutables: readonly PendingFile[];
  /** Paths. */
  readonly indexes: readonly string[];
}

export interface RemoteState {
  /** Newest first; the first is what readers see. */
  readonly generations: readonly Generation[];
  readonly pending: Pending;
  /** ISO 8601, by path. */
  readonly dropped: ReadonlyMap<string, string>;
}

/** Where the copy of an index with these bytes lies. */
export function copyPath(sha256: string): string {
  return `${COPIES_PREFIX}${sha256}`;
}

export const NOTHING_PUBLISHED: RemoteState = {
  generations: [],
  pending: { immutables: [], indexes: [] },
  dropped: new Map(),
};

/** The paths of all immutables that a generation names that is kept, or that an unfinished publish may have named. */
export function namedPaths({ generations, pending }: RemoteState): Set<string> {
  return new Set([...generations, pending].flatMap(({ immutables }) => immutables.map(({ path }) => path)));
}

/** The state while a release is being published: before anything of it is stored. */
export function begunState(state: RemoteState, release: Release): RemoteState {
  const files = new Map(state.pending.immutables.map((file) => [file.path, file]));
  for (const { path, sizeBytes, sha256 } of allImmutables(release)) files.set(path, { path, size: sizeBytes, sha256 });
  const indexes = new Set([...state.pending.indexes, ...release.indexStages.flat().map(({ path }) => path)]);
  return { ...state, pending: { immutables: [...files.values()], indexes: [...indexes] } };
}

/**
 * The state after a publish. What is named no more is noted with the time since when; what is named again is not. A
 * publish that only repaired what readers see takes the place of the last generation.
 */
export function nextState(state: RemoteState, published: Omit<Generation, 'number'>): RemoteState {
  const [current, ...older] = state.generations;
  const isRepair = current !== undefined && haveSameIndexes(current, published);
  const generation = { number: (current?.number ?? 0) + (isRepair ? 0 : 1), ...published };
  const generations = [generation, ...(isRepair ? older : state.generations)].slice(0, GENERATIONS_KEPT);
  const next = { generations, pending: NOTHING_PUBLISHED.pending };
  const named = namedPaths({ ...next, dropped: new Map() });
  const leaving = [...namedPaths(state)].map((path) => [path, generation.publishedAt] as const);
  const dropped = new Map([...state.dropped, ...leaving].filter(([path]) => !named.has(path)));
  return { ...next, dropped };
}

function haveSameIndexes(a: Pick<Generation, 'indexes'>, b: Pick<Generation, 'indexes'>): boolean {
  const textOf = ({ indexes }: Pick<Generation, 'indexes'>) =>
    indexes.map(({ path, sha256 }) => `${sha256} ${path}`).join();
  return textOf(a) === textOf(b);
}

export function renderRemoteState({ generations, pending, dropped }: RemoteState): string {
  return `${JSON.stringify({ format: FORMAT, generations, pending, dropped: Object.fromEntries(dropped) })}\n`;
}

/** Reads a state of foreign origin; `fileName` opens the messages. Throws FORMAT with the path of what is wrong. */
export function parseRemoteState(text: string, fileName: string): RemoteState {
  const root = parseJson(text, { file: fileName, code: 'FORMAT' });
  const format = jsonMember(root, 'format');
  if (format.value !== FORMAT) throw wrongJson(format, `the format ${FORMAT} that this program knows`);
  const dropped = jsonMembers(jsonMember(root, 'dropped'), MAX_FILES);
  return {
    generations: jsonItems(jsonMember(root, 'generations'), 100).map(parseGeneration),
    pending: parsePending(jsonMember(root, 'pending')),
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

function parsePending(node: JsonNode): Pending {
  return {
    immutables: jsonItems(jsonMember(node, 'immutables'), MAX_FILES).map(parsePendingFile),
    indexes: jsonItems(jsonMember(node, 'indexes'), MAX_FILES).map((path) =>
      jsonString(path, 'a plain relative path', isPath),
    ),
  };
}

function parseFile(node: JsonNode): PublishedFile {
  const revision = jsonString(jsonMember(node, 'revision'), 'a text', () => true);
  const lasting = jsonMember(node, 'lasting').value === true ? { lasting: true as const } : {};
  return { ...parsePendingFile(node), revision, ...lasting };
}

function parsePendingFile(node: JsonNode): PendingFile {
  return {
    path: jsonString(jsonMember(node, 'path'), 'a plain relative path', isPath),
    size: jsonCount(jsonMember(node, 'size')),
    sha256: jsonString(jsonMember(node, 'sha256'), SHA256_FORM, isSha256Hex),
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
