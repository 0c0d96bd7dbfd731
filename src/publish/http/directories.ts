import type { StorageCall } from '../storage.js';
import type { Answer, HttpClient } from './client.js';
import { refused } from './failures.js';

/** Makes directories where a server wants them made, each once. */
export class Directories {
  readonly #client: HttpClient;
  readonly #there = new Map<string, Promise<void>>();

  constructor(client: HttpClient) {
    this.#client = client;
  }

  /** Remembers a directory that was seen; its path ends in a slash, or is empty for the root. */
  seen(path: string): void {
    this.#there.set(path, Promise.resolve());
  }

  /** Whether a directory was seen or made where an object would be. */
  isTaken(path: string): boolean {
    return this.#there.has(`${path}/`);
  }

  /** Makes all directories that an object is in. */
  async makeFor(path: string, call: StorageCall): Promise<void> {
    for (let end = 0; end >= 0; end = path.indexOf('/', end + 1)) {
      await this.#make(end === 0 ? '' : path.slice(0, end + 1), call);
    }
  }

  async #make(path: string, call: StorageCall): Promise<void> {
    const made = this.#there.get(path) ?? this.#mkcol(path, call);
    this.#there.set(path, made);
    try {
      await made;
    } catch (error) {
      this.#there.delete(path);
      throw error;
    }
  }

  /**
   * RFC 4918 §9.3: 405 is what is there already. A server without MKCOL says 405 or 501, and makes them itself. Apache
   * says 403 while another one makes it, and 405 when it is asked again.
   */
  async #mkcol(path: string, call: StorageCall): Promise<void> {
    const isThere = ({ status }: Answer) => [201, 405, 501].includes(status);
    if (isThere(await this.#client.send('MKCOL', path, call))) return;
    const again = await this.#client.send('MKCOL', path, call);
    if (!isThere(again)) throw refused(this.#client.about('MKCOL', path), again.status, again.header('location'));
  }
}
