import { type Request, unanswered } from '../../net/http/failures.js';
import type { RateLimit } from '../../net/rate-limit.js';
import { tooSlow } from './answer-failures.js';
import type { Connections } from './connections.js';
import { type Answer, drop, get, requestFor } from './get.js';
import type { LineMeter } from './line-meter.js';
import { Pace, type PaceLimit } from './pace.js';
import { RequestEnd } from './request-end.js';
import type { Traffic } from './traffic.js';

/** What all requests of a client have in common. */
export interface Wire {
  readonly connections: Connections;
  readonly traffic: Traffic;
  readonly line: LineMeter;
  readonly rateLimit: RateLimit | null;
  readonly pace: PaceLimit;
  /** How long a server may take for the head of its answer. */
  readonly answerTimeoutMs: number;
}

/** A request for a file, with what it is counted as and who may end it. */
export interface FileRequest {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  /** Which file the bytes are counted for. */
  readonly path: string;
  readonly signal: AbortSignal;
}

/**
 * Hands on the body of an answer whose head `accept` takes, no slower and no faster than is allowed; all of it is counted.
 * The connection is kept where the whole body was read. Memory: some pieces of 64 KiB.
 *
 * @param accept throws what is wrong with the head; where it returns null there is no body
 * @throws UpdateRepositoryError what `accept` does, STORAGE, INTERRUPTED; NETWORK for all that may be better next time
 */
export async function* receive<T>(
  wire: Wire,
  { url, headers, path, signal }: FileRequest,
  accept: (request: Request, answer: Answer) => T | null,
  read: (accepted: T, body: AsyncIterable<Uint8Array>) => AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  using end = new RequestEnd(signal);
  const request = requestFor(url);
  const late = tooSlow(request, `an answer within ${wire.answerTimeoutMs / 1000} s`, 'none');
  try {
    const answer = await end.after(wire.answerTimeoutMs, late, get(url, headers, wire.connections, end.signal));
    try {
      const accepted = accept(request, answer);
      if (accepted !== null) yield* read(accepted, received(wire, request, answer, path, end, signal));
    } finally {
      drop(answer);
    }
  } catch (error) {
    throw unanswered(request, error, signal);
  }
}

async function* received(
  { traffic, line, rateLimit, pace: limit }: Wire,
  request: Request,
  { body }: Answer,
  path: string,
  end: RequestEnd,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  const pace = new Pace(limit);
  using measured = line.body();
  const expected = `at least ${limit.bytesPerSecond} bytes a second`;
  const onTooSlow = (found: string) => end.with(tooSlow(request, expected, found));
  const pieces: AsyncIterator<Uint8Array, unknown> = body[Symbol.asyncIterator]();
  for (;;) {
    const { done, value } = await measured.waitFor(pace.waitFor(pieces.next(), onTooSlow));
    if (done === true) return;
    pace.got(value.length);
    measured.got(value.length);
    traffic.count(path, value.length);
    const sliceBytes = rateLimit?.pieceBytes ?? value.length;
    for (let from = 0; from < value.length; from += sliceBytes) {
      const slice = value.subarray(from, from + sliceBytes);
      await rateLimit?.take(slice.length, signal);
      yield slice;
    }
  }
}
