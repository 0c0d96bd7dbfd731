import { readFileSync } from 'node:fs';
import type { Checkpoints, DeltaPlace, IncomingDelta } from '../../../src/delta/apply-as-it-comes.js';

/** A delta that comes from memory, and what was asked of it. */
export interface FakeDelta extends IncomingDelta {
  /** Where each run began. */
  readonly asked: number[];
}

/** The failure of a source that ends at some byte. */
export class Cut extends Error {}

/** A delta that comes in pieces of `pieceBytes`; at the byte `cutAt` its source fails. */
export function incoming(delta: Buffer, pieceBytes: number, cutAt = Number.POSITIVE_INFINITY): FakeDelta {
  const asked: number[] = [];
  return {
    name: 'https://example.org/a.rdiff',
    asked,
    async *bytesFrom(position) {
      asked.push(position);
      const end = Math.min(delta.length, cutAt);
      // As with a network's, the memory of a piece is used again.
      const room = Buffer.alloc(pieceBytes);
      for (let at = position; at < end; at += pieceBytes) {
        const length = delta.copy(room, 0, at, Math.min(end, at + pieceBytes));
        yield room.subarray(0, length);
      }
      room.fill(0xee);
      if (cutAt <= delta.length) throw new Cut(`cut at ${cutAt}`);
    },
  };
}

/** Keeps checkpoints, and what the file was whenever one was saved. */
export function keeper(path: string, everyBytes?: number) {
  const kept: { place: DeltaPlace; made: Buffer }[] = [];
  const checkpoints = (): Checkpoints => {
    const last = kept.at(-1)?.place;
    return {
      ...(last === undefined ? {} : { last }),
      ...(everyBytes === undefined ? {} : { everyBytes }),
      save: (place) => void kept.push({ place, made: readFileSync(path).subarray(0, place.targetBytes) }),
    };
  };
  return { kept, checkpoints };
}
