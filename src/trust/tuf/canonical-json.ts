/** A value that TUF signs: no fractions, nothing undefined. */
export type CanonicalValue =
  | string
  | number
  | boolean
  | readonly CanonicalValue[]
  | { readonly [key: string]: CanonicalValue | undefined };

/**
 * The one text of a value that signatures and key ids are made over: keys sorted, no blanks, and in strings nothing
 * escaped but the quote and the backslash. Members that are undefined are left out, as JSON does.
 *
 * Source: TUF specification 1.0.31, section 4.1 ("canonical JSON", the OLPC dialect).
 */
export function canonicalJson(value: CanonicalValue): string {
  if (typeof value === 'string') return quote(value);
  if (typeof value === 'boolean') return String(value);
  if (typeof value === 'number') return integer(value);
  if (isList(value)) return `[${value.map(canonicalJson).join(',')}]`;
  const members: string[] = [];
  for (const key of Object.keys(value).sort()) {
    const member = value[key];
    if (member !== undefined) members.push(`${quote(key)}:${canonicalJson(member)}`);
  }
  return `{${members.join(',')}}`;
}

function isList(value: CanonicalValue): value is readonly CanonicalValue[] {
  return Array.isArray(value);
}

function quote(text: string): string {
  return `"${text.replace(/[\\"]/g, '\\$&')}"`;
}

function integer(value: number): string {
  if (Number.isSafeInteger(value)) return String(value);
  throw new TypeError(`canonical JSON has integers below 2^53 alone, found ${value}`);
}
