import { UpdateRepositoryError } from '../errors.js';

/**
 * Reads the URL under which clients will find the mirror's root and drops its trailing slashes: `<url>/<file name>`
 * is what ends up in the published metadata. Throws USAGE for anything but a plain http or https URL; a password in it
 * would be published too.
 */
export function parseBaseUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !['http:', 'https:'].includes(url.protocol)) {
    throw wrong(text, 'expected an http or https URL such as https://images.example.org');
  }
  if (/[?#]/.test(text)) throw wrong(text, 'expected a URL without query and fragment');
  if (url.username !== '' || url.password !== '') throw wrong(text, 'expected a URL without user name and password');
  return url.href.replace(/\/+$/, '');
}

function wrong(text: string, expected: string): UpdateRepositoryError {
  return new UpdateRepositoryError('USAGE', `${expected}, found '${text}'`);
}
