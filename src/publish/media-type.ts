/** The Content-Type of an object, by its name. */
export function mediaTypeOf(path: string): string {
  if (path.endsWith('.json')) return 'application/json';
  if (/\.(?:asc|gpg)$/.test(path)) return 'application/pgp-signature';
  if (path.endsWith('.zst')) return 'application/zstd';
  return /\.[a-z]+$/.test(path) ? 'application/octet-stream' : 'text/plain; charset=utf-8';
}
