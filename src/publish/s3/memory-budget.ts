interface Waiting {
  readonly sizeBytes: number;
  readonly go: () => void;
}

/**
 * Lends memory, never more at once than a limit, to those who send; who comes first gets it first. What is larger than
 * the limit is lent when nothing else is.
 */
export class MemoryBudget {
  readonly #limitBytes: number;
  readonly #queue: Waiting[] = [];
  /** Buffers of the size that is lent most, for the next one: those that are thrown away stay for a while. */
  readonly #spare: Buffer[] = [];
  readonly #spareBytes: number;
  #lentBytes = 0;

  constructor(limitBytes: number, spareBytes: number) {
    this.#limitBytes = limitBytes;
    this.#spareBytes = spareBytes;
  }

  /** Resolves when there is room. The bytes in it are arbitrary. */
  async borrow(sizeBytes: number): Promise<Buffer> {
    if (this.#queue.length > 0 || !this.#fits(sizeBytes)) {
      await new Promise<void>((go) => this.#queue.push({ sizeBytes, go }));
    } else {
      this.#lentBytes += sizeBytes;
    }
    const spare = sizeBytes === this.#spareBytes ? this.#spare.pop() : undefined;
    return spare ?? Buffer.allocUnsafeSlow(sizeBytes);
  }

  giveBack(buffer: Buffer): void {
    this.#lentBytes -= buffer.length;
    if (buffer.length === this.#spareBytes) this.#spare.push(buffer);
    for (let next = this.#queue[0]; next !== undefined && this.#fits(next.sizeBytes); next = this.#queue[0]) {
      this.#queue.shift();
      this.#lentBytes += next.sizeBytes;
      next.go();
    }
  }

  #fits(sizeBytes: number): boolean {
    return this.#lentBytes === 0 || this.#lentBytes + sizeBytes <= this.#limitBytes;
  }
}
