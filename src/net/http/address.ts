import { UpdateRepositoryError } from '../../errors.js';

/** The root of a storage on a web server. */
export interface HttpAddress {
  /** For messages: without a slash at the end. */
  readonly name: string;
  /** With a slash at the end. */
  readonly url: URL;
  /** Whether nobody but this machine can listen to what is sent there. */
  readonly loopback: boolean;
}

/**
 * Reads the address of a storage. A password has no place in it: it would end up in the shell's history and in logs.
 *
 * @throws UpdateRepositoryError USAGE for anything but a plain http or https URL
 */
export function parseHttpAddress(target: string): HttpAddress {
  if (!URL.canParse(target)) throw wrong('the target', 'expected an http or https URL, found one that cannot be read');
  const url = new URL(target);
  const name = `${url.protocol}//${url.host}${url.pathname}`.replace(/\/+$/, '');
  if (url.username !== '' || url.password !== '') {
    throw wrong(name, 'expected an address without user name and password', {
      hint: 'put them into ~/.netrc, or into UPDATE_REPOSITORY_HTTP_USER and UPDATE_REPOSITORY_HTTP_PASSWORD',
    });
  }
  if (/[?#]/.test(target)) throw wrong(name, 'expected an address without query and fragment');
  url.pathname = `${url.pathname.replace(/\/+$/, '')}/`;
  return { name, url, loopback: isLoopbackHost(url.hostname) };
}

/** Where an object is, or a directory where `path` ends in a slash or is empty. */
export function urlOf({ url }: HttpAddress, path: string): URL {
  return new URL(path.split('/').map(encodeURIComponent).join('/'), url);
}

/** Whether a URL with this host name leads to this machine itself. */
export function isLoopbackHost(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d+){3}$/.test(hostname);
}

function wrong(name: string, expected: string, details: { readonly hint?: string } = {}): UpdateRepositoryError {
  return new UpdateRepositoryError('USAGE', `${name}: ${expected}`, { data: { target: name }, ...details });
}
