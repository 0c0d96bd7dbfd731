import type { UpdateRepositoryError } from '../../errors.js';
import type { Request } from '../../net/http/failures.js';
import { unfit, unsuccessful } from './answer-failures.js';
import { type Answer, requestFor } from './get.js';
import { nameOfUrl, type Source } from './sources.js';
import { receive, type Wire } from './wire.js';

/** A text, and the most that it may have. */
export interface WantedText {
  readonly path: string;
  readonly maxBytes: number;
  /** The error for a longer one, which rules its source out; left out, it is one that may be better next time. */
  readonly tooLong?: (file: string) => UpdateRepositoryError;
}

/**
 * Asks one source for a text.
 *
 * @throws UpdateRepositoryError NOT_FOUND, STORAGE, INTERRUPTED, what `tooLong` makes; NETWORK for all that may be better next
 * time
 */
export async function requestText(
  { url }: Source,
  { path, maxBytes, tooLong }: WantedText,
  wire: Wire,
  signal: AbortSignal,
): Promise<string> {
  const pieces: Uint8Array[] = [];
  let sizeBytes = 0;
  const body = receive(wire, { url, headers: {}, path, signal }, acceptText, (_, all) => all);
  for await (const piece of body) {
    sizeBytes += piece.length;
    if (sizeBytes > maxBytes)
      throw tooLong?.(nameOfUrl(url)) ?? unfit(requestFor(url), `at most ${maxBytes} bytes`, 'more');
    pieces.push(piece);
  }
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.concat(pieces));
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw unfit(requestFor(url), 'UTF-8 text', 'other bytes');
  }
}

function acceptText(request: Request, { status, header }: Answer): true {
  if (status !== 200) throw unsuccessful(request, status, header('retry-after'));
  const encoding = header('content-encoding') ?? 'identity';
  if (encoding !== 'identity') throw unfit(request, 'the bytes as they are', `Content-Encoding ${encoding}`);
  return true;
}
