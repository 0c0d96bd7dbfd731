import { describeValue } from './describe-value.js';

/**
 * Deeper than any of our formats, and shallow enough for every recursive reader that follows, our own
 * JSON.stringify among them.
 */
const MAX_DEPTH = 64;

/**
 * Finds what JSON.parse lets pass and parsers disagree on: a key twice in one object (RFC 8259 section 4), or very
 * deep nesting (section 9), which costs a parser much memory before it fails. Returns a noun phrase, null when there
 * is neither. Only strings and brackets are looked at: of text that is no JSON at all it says nothing of use, and it
 * ends. Memory: the keys of the objects that are open.
 */
export function findStructureFault(json: string): string | null {
  const keysOfOpen: Set<string>[] = [];
  for (let at = 0; at < json.length; at++) {
    const character = json[at];
    if (character === '{' || character === '[') {
      keysOfOpen.push(new Set());
      if (keysOfOpen.length > MAX_DEPTH) return `more than ${MAX_DEPTH} levels of nesting`;
    } else if (character === '}' || character === ']') {
      keysOfOpen.pop();
    } else if (character === '"') {
      const end = endOfString(json, at);
      if (isFollowedByColon(json, end)) {
        const key = decodeKey(json.slice(at, end));
        const keys = keysOfOpen.at(-1);
        if (keys?.has(key)) return `the key ${describeValue(key)} twice in one object`;
        keys?.add(key);
      }
      at = end - 1;
    }
  }
  return null;
}

/** The offset behind the closing quote of the string that opens at `start`. */
function endOfString(json: string, start: number): number {
  let at = start + 1;
  while (at < json.length && json[at] !== '"') at += json[at] === '\\' ? 2 : 1;
  return at + 1;
}

/** Whether a colon is the next thing after blanks: whether the string before `at` was a key. */
function isFollowedByColon(json: string, at: number): boolean {
  let next = at;
  while (' \t\n\r'.includes(json[next] ?? ':')) next++;
  return json[next] === ':';
}

/** The key that a quoted string spells; escapes may spell one key in several ways. */
function decodeKey(quoted: string): string {
  if (!quoted.includes('\\')) return quoted.slice(1, -1);
  try {
    return String(JSON.parse(quoted));
  } catch {
    // JSON.parse will refuse the whole text for it.
    return quoted;
  }
}
