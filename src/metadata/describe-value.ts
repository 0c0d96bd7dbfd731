const MAX_SHOWN_CHARACTERS = 80;

/**
 * Shows a value of foreign origin in an error message: quoted, on one line, without characters that move a cursor or
 * turn the direction of text, and cut after 80 characters.
 */
export function describeValue(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (typeof value === 'string') return quote(value);
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object' && value !== null) return 'an object';
  return String(value);
}

/** A file name for the start of a message: as it is when it is printable, else quoted like {@link describeValue}. */
export function describeName(name: string): string {
  return isPlain(name) ? name : quote(name);
}

function isPlain(text: string): boolean {
  return text !== '' && text.length <= 255 && !/[\p{C}\s"\uFFFD]/u.test(text);
}

function quote(text: string): string {
  const shown = text.length > MAX_SHOWN_CHARACTERS ? `${text.slice(0, MAX_SHOWN_CHARACTERS)}…` : text;
  return JSON.stringify(shown).replace(/[\p{C}\p{Zl}\p{Zp}]/gu, escapeCharacter);
}

function escapeCharacter(character: string): string {
  return `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;
}
