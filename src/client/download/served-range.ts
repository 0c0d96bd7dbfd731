import { UpdateRepositoryError } from '../../errors.js';
import type { Request } from '../../net/http/failures.js';
import { unfit, unsuccessful } from './answer-failures.js';
import type { Answer } from './get.js';
import { findChange, ifRangeOf, type Validators, validatorsOf } from './validators.js';

/** Which bytes of a file a request is for: all from `fromByte` on. */
export interface WantedRange {
  readonly fromByte: number;
  readonly sizeBytes: number;
  /** What the server said of the file when it sent the bytes before; null where it sent none. */
  readonly known: Validators | null;
}

/** Which bytes of the file the body of an answer has. */
export interface ServedRange {
  readonly fromByte: number;
  /** The byte after the last one. */
  readonly toByte: number;
  /** Whether the end of the body is where Content-Length says, so that nothing can follow it. */
  readonly isLengthDeclared: boolean;
  readonly validators: Validators;
}

/** The headers that ask for a range (RFC 9110 §14.2), and only of the file that the bytes before are from (§13.1.5). */
export function rangeHeaders({ fromByte, sizeBytes, known }: WantedRange): Readonly<Record<string, string>> {
  if (fromByte === 0) return {};
  const condition = known === null ? null : ifRangeOf(known);
  return {
    range: `bytes=${fromByte}-${sizeBytes - 1}`,
    ...(condition === null ? {} : { 'if-range': condition }),
  };
}

/**
 * Reads from the head of an answer which bytes its body has: from the first one where the server ignores ranges, and not up
 * to the last one where it sends half of what was asked for.
 *
 * @throws UpdateRepositoryError CHANGED_WHILE_READ, NOT_FOUND, STORAGE; NETWORK for what may be better next time
 */
export function servedRange(
  request: Request,
  { status, header }: Pick<Answer, 'status' | 'header'>,
  wanted: WantedRange,
): ServedRange {
  const { fromByte, sizeBytes, known } = wanted;
  if (status === 416) throw unfit(request, `a file of ${sizeBytes} bytes`, describeUnsatisfied(header));
  if (status !== 200 && status !== 206) throw unsuccessful(request, status, header('retry-after'));
  const encoding = header('content-encoding') ?? 'identity';
  if (encoding !== 'identity') throw unfit(request, 'the bytes as they are', `Content-Encoding ${encoding}`);
  const validators = validatorsOf(header);
  const change = fromByte === 0 || known === null ? null : findChange(known, validators);
  if (change !== null) throw changed(request, change);
  const range = status === 206 ? partOf(request, header, wanted) : { fromByte: 0, toByte: sizeBytes };
  const isLengthDeclared = hasLength(request, header, range.toByte - range.fromByte);
  return { ...range, isLengthDeclared, validators };
}

function partOf(request: Request, header: Answer['header'], { fromByte, sizeBytes }: WantedRange) {
  const text = header('content-range') ?? '';
  const expected = `bytes ${fromByte}-${sizeBytes - 1}/${sizeBytes}`;
  if (fromByte === 0) throw unfit(request, 'all bytes', 'status 206');
  const [, first, last, total] = /^bytes (\d{1,16})-(\d{1,16})\/(\d{1,16}|\*)$/.exec(text) ?? [];
  const toByte = Number(last) + 1;
  const isWanted = Number(first) === fromByte && toByte > fromByte && toByte <= sizeBytes;
  const isOfFile = total === '*' || Number(total) === sizeBytes;
  if (isWanted && isOfFile) return { fromByte, toByte };
  throw unfit(request, `Content-Range ${expected}`, text === '' ? 'none' : printable(text));
}

function hasLength(request: Request, header: Answer['header'], sizeBytes: number): boolean {
  const length = header('content-length');
  if (length === undefined) return false;
  if (length === String(sizeBytes)) return true;
  throw unfit(request, `Content-Length ${sizeBytes}`, printable(length));
}

function describeUnsatisfied(header: Answer['header']): string {
  const [, total] = /^bytes \*\/(\d{1,16})$/.exec(header('content-range') ?? '') ?? [];
  return total === undefined ? 'status 416' : `status 416 and a file of ${total} bytes`;
}

function changed({ name, method }: Request, change: string): UpdateRepositoryError {
  const message = `${name}: ${method}: expected the file that the bytes before are from, found another: ${change}`;
  return new UpdateRepositoryError('CHANGED_WHILE_READ', message, { data: { url: name, method } });
}

function printable(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '?').slice(0, 100);
}
