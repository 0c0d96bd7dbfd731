import type { Storage } from '../storage.js';
import { parseHttpAddress } from './address.js';
import { HttpClient } from './client.js';
import { connectionTo } from './connection.js';
import { findAuthorization } from './credentials.js';
import { Directories } from './directories.js';
import { HttpStorage } from './http-storage.js';
import { probeServer } from './probe.js';

/**
 * The storage at an http or https address. Asks the server what it can do by storing a small object and removing it.
 *
 * @throws UpdateRepositoryError USAGE for an address that is none; NETWORK, STORAGE; IO for a netrc file that cannot be
 * read
 */
export async function openHttpStorage(target: string): Promise<Storage> {
  const address = parseHttpAddress(target);
  const authorization = await findAuthorization(address, process.env);
  const client = new HttpClient(address, { dispatcher: await connectionTo(address), authorization });
  const { signal } = new AbortController();
  try {
    const directories = new Directories(client);
    return new HttpStorage(client, directories, await probeServer(client, directories, { signal }));
  } catch (error) {
    await client.close();
    throw error;
  }
}
