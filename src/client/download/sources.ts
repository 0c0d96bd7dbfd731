import { type HttpAddress, urlOf } from '../../net/http/address.js';

/** One place that a file can be had from. */
export interface Source {
  /** For messages, and to know it again. */
  readonly name: string;
  /** Whose health it shares: the root of a mirror, or the origin of a URL beside all of them. */
  readonly mirror: string;
  readonly url: URL;
}

/** Where the file at `path` is on each mirror. */
export function mirrorSources(roots: readonly HttpAddress[], path: string): readonly Source[] {
  return roots.map((root) => ({ name: root.name, mirror: root.name, url: urlOf(root, path) }));
}

/**
 * The URLs beside the mirrors, without those that cannot be followed: other schemes, those with a password, and plain http
 * where every mirror is reached by https.
 */
export function fallbackSources(
  roots: readonly HttpAddress[],
  urls: readonly string[],
  known: readonly Source[],
): readonly Source[] {
  const schemes = roots.some(({ url }) => url.protocol === 'http:') ? ['http:', 'https:'] : ['https:'];
  const taken = new Set(known.map(({ url }) => url.href));
  return urls.flatMap((text) => {
    if (!URL.canParse(text)) return [];
    const url = new URL(text);
    url.hash = '';
    if (!schemes.includes(url.protocol) || url.username !== '' || url.password !== '' || taken.has(url.href)) return [];
    taken.add(url.href);
    return [{ name: nameOfUrl(url), mirror: url.origin, url }];
  });
}

/** A URL as messages have it: what is behind the question mark may be a secret. */
export function nameOfUrl({ protocol, host, pathname }: URL): string {
  return `${protocol}//${host}${pathname}`;
}
