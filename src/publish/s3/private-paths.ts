import { PRIVATE_DIR } from '../../metadata/mirror-paths.js';

/*
 * What this backend keeps in the bucket for itself, all of it empty objects whose names say everything:
 *
 *     .update-repository/s3/probe                          for finding out whether the server heeds conditions
 *     .update-repository/s3/uploads/<sha256>/<path>        a multipart upload of this content to this path may be open
 */

/** Where all of it lies; no listing shows it. */
export const S3_PRIVATE_PREFIX = `${PRIVATE_DIR}/s3/`;

/** Where uploads that may be open are noted. */
export const UPLOADS_PREFIX = `${S3_PRIVATE_PREFIX}uploads/`;

/** An object to try conditions on. */
export const PROBE_PATH = `${S3_PRIVATE_PREFIX}probe`;

/** Where an upload is noted. */
export function uploadNote(path: string, sha256: string): string {
  return `${UPLOADS_PREFIX}${sha256}/${path}`;
}

/** What {@link uploadNote} made, or null. */
export function parseUploadNote(note: string): { readonly path: string; readonly sha256: string } | null {
  const found = /^([0-9a-f]{64})\/(.+)$/.exec(note.slice(UPLOADS_PREFIX.length));
  return found?.[1] === undefined || found[2] === undefined ? null : { sha256: found[1], path: found[2] };
}
