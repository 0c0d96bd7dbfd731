/** What a server says of the state of a file (RFC 9110 §8.8); null where it says nothing. */
export interface Validators {
  readonly etag: string | null;
  readonly lastModified: string | null;
}

/** An entity tag (RFC 9110 §8.8.3), of a length that is worth keeping. */
export function isEntityTag(text: string): boolean {
  return text.length <= 256 && /^(W\/)?"[\x21\x23-\x7e]*"$/.test(text);
}

/** Something like a date that can be sent back in a header as it came. */
export function isHttpDate(text: string): boolean {
  return /^[\x20-\x7e]{1,64}$/.test(text) && !Number.isNaN(Date.parse(text));
}

/** The validators of an answer; those that make no sense are as good as none. */
export function validatorsOf(header: (name: string) => string | undefined): Validators {
  const [etag, lastModified] = [header('etag') ?? '', header('last-modified') ?? ''];
  return { etag: isEntityTag(etag) ? etag : null, lastModified: isHttpDate(lastModified) ? lastModified : null };
}

/** What goes into If-Range: a strong entity tag or a date (RFC 9110 §13.1.5); null where there is neither. */
export function ifRangeOf({ etag, lastModified }: Validators): string | null {
  return etag?.startsWith('"') === true ? etag : lastModified;
}

/** How the file differs from what it was, as a phrase; null where nothing tells that it does. */
export function findChange(before: Validators, now: Validators): string | null {
  for (const [name, was, is] of [
    ['ETag', before.etag, now.etag],
    ['Last-Modified', before.lastModified, now.lastModified],
  ] as const) {
    if (was !== null && is !== null && was !== is) return `${name} ${is} after ${was}`;
  }
  return null;
}

export function areSame(a: Validators, b: Validators): boolean {
  return a.etag === b.etag && a.lastModified === b.lastModified;
}
