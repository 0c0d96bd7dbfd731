/** Work on pieces of two buffers, in order: while one piece is on its way the next one is made, in the other buffer. */
export class Deliveries {
  #before: Delivery = delivery(Promise.resolve());
  #last: Delivery = this.#before;

  /** Begins `work` when all that was sent before has arrived; where that failed, it is not begun. */
  send(work: () => Promise<void>): void {
    this.#last = delivery(arrival(this.#last).then(work));
  }

  /** Waits for all but what was sent since the last call. Throws what failed. */
  async settle(): Promise<void> {
    await arrival(this.#before);
    this.#before = this.#last;
  }

  /** Waits for everything. Throws what failed. */
  async end(): Promise<void> {
    await arrival(this.#last);
  }

  /** Waits until nothing is on its way, arrived or failed. */
  async rest(): Promise<void> {
    await this.#last;
  }
}

/** That it fails is nobody's failure until somebody waits for its arrival. */
type Delivery = Promise<PromiseSettledResult<void>>;

async function delivery(sent: Promise<void>): Promise<PromiseSettledResult<void>> {
  const [result] = await Promise.allSettled([sent]);
  return result;
}

async function arrival(piece: Delivery): Promise<void> {
  const result = await piece;
  if (result.status === 'rejected') throw result.reason;
}
