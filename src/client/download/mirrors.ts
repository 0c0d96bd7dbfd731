import { hasCode, UpdateRepositoryError } from '../../errors.js';
import { TimeLimit } from '../../io/time-limit.js';
import { type HttpAddress, parseHttpAddress } from '../../net/http/address.js';
import { trustAuthorities } from '../../net/http/authorities.js';
import type { RetryOptions } from '../../net/patience.js';
import type { RateLimit } from '../../net/rate-limit.js';
import { SLOW_RETRIEVAL } from './answer-failures.js';
import { Connections } from './connections.js';
import { type FileListener, FileStream } from './file-stream.js';
import { Health } from './health.js';
import { type LineMeasure, LineMeter } from './line-meter.js';
import type { PaceLimit } from './pace.js';
import type { RemoteFile } from './remote-file.js';
import { fallbackSources, mirrorSources, nameOfUrl, type Source } from './sources.js';
import { requestText, type WantedText } from './text-request.js';
import { Traffic } from './traffic.js';
import { Turns } from './turns.js';
import type { Wire } from './wire.js';

/** How long servers are waited for. */
export interface Limits {
  /** For the head of an answer. */
  readonly answerTimeoutMs: number;
  /** For a whole text, from all mirrors and with all pauses. */
  readonly textTimeoutMs: number;
  readonly pace: PaceLimit;
}

export const DEFAULT_LIMITS: Limits = {
  answerTimeoutMs: 60_000,
  textTimeoutMs: 180_000,
  pace: { bytesPerSecond: 1024, windowMs: 30_000 },
};

export interface MirrorsOptions {
  /** http or https URLs, in the order in which they are asked; at least one. */
  readonly roots: readonly string[];
  /** A file of certificates, whose authorities are trusted beside those that Node trusts. */
  readonly caFile?: string;
  readonly rateLimit?: RateLimit;
  readonly limits?: Limits;
  readonly retry: RetryOptions;
}

/** Understands a text; `file`, its URL, opens the messages. Throws FORMAT, or VERIFICATION for another one than it has to be. */
export type ParseText<T> = (text: string, file: string) => T;

/**
 * Makes mirrors known; none is asked yet.
 *
 * @throws UpdateRepositoryError USAGE for a root that is none; NOT_FOUND, IO or CONFIG for the file of certificates
 */
export async function openMirrors(options: MirrorsOptions): Promise<Mirrors> {
  const { roots, caFile, rateLimit, limits = DEFAULT_LIMITS, retry } = options;
  const addresses = new Map(roots.map(parseRoot).map((address) => [address.url.href, address]));
  if (addresses.size === 0) throw new UpdateRepositoryError('USAGE', 'expected the URL of a mirror, found none');
  const wire: Wire = {
    connections: new Connections(caFile === undefined ? undefined : await trustAuthorities(caFile)),
    traffic: new Traffic(),
    line: new LineMeter(),
    rateLimit: rateLimit ?? null,
    pace: limits.pace,
    answerTimeoutMs: limits.answerTimeoutMs,
  };
  return new Mirrors([...addresses.values()], wire, limits.textTimeoutMs, retry);
}

/**
 * The copies of one mirror. Any of them will do: a request that fails goes on with the next one at once, and when all have
 * failed, from the start after a pause. Attempts are bounded, and so is the time in which nothing comes.
 */
export class Mirrors implements AsyncDisposable {
  readonly #roots: readonly HttpAddress[];
  readonly #wire: Wire;
  readonly #textTimeoutMs: number;
  readonly #retry: RetryOptions;
  readonly #health = new Health();

  constructor(roots: readonly HttpAddress[], wire: Wire, textTimeoutMs: number, retry: RetryOptions) {
    this.#roots = roots;
    this.#wire = wire;
    this.#textTimeoutMs = textTimeoutMs;
    this.#retry = retry;
  }

  /** For messages: the first of them, without a slash at the end. */
  get name(): string {
    return this.#roots[0]?.name ?? '';
  }

  /** What was fetched so far, of each path and in all. */
  get traffic(): Pick<Traffic, 'fetchedBytes' | 'fetchedBytesOf'> {
    return this.#wire.traffic;
  }

  /** What the line has carried so far; null where that is not known, or a rate limit held it back. */
  get line(): LineMeasure | null {
    return this.#wire.rateLimit === null ? this.#wire.line.measure : null;
  }

  /**
   * Fetches an index and understands it. A mirror whose text breaks its format, such as a page of whoever sits in between,
   * or is another one than it has to be, has failed, and the next one is asked.
   *
   * @throws UpdateRepositoryError FORMAT or VERIFICATION, as `parse` does for the first of them, where no mirror has a good one; NOT_FOUND
   * with `data.status` where none has it; NETWORK, STORAGE, INTERRUPTED
   */
  async text<T>(wanted: WantedText, parse: ParseText<T>, signal: AbortSignal): Promise<T> {
    return await this.#text<T, never>(wanted, parse, signal, null);
  }

  /**
   * As {@link text}; null as soon as a mirror says that it has no such file, or refuses it (403), as S3 does where there is
   * none. Throws no NOT_FOUND.
   */
  async textIfThere<T>(wanted: WantedText, parse: ParseText<T>, signal: AbortSignal): Promise<T | null> {
    return await this.#text(wanted, parse, signal, () => null);
  }

  /** `missing` makes what one answer is taken for that there is no such file; null where the next mirror is asked. */
  async #text<T, Missing>(
    wanted: WantedText,
    parse: ParseText<T>,
    signal: AbortSignal,
    missing: (() => Missing) | null,
  ): Promise<T | Missing> {
    using limit = new TimeLimit(signal, this.#textTimeoutMs);
    const inTime = limit.signal;
    const turns = this.#turns(wanted.path, [mirrorSources(this.#roots, wanted.path)]);
    try {
      for (;;) {
        const source = await turns.next(inTime);
        try {
          const text = await requestText(source, wanted, this.#wire, inTime);
          const parsed = parse(text, nameOfUrl(source.url));
          turns.succeeded(source);
          return parsed;
        } catch (error) {
          if (missing !== null && isMissing(error)) return missing();
          turns.failed(source, error);
        }
      }
    } catch (error) {
      if (!hasCode(error, 'INTERRUPTED') || signal.aborted) throw error;
      const message = `${wanted.path}: expected it within ${this.#textTimeoutMs / 1000} s, found no mirror that has it`;
      const data = { path: wanted.path, reason: SLOW_RETRIEVAL };
      throw new UpdateRepositoryError('NETWORK', message, { data, cause: error });
    }
  }

  /**
   * The bytes of a file from `fromByte` to its end, each once and in its place, across cuts and mirrors. They are not
   * compared with the sha256: who has all of them does that. Memory: some pieces of 64 KiB.
   *
   * @param avoid names of sources that are not asked
   * @throws UpdateRepositoryError NOT_FOUND with `data.status` where no mirror has it; CHANGED_WHILE_READ where none goes on
   * with the file that the bytes before are from; NETWORK, STORAGE, INTERRUPTED
   */
  bytes(
    file: RemoteFile,
    fromByte: number,
    listener: FileListener,
    avoid: ReadonlySet<string> = new Set(),
  ): AsyncIterable<Uint8Array> {
    const groups = this.#sourcesOf(file).map((group) => group.filter(({ name }) => !avoid.has(name)));
    return new FileStream(file, fromByte, this.#turns(file.path, groups), this.#wire, listener).pieces();
  }

  /** Whether a file can be had from anybody else than `these`. */
  hasOtherThan(these: ReadonlySet<string>, file: RemoteFile): boolean {
    return this.#sourcesOf(file)
      .flat()
      .some(({ name }) => !these.has(name));
  }

  /** The bytes that these sources delivered of a file are wrong: others are asked before them for a while. */
  blame(names: ReadonlySet<string>, file: RemoteFile): void {
    for (const { name, mirror } of this.#sourcesOf(file).flat()) if (names.has(name)) this.#health.failed(mirror);
  }

  /** Ends all connections. */
  async close(): Promise<void> {
    await this.#wire.connections.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #sourcesOf({ path, fallbackUrls }: RemoteFile): readonly (readonly Source[])[] {
    const mirrors = mirrorSources(this.#roots, path);
    return [mirrors, fallbackSources(this.#roots, fallbackUrls, mirrors)];
  }

  #turns(path: string, groups: readonly (readonly Source[])[]): Turns {
    return new Turns(path, groups, { health: this.#health, retry: this.#retry });
  }
}

function isMissing(error: unknown): boolean {
  return hasCode(error, 'NOT_FOUND') || (hasCode(error, 'STORAGE') && error.data.status === 403);
}

/** No password is sent to a mirror: it has to be readable without. */
function parseRoot(root: string): HttpAddress {
  const address = URL.canParse(root) ? new URL(root) : null;
  if (address !== null && !['http:', 'https:'].includes(address.protocol)) {
    throw new UpdateRepositoryError('USAGE', `${root}: expected an http or https URL, found ${address.protocol}`);
  }
  if (address === null || (address.username === '' && address.password === '')) return parseHttpAddress(root);
  throw new UpdateRepositoryError('USAGE', `${address.host}: expected an address without user name and password`);
}
