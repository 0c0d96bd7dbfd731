import { type ErrorCode, UpdateRepositoryError } from '../../errors.js';
import type { Mirrors } from './mirrors.js';
import type { RemoteFile } from './remote-file.js';

/** Who delivered the bytes of a file that came out wrong. */
export interface Suppliers {
  /** The names of all of them. */
  readonly sources: ReadonlySet<string>;
  /** Who delivered most of what this run fetched; null where it fetched nothing. */
  readonly mainSource: string | null;
}

/** What keeps the other mirrors from delivering what one had wrong. */
const FAILURES_OF_MIRRORS: readonly ErrorCode[] = ['NETWORK', 'STORAGE', 'NOT_FOUND'];

/** All that it came from, if there are others; else the one that delivered most, if others delivered the rest. */
export function whomToAvoid(mirrors: Mirrors, file: RemoteFile, { sources, mainSource }: Suppliers): Set<string> {
  if (mirrors.hasOtherThan(sources, file)) return new Set(sources);
  const main = new Set(mainSource === null ? [] : [mainSource]);
  return mirrors.hasOtherThan(main, file) ? main : new Set();
}

/** What is to be thrown after `wrong` bytes when `error` ended the second attempt: that others failed does not make them right. */
export function unlessMirrorsFailed(wrong: UpdateRepositoryError, error: unknown): unknown {
  if (!(error instanceof UpdateRepositoryError) || !FAILURES_OF_MIRRORS.includes(error.code)) return error;
  return new UpdateRepositoryError(wrong.code, `${wrong.message}; and then ${error.message}`, {
    data: wrong.data,
    cause: error,
  });
}

/** Counts who delivers how much. */
export class Deliverers implements Suppliers {
  readonly #bytes = new Map<string, number>();

  get sources(): ReadonlySet<string> {
    return new Set(this.#bytes.keys());
  }

  get mainSource(): string | null {
    const [most] = [...this.#bytes].toSorted(([, a], [, b]) => b - a);
    return most?.[0] ?? null;
  }

  delivered(name: string, bytes: number): void {
    this.#bytes.set(name, (this.#bytes.get(name) ?? 0) + bytes);
  }
}
