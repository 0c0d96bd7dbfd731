import { UpdateRepositoryError } from '../../errors.js';

/** What a static host has to know of a mirror. */
export interface Site {
  /** The mirror's root, as an absolute path of the host. */
  readonly root: string;
  readonly serverName: string;
  readonly listen: ListenAddress;
  /** With the certificates that lead to its authority. */
  readonly certificatePath: string;
  readonly keyPath: string;
}

export interface ListenAddress {
  /** Null for all of the host. */
  readonly address: string | null;
  readonly port: number;
}

/** Reads `443`, `192.0.2.1:8443` or `[2001:db8::1]:8443`. Throws USAGE for anything else. */
export function parseListenAddress(text: string): ListenAddress {
  const [, address = null, digits = ''] = /^(?:([\d.]+|\[[\da-f:.]+\]):)?(\d{1,5})$/i.exec(text) ?? [];
  const port = Number(digits);
  if (port >= 1 && port <= 65535) return { address, port };
  throw wrong('a port, or an address and a port such as 192.0.2.1:8443', text);
}

/** A host name; throws USAGE for what is none. */
export function parseServerName(text: string): string {
  if (text.length <= 253 && /^[a-z\d](?:[a-z\d-]*[a-z\d])?(?:\.[a-z\d](?:[a-z\d-]*[a-z\d])?)*$/i.test(text))
    return text;
  throw wrong('a host name such as images.example.org', text);
}

/**
 * A path that means the same in the configuration of each server once it stands between double quotes; throws USAGE for
 * what none of them would take as it is.
 */
export function parseConfigPath(text: string): string {
  if (text.startsWith('/') && !/[\p{Cc}"\\$%{}`*?[\]]/u.test(text)) return text;
  throw wrong('an absolute path without control characters and any of " \\ $ % { } ` * ? [ ]', text);
}

function wrong(expected: string, found: string): UpdateRepositoryError {
  return new UpdateRepositoryError('USAGE', `expected ${expected}, found ${JSON.stringify(found)}`);
}
