import type { XmlElement } from './xml.js';
import { parseXml, XmlFault } from './xml.js';

/** What a listing says of one thing below the directory that it is of. */
export interface ListedEntry {
  /** One part of a path. */
  readonly name: string;
  readonly directory: boolean;
  /** Null for a directory, and for what the server does not tell it of. */
  readonly sizeBytes: number | null;
  readonly etag: string | undefined;
  readonly lastModified: string | undefined;
}

/** What PROPFIND asks for: RFC 4918 §9.1, §15. */
export const PROPFIND_BODY =
  '<?xml version="1.0" encoding="utf-8"?>' +
  '<propfind xmlns="DAV:"><prop><resourcetype/><getcontentlength/><getlastmodified/><getetag/></prop></propfind>';

/**
 * Reads the answer to PROPFIND with `Depth: 1` (RFC 4918 §14.16). The directory itself is left out, and so is what has
 * a name that no path of ours could have.
 *
 * @param directory the decoded path of its URL, with a slash at both ends
 * @throws XmlFault for what is no such answer, or names what is not in the directory
 */
export function parseMultistatus(text: string, directory: string): ListedEntry[] {
  const root = parseXml(text);
  if (root.name !== 'DAV:multistatus') throw new XmlFault(`<${root.name}> in place of <DAV:multistatus>`);
  return all(root, 'DAV:response').flatMap((response) => entryOf(response, directory) ?? []);
}

function entryOf(response: XmlElement, directory: string): ListedEntry | null {
  const href = all(response, 'DAV:href')[0]?.text.trim();
  if (href === undefined) throw new XmlFault('a response without href');
  const path = decodePath(href);
  if (path === null || path.replace(/\/$/, '') === directory.replace(/\/$/, '')) return null;
  const name = path.startsWith(directory) ? path.slice(directory.length).replace(/\/$/, '') : '';
  if (name === '' || name.includes('/') || name === '.' || name === '..') {
    throw new XmlFault(`${JSON.stringify(path)}, which is not in ${directory}`);
  }
  const found = all(response, 'DAV:propstat').filter((propstat) => isFound(propstat));
  const properties = found.flatMap((propstat) => all(propstat, 'DAV:prop')).flatMap(({ children }) => children);
  const property = (wanted: string) => properties.find((element) => element.name === wanted);
  const size = property('DAV:getcontentlength')?.text.trim();
  return found.length === 0
    ? null
    : {
        name,
        directory: property('DAV:resourcetype')?.children.some((type) => type.name === 'DAV:collection') ?? false,
        sizeBytes: size !== undefined && /^\d{1,15}$/.test(size) ? Number(size) : null,
        etag: property('DAV:getetag')?.text.trim(),
        lastModified: property('DAV:getlastmodified')?.text.trim(),
      };
}

/** The path of a URL or of an absolute path, its parts decoded; null where one of them is no text, or has a slash. */
function decodePath(href: string): string | null {
  const path = href.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/]*/i, '').replace(/[?#].*$/, '');
  if (!path.startsWith('/')) throw new XmlFault(`href ${JSON.stringify(href)}, which is no absolute path`);
  try {
    const parts = path.split('/').map(decodeURIComponent);
    return parts.some((part) => part.includes('/') || part.includes('\0')) ? null : parts.join('/');
  } catch (error) {
    if (error instanceof URIError) return null;
    throw error;
  }
}

function isFound(propstat: XmlElement): boolean {
  return /^HTTP\/\d(?:\.\d)? 200\b/.test(all(propstat, 'DAV:status')[0]?.text.trim() ?? '');
}

function all({ children }: XmlElement, name: string): XmlElement[] {
  return children.filter((child) => child.name === name);
}
