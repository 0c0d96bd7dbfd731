import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fromSystemError, isSystemError } from '../../errors.js';
import type { HttpAddress } from '../../net/http/address.js';
import { findLogin, type Login } from './netrc.js';

/** What of the environment tells who to be. */
export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The Authorization header for a server, null for none: from the netrc file (`NETRC`, else ~/.netrc) where it knows the
 * server, else from UPDATE_REPOSITORY_HTTP_USER and UPDATE_REPOSITORY_HTTP_PASSWORD. Nothing is sent where others
 * could read it on the way.
 *
 * @throws UpdateRepositoryError IO when a netrc file is there and cannot be read
 */
export async function findAuthorization(address: HttpAddress, environment: Environment): Promise<string | null> {
  if (address.url.protocol !== 'https:' && !address.loopback) return null;
  const netrc = await readNetrc(environment);
  const login = findLogin(netrc, address.url.hostname) ?? loginOf(environment);
  if (login === null) return null;
  return `Basic ${Buffer.from(`${login.user}:${login.password}`).toString('base64')}`;
}

function loginOf(environment: Environment): Login | null {
  const user = environment.UPDATE_REPOSITORY_HTTP_USER;
  const password = environment.UPDATE_REPOSITORY_HTTP_PASSWORD;
  return user === undefined || password === undefined ? null : { user, password };
}

async function readNetrc(environment: Environment): Promise<string> {
  const path = environment.NETRC ?? join(environment.HOME ?? homedir(), '.netrc');
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return '';
    throw fromSystemError(error, 'read it', path);
  }
}
