import type { Header } from 'tar-stream';

/** Sizes that eleven octal digits, all that a header of ustar has for them, can say. */
const MAX_USTAR_BYTES = 8 ** 11 - 1;

export type MemberHeader = Partial<Header> & Pick<Header, 'name'>;

/**
 * The header of a plain file in a bundle: no time, no owner, which say nothing about a path. A size that ustar cannot say,
 * from 8 GiB on, is in a pax header before it (POSIX.1-2001, pax Extended Header).
 */
export function memberHeader(name: string, size: number): MemberHeader {
  const header = { name, size, type: 'file' as const, mode: 0o644, uid: 0, gid: 0, mtime: new Date(0) };
  return size > MAX_USTAR_BYTES ? { ...header, pax: { size: String(size) } } : header;
}
