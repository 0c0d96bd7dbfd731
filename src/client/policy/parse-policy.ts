import { type ImageVersion, isImageVersion, VERSION_FORM } from '../../metadata/brands.js';
import {
  claimOnce,
  type JsonNode,
  jsonCount,
  jsonItems,
  jsonMembers,
  jsonString,
  parseJson,
  wrongJson,
} from '../../metadata/json-node.js';
import { NOTICE_FORM, type Notice, readNotice } from './notice.js';
import { CONNECTIONS, FALLBACKS, METERED_RULES, type Policy, type PolicyChoices, ROOM_MAKERS } from './policy.js';
import { readTargetWish, TARGET_FORM } from './target-wish.js';
import { readTimeWindow, WINDOW_FORM } from './time-window.js';

/** Far above any real policy. */
const MAX_MEMBERS = 100;
const MAX_BARRIERS = 1_000;
const MAX_WINDOWS = 100;

type Readers = { readonly [Member in keyof Policy]: (node: JsonNode) => Policy[Member] };

/** How each member of a policy file is read. */
const READERS: Readers = {
  target: (node) => jsonRead(node, TARGET_FORM, readTargetWish),
  floor: jsonVersion,
  allowDowngrade: jsonBoolean,
  barriers: jsonBarriers,
  fallback: (node) => jsonChoice(node, FALLBACKS),
  metered: (node) => jsonChoice(node, METERED_RULES),
  connection: (node) => jsonChoice(node, CONNECTIONS),
  windows: (node) => jsonItems(node, MAX_WINDOWS).map((item) => jsonRead(item, WINDOW_FORM, readTimeWindow)),
  keep: jsonPositive,
  makeRoom: (node) => jsonChoice(node, ROOM_MAKERS),
  maxHops: jsonPositive,
  limitBytesPerSecond: jsonPositive,
  downloadBytesPerSecond: jsonPositive,
  diskBytesPerSecond: jsonPositive,
  notify: jsonNotice,
};

/**
 * Reads a policy file (docs/client-policy.md): an object with any of the members of a {@link Policy}; `file` opens the
 * messages. Throws CONFIG with the path of the member that is wrong or not known.
 */
export function parsePolicy(text: string, file: string): PolicyChoices {
  const members = jsonMembers(parseJson(text, { file, code: 'CONFIG' }), MAX_MEMBERS);
  const read = [...members].map(([key, node]) => {
    if (!isMember(key)) throw wrongJson(node, `one of ${Object.keys(READERS).join(', ')}`, 'another member');
    return [key, READERS[key](node)] as const;
  });
  return Object.fromEntries(read);
}

function isMember(key: string): key is keyof Policy {
  return Object.hasOwn(READERS, key);
}

function jsonVersion(node: JsonNode): ImageVersion {
  return jsonString(node, VERSION_FORM, isImageVersion);
}

function jsonBarriers(node: JsonNode): readonly ImageVersion[] {
  const places = new Map<string, string>();
  return jsonItems(node, MAX_BARRIERS).map((item) => {
    const version = jsonVersion(item);
    claimOnce(places, version, item, 'a version that is not listed twice');
    return version;
  });
}

function jsonBoolean(node: JsonNode): boolean {
  if (typeof node.value === 'boolean') return node.value;
  throw wrongJson(node, 'true or false');
}

function jsonPositive(node: JsonNode): number {
  const count = jsonCount(node);
  if (count > 0) return count;
  throw wrongJson(node, 'an integer from 1 on');
}

function jsonChoice<T extends string>(node: JsonNode, choices: readonly T[]): T {
  const isChoice = (text: string): text is T => choices.some((choice) => choice === text);
  return jsonString(node, choices.join(', ').replace(/, (?=[^,]*$)/, ' or '), isChoice);
}

/** What is wrong may hold the secret of a webhook: it is not shown. */
function jsonNotice(node: JsonNode): Notice {
  const notice = typeof node.value === 'string' ? readNotice(node.value) : null;
  if (notice === null) throw wrongJson(node, NOTICE_FORM, typeof node.value === 'string' ? 'another text' : undefined);
  return notice;
}

function jsonRead<T>(node: JsonNode, form: string, read: (text: string) => T | null): T {
  const found = typeof node.value === 'string' ? read(node.value) : null;
  if (found === null) throw wrongJson(node, form);
  return found;
}
