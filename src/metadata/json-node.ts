import { UpdateRepositoryError } from '../errors.js';
import { describeValue } from './describe-value.js';
import { findStructureFault } from './json-structure.js';

/** A JSON value of foreign origin together with the place that an error about it has to name. */
export interface JsonNode {
  readonly source: JsonSource;
  /** As jq writes it: `.` is the whole document, `.images[0]."puavo-conf"` a part of it. */
  readonly path: string;
  /** What JSON.parse made of it; undefined when the member is not there. */
  readonly value: unknown;
}

/** The file that the JSON came from, and the code of the errors about it. */
export interface JsonSource {
  readonly file: string;
  readonly code: 'FORMAT' | 'CONFIG';
}

/** Parses a whole document. Refuses broken JSON, repeated keys and deep nesting with the code of `source`. */
export function parseJson(text: string, source: JsonSource): JsonNode {
  const fault = findStructureFault(text);
  if (fault !== null) {
    throw new UpdateRepositoryError(source.code, `${source.file}: expected plain JSON, found ${fault}`, {
      data: { file: source.file },
    });
  }
  return { source, path: '.', value: parseText(text, source) };
}

/** The member `key` of an object, whether or not it is there. The node has to be an object. */
export function jsonMember(node: JsonNode, key: string): JsonNode {
  const object = asObject(node);
  return child(node, key, Object.hasOwn(object, key) ? object[key] : undefined);
}

/** The members of an object in the order of the file, at most `maxCount` of them. */
export function jsonMembers(node: JsonNode, maxCount: number): ReadonlyMap<string, JsonNode> {
  const object = asObject(node);
  const keys = Object.keys(object);
  if (keys.length > maxCount) throw tooMany(node, maxCount, keys.length);
  return new Map(keys.map((key) => [key, child(node, key, object[key])]));
}

/** The items of a list, at most `maxCount` of them. */
export function jsonItems(node: JsonNode, maxCount: number): readonly JsonNode[] {
  const { value, path, source } = node;
  if (!Array.isArray(value)) throw wrongJson(node, 'a list');
  const items: readonly unknown[] = value;
  if (items.length > maxCount) throw tooMany(node, maxCount, items.length);
  return items.map((item, index) => ({ source, path: `${path}[${index}]`, value: item }));
}

/** A string that passes `accepts`, which an error calls `expected`. */
export function jsonString<T extends string>(node: JsonNode, expected: string, accepts: (text: string) => text is T): T;
export function jsonString(node: JsonNode, expected: string, accepts: (text: string) => boolean): string;
export function jsonString(node: JsonNode, expected: string, accepts: (text: string) => boolean): string {
  if (typeof node.value === 'string' && accepts(node.value)) return node.value;
  throw wrongJson(node, expected);
}

/** A number of things or bytes: an integer from 0 to 2^53 - 1. */
export function jsonCount(node: JsonNode): number {
  if (typeof node.value === 'number' && Number.isSafeInteger(node.value) && node.value >= 0) return node.value;
  throw wrongJson(node, 'an integer from 0 to 2^53 - 1');
}

/**
 * Notes in `taken` where `value` stands, and refuses the second node that has it; `expected` says what it should have
 * been.
 */
export function claimOnce(taken: Map<string, string>, value: string, node: JsonNode, expected: string): void {
  const other = taken.get(value);
  if (other !== undefined) throw wrongJson(node, expected, `the same as ${other}`);
  taken.set(value, node.path);
}

/** The error for a value that is not what was `expected`; `found` says more than the value itself where needed. */
export function wrongJson(node: JsonNode, expected: string, found = describeValue(node.value)): UpdateRepositoryError {
  const { source, path } = node;
  return new UpdateRepositoryError(source.code, `${source.file}: ${path}: expected ${expected}, found ${found}`, {
    data: { file: source.file, path },
  });
}

function parseText(text: string, source: JsonSource): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new UpdateRepositoryError(source.code, `${source.file}: expected JSON, found ${oneLine(reason)}`, {
      data: { file: source.file },
      cause: error,
    });
  }
}

function asObject(node: JsonNode): Record<string, unknown> {
  if (isObject(node.value)) return node.value;
  throw wrongJson(node, 'an object');
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function child(node: JsonNode, key: string, value: unknown): JsonNode {
  const name = /^[A-Za-z_][A-Za-z0-9_]*$/.test(key) ? key : describeValue(key);
  return { source: node.source, path: `${node.path === '.' ? '' : node.path}.${name}`, value };
}

function tooMany(node: JsonNode, maxCount: number, count: number): UpdateRepositoryError {
  return wrongJson(node, `at most ${maxCount} entries`, String(count));
}

/** The parser's own words quote a piece of the text. */
function oneLine(reason: string): string {
  return reason.replace(/[\p{C}\s]+/gu, ' ').slice(0, 200);
}
