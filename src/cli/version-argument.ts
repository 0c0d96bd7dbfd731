import { type ImageVersion, isImageVersion } from '../metadata/brands.js';

/** Reads a version, also as the stamp `YYYY-MM-DD-HHMMSS` of an image's name; null for anything else. */
export function readVersion(text: string): ImageVersion | null {
  const digits = /^\d{4}-\d{2}-\d{2}-\d{6}$/.test(text) ? text.replaceAll('-', '') : text;
  return isImageVersion(digits) ? digits : null;
}
