import { hasCode, UpdateRepositoryError } from '../../errors.js';
import type { Request } from '../../net/http/failures.js';
import { unfit } from './answer-failures.js';
import { requestFor } from './get.js';
import type { RemoteFile } from './remote-file.js';
import { rangeHeaders, type ServedRange, servedRange } from './served-range.js';
import type { Source } from './sources.js';
import type { Turns } from './turns.js';
import type { Validators } from './validators.js';
import { receive, type Wire } from './wire.js';

/** A source that got so far before it ended has achieved something. */
const ENOUGH_BYTES = 64 << 10;
/** So much is sooner skipped than another mirror is asked. */
const CHEAP_SKIP_BYTES = 256 << 10;
/** How many times the size of a file is skipped at most. */
const MAX_SKIPPED_SIZES = 3;

/** What the reader of a file wants to know. */
export interface FileListener {
  readonly signal: AbortSignal;
  /** A source is about to deliver bytes of a file in this state. */
  readonly onSource?: (name: string, validators: Validators) => void;
  /** A source has another file now than when it delivered bytes before: these may be stale. It delivers no more. */
  readonly onChanged?: (name: string) => void;
}

/** Reads one file from where its reader has it to its end, whatever happens to its sources on the way. */
export class FileStream {
  readonly #file: RemoteFile;
  readonly #turns: Turns;
  readonly #wire: Wire;
  readonly #listener: FileListener;
  readonly #known: Map<string, Validators>;
  /** Sources that ignore ranges. */
  readonly #wholeOnly = new Set<Source>();
  #position: number;
  #skippedBytes = 0;

  constructor(file: RemoteFile, fromByte: number, turns: Turns, wire: Wire, listener: FileListener) {
    this.#file = file;
    this.#position = fromByte;
    this.#turns = turns;
    this.#wire = wire;
    this.#listener = listener;
    this.#known = new Map(file.validators);
  }

  async *pieces(): AsyncGenerator<Uint8Array, void, undefined> {
    while (this.#position < this.#file.sizeBytes) {
      const source = await this.#turns.next(this.#listener.signal);
      const startedAt = this.#position;
      let isPutOff = false;
      try {
        yield* this.#piecesFrom(source, () => {
          isPutOff = true;
        });
        if (isPutOff) this.#turns.defer(source);
        else this.#ended(source, startedAt);
      } catch (error) {
        this.#failed(source, error, startedAt);
      }
    }
  }

  /** Half of a range is no failure where it was worth the request. */
  #ended(source: Source, startedAt: number): void {
    const { sizeBytes } = this.#file;
    if (!this.#gotFar(startedAt)) {
      throw unfit(requestFor(source.url), `bytes ${startedAt}-${sizeBytes - 1}`, `an end at ${this.#position}`);
    }
    this.#turns.succeeded(source);
    if (this.#position === sizeBytes) return;
    this.#turns.renew(source);
    this.#turns.keep(source);
  }

  #failed(source: Source, error: unknown, startedAt: number): void {
    if (this.#gotFar(startedAt)) this.#turns.renew(source);
    this.#turns.failed(source, error);
    if (hasCode(error, 'CHANGED_WHILE_READ')) this.#listener.onChanged?.(source.name);
  }

  /** So much, or half of what was asked for: by either there is an end to the number of requests. */
  #gotFar(startedAt: number): boolean {
    const gotBytes = this.#position - startedAt;
    return gotBytes >= Math.min(ENOUGH_BYTES, (this.#file.sizeBytes - startedAt) / 2);
  }

  #piecesFrom(source: Source, onPutOff: () => void): AsyncGenerator<Uint8Array, void, undefined> {
    const { path, sizeBytes } = this.#file;
    const known = this.#known.get(source.name) ?? null;
    const wanted = { fromByte: this.#position, sizeBytes, known };
    const request = { url: source.url, headers: rangeHeaders(wanted), path, signal: this.#listener.signal };
    return receive(
      this.#wire,
      request,
      (about, answer) => {
        const served = servedRange(about, answer, wanted);
        if (served.fromByte < this.#position && !this.#maySkip(source, about, served)) {
          onPutOff();
          return null;
        }
        this.#known.set(source.name, served.validators);
        this.#listener.onSource?.(source.name, served.validators);
        return served;
      },
      (served, body) => this.#deliver(requestFor(source.url), served, body),
    );
  }

  /** Whether to read what is there already, from a source that ignores ranges: not as long as others may heed them. */
  #maySkip(source: Source, { name, method }: Request, { fromByte }: ServedRange): boolean {
    const skippedBytes = this.#position - fromByte;
    this.#wholeOnly.add(source);
    if (skippedBytes > CHEAP_SKIP_BYTES && this.#turns.hasOtherThan(this.#wholeOnly)) return false;
    this.#skippedBytes += skippedBytes;
    if (this.#skippedBytes <= MAX_SKIPPED_SIZES * this.#file.sizeBytes) return true;
    const message = `${name}: ${method}: expected the bytes from ${this.#position} on, found all, and that too often`;
    throw new UpdateRepositoryError('STORAGE', message, { data: { url: name, method } });
  }

  /** Hands on what is new, and moves the position behind it. */
  async *#deliver(
    request: Request,
    { fromByte, toByte, isLengthDeclared }: ServedRange,
    body: AsyncIterable<Uint8Array>,
  ): AsyncGenerator<Uint8Array, void, undefined> {
    let at = fromByte;
    // The last piece is handed on when nothing follows it.
    let held: Uint8Array | null = null;
    for await (const piece of body) {
      if (piece.length > toByte - at) throw unfit(request, `an end at byte ${toByte}`, 'more');
      const fresh = piece.subarray(Math.max(0, Math.min(piece.length, this.#position - at)));
      at += piece.length;
      if (fresh.length === 0) continue;
      if (at === toByte && !isLengthDeclared) held = fresh;
      else yield this.#moveOn(fresh);
    }
    if (at < toByte) throw unfit(request, `an end at byte ${toByte}`, `one at ${at}`);
    if (held !== null) yield this.#moveOn(held);
  }

  #moveOn(piece: Uint8Array): Uint8Array {
    this.#position += piece.length;
    return piece;
  }
}
