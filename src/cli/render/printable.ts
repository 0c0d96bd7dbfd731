/**
 * Makes text from outside (file names, messages of the operating system) safe for a terminal: control characters,
 * invisible format characters such as those that reverse the reading direction, line breaks and lone surrogates become
 * visible escapes such as `\x1b` or `\u{202e}`. The result is always one line.
 */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, (character) => {
    const hex = (character.codePointAt(0) ?? 0).toString(16);
    return hex.length <= 2 ? `\\x${hex.padStart(2, '0')}` : `\\u{${hex}}`;
  });
}
