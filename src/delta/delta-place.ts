import { UpdateRepositoryError } from '../errors.js';
import { DELTA_MAGIC_BYTES } from './format.js';

/** A place in a delta, with what is made of it until there: enough to go on from without the bytes before. */
export interface DeltaPlace {
  /** Where in the delta to go on: where a command begins, or amid a literal. */
  readonly deltaBytes: number;
  /** Bytes of the target that are made. */
  readonly targetBytes: number;
  /** Bytes of a literal that come there; 0 where a command begins. */
  readonly literalLeft: number;
  /** Bytes that are made already of the copy that begins there. */
  readonly copyDone: number;
}

/** Where every delta begins. */
export const DELTA_START: DeltaPlace = { deltaBytes: 0, targetBytes: 0, literalLeft: 0, copyDone: 0 };

/**
 * Understands a place that was kept somewhere, as with a target of `targetBytes` that is half made. Whether it is the
 * right one for a delta shows in the sha256 of what comes of it. `name` says in messages whose it is.
 *
 * @throws UpdateRepositoryError FORMAT for what can be no place in a delta of such a target
 */
export function parseDeltaPlace(value: unknown, name: string, targetBytes: number): DeltaPlace {
  const read = (field: keyof DeltaPlace) => sizeIn(value, field, name);
  const place: DeltaPlace = {
    deltaBytes: read('deltaBytes'),
    targetBytes: read('targetBytes'),
    literalLeft: read('literalLeft'),
    copyDone: read('copyDone'),
  };
  const contradiction = contradictionIn(place, targetBytes);
  if (contradiction === null) return place;
  throw malformed(name, contradiction, JSON.stringify(place));
}

/** What it would have to be, or null where it may be a place. */
function contradictionIn(
  { deltaBytes, targetBytes, literalLeft, copyDone }: DeltaPlace,
  wanted: number,
): string | null {
  if (deltaBytes === 0)
    return targetBytes + literalLeft + copyDone === 0 ? null : 'nothing made at byte 0 of the delta';
  if (deltaBytes < DELTA_MAGIC_BYTES) return `deltaBytes of at least ${DELTA_MAGIC_BYTES}, or 0`;
  if (targetBytes + literalLeft > wanted) return `a place in a target of ${wanted} bytes`;
  if (copyDone > targetBytes) return 'no more copied than made';
  return literalLeft > 0 && copyDone > 0 ? 'either a literal or a copy' : null;
}

function sizeIn(value: unknown, field: keyof DeltaPlace, name: string): number {
  const found: unknown = typeof value === 'object' && value !== null ? Reflect.get(value, field) : undefined;
  if (typeof found === 'number' && Number.isSafeInteger(found) && found >= 0) return found;
  throw malformed(name, `a whole number as ${field}`, found === undefined ? 'none' : String(JSON.stringify(found)));
}

function malformed(name: string, expected: string, found: string): UpdateRepositoryError {
  return new UpdateRepositoryError('FORMAT', `${name}: checkpoint: expected ${expected}, found ${found}`, {
    data: { path: name, expected, found },
    hint: 'it has to be made from the start',
  });
}
