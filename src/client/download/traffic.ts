/** Counts the bytes of files and texts that came from servers, those that were of no use and had to come again included. */
export class Traffic {
  readonly #ofPath = new Map<string, number>();
  #inAll = 0;

  get fetchedBytes(): number {
    return this.#inAll;
  }

  fetchedBytesOf(path: string): number {
    return this.#ofPath.get(path) ?? 0;
  }

  count(path: string, bytes: number): void {
    this.#inAll += bytes;
    this.#ofPath.set(path, this.fetchedBytesOf(path) + bytes);
  }
}
