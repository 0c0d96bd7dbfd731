import { pseudoRandomNumbers } from './pseudo-random.js';

/** The `count`-th call of `call` in a run of a program. */
export interface Instant {
  readonly call: string;
  readonly count: number;
}

/** The calls of the thread that made the most of them; a line is `<thread> <call>(…`. */
export function readInstants(log: string): Instant[] {
  const threads = new Map<string, Instant[]>();
  for (const [, thread = '', call = ''] of log.matchAll(/^(\d+) +(\w+)\(/gm)) {
    const instants = threads.get(thread) ?? [];
    const count = instants.filter((instant) => instant.call === call).length + 1;
    threads.set(thread, [...instants, { call, count }]);
  }
  return [...threads.values()].reduce((most, instants) => (instants.length > most.length ? instants : most), []);
}

/** `count` of `items`, one at random out of each of as many equal stretches; all where there are no more than that. */
export function evenly<T>(items: readonly T[], count: number, seed: string): T[] {
  if (count >= items.length) return [...items];
  const random = pseudoRandomNumbers(seed);
  return Array.from({ length: count }, (_, stretch) =>
    Math.floor(((stretch + random()) * items.length) / count),
  ).flatMap((index) => items[index] ?? []);
}
