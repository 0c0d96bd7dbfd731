declare const brand: unique symbol;

/**
 * A name or path as its bytes, one character (U+0000 to U+00FF) a byte. File names are bytes that need not be UTF-8, so
 * they are compared and looked up in this form; `<` orders it bytewise.
 */
export type ByteString = string & { readonly [brand]: true };

/** The bytes themselves as a {@link ByteString}. */
export function fromBytes(bytes: Uint8Array): ByteString {
  return asBuffer(bytes).toString('latin1') as ByteString;
}

/** The UTF-8 bytes of `text`. */
export function fromText(text: string): ByteString {
  return fromBytes(Buffer.from(text, 'utf8'));
}

/** The text whose UTF-8 bytes these are; bytes that are no UTF-8 become U+FFFD. */
export function toText(raw: ByteString): string {
  return Buffer.from(raw, 'latin1').toString('utf8');
}

/** The components of a POSIX path, without empty ones and `.`. */
export function pathComponents(path: ByteString): ByteString[] {
  return path.split('/').filter((name) => name !== '' && name !== '.') as ByteString[];
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
