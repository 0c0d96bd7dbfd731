import { parseHttpAddress } from '../../net/http/address.js';
import { connectionTo } from '../../net/http/connection.js';
import type { Storage, StorageCall } from '../storage.js';
import { HttpClient } from './client.js';
import { findAuthorization } from './credentials.js';
import { Directories } from './directories.js';
import { HttpStorage } from './http-storage.js';
import { lookAtServer } from './probe.js';

/**
 * The storage at an http or https address. Asks the server what it shows; what it can do is found out by `prepare`.
 *
 * @throws UpdateRepositoryError USAGE for an address that is none; NETWORK, STORAGE, INTERRUPTED; IO for a netrc file that
 * cannot be read
 */
export async function openHttpStorage(target: string, call: StorageCall): Promise<Storage> {
  const address = parseHttpAddress(target);
  const authorization = await findAuthorization(address, process.env);
  const client = new HttpClient(address, { dispatcher: await connectionTo(address), authorization });
  try {
    const directories = new Directories(client);
    return new HttpStorage(client, directories, await lookAtServer(client, directories, call));
  } catch (error) {
    await client.close();
    throw error;
  }
}
