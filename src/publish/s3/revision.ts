/** The revision of an object: its ETag without the quotes, which servers and requests have or have not. */
export function revisionOf(etag: string | undefined): string {
  return (etag ?? '').replace(/^W\//, '').replaceAll('"', '');
}
