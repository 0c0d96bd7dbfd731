/**
 * The items of `source`, until `signal` is aborted: also while the next one is being waited for, and even if the source does
 * not listen. Then, and when nobody wants more, the source is told to end.
 *
 * @throws what `whenAborted` makes, and what the source throws
 */
export async function* untilAborted<Item>(
  source: AsyncIterable<Item>,
  signal: AbortSignal | undefined,
  whenAborted: () => Error,
): AsyncGenerator<Item, void> {
  const iterator = source[Symbol.asyncIterator]();
  let isWaiting = false;
  try {
    for (;;) {
      isWaiting = true;
      const next = await orAborted(iterator.next(), signal, whenAborted);
      isWaiting = false;
      if (next.done === true) return;
      yield next.value;
    }
  } finally {
    const ending = Promise.allSettled([iterator.return?.()]);
    // A generator that is amid its next item would end after that only.
    if (!isWaiting) await ending;
  }
}

function orAborted<T>(work: Promise<T>, signal: AbortSignal | undefined, whenAborted: () => Error): Promise<T> {
  if (signal === undefined) return work;
  return new Promise((resolve, reject) => {
    const stop = () => reject(whenAborted());
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop);
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop));
  });
}
