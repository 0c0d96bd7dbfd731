import type { EventSink } from '../events.js';
import type { Mirrors } from './download/mirrors.js';
import { partialBytes, partialPath, removePartial } from './download/partial-file.js';
import type { RemoteFile } from './download/remote-file.js';
import { Deliverers, whomToAvoid } from './download/wrong-bytes.js';
import type { HopDelta } from './hop-files.js';
import { storedBytes } from './stored-delta.js';

/** Where a delta is had from, and who is told of what. */
export interface DeltaStreaming {
  readonly mirrors: Mirrors;
  /** Where an earlier run may have left the beginning of it. */
  readonly directory: string;
  readonly signal: AbortSignal;
  readonly onEvent: EventSink;
}

/**
 * A delta from mirrors, read while it is applied. What is on the disk does not come again. Where it was wrong it is had again
 * from those that did not deliver it, or most of it; where an earlier run fetched a part, whose bytes nobody knows to be right,
 * all of it from any, those last that delivered.
 */
export function streamedDelta(streaming: DeltaStreaming, file: RemoteFile): HopDelta {
  const { mirrors, onEvent } = streaming;
  const deliverers = new Deliverers();
  let wasHere = false;
  return {
    name: file.path,
    async *bytesFrom(position) {
      const hereBytes = await partialBytes(streaming.directory, file);
      wasHere = hereBytes > position;
      if (wasHere) yield* storedBytes(partialPath(streaming.directory, file), position);
      yield* deltaBytes(streaming, file, Math.max(position, hereBytes), { deliverers, avoid: new Set() });
    },
    async again(wasBegun) {
      mirrors.blame(deliverers.sources, file);
      // It may be what was wrong, and a run that is stopped now would go on with it.
      await removePartial(streaming.directory, file);
      if (wasBegun || wasHere) return deltaAgain(streaming, file, new Set());
      const avoid = whomToAvoid(mirrors, file, deliverers);
      if (avoid.size === 0) return null;
      const from = [...deliverers.sources].join(' and ');
      const message = `${file.path}: wrong bytes came from ${from}; fetching it again from another mirror`;
      onEvent({ type: 'note', level: 'warning', subject: file.path, message });
      return deltaAgain(streaming, file, avoid);
    },
  };
}

/** All of it from mirrors, for the last time. */
function deltaAgain(streaming: DeltaStreaming, file: RemoteFile, avoid: ReadonlySet<string>): HopDelta {
  const delivery = { deliverers: new Deliverers(), avoid };
  return {
    name: file.path,
    bytesFrom: (position) => deltaBytes(streaming, file, position, delivery),
    async again() {
      streaming.mirrors.blame(delivery.deliverers.sources, file);
      return null;
    },
  };
}

/** Who is not to deliver, and a count of who does. */
interface Delivery {
  readonly deliverers: Deliverers;
  readonly avoid: ReadonlySet<string>;
}

async function* deltaBytes(
  { mirrors, signal }: DeltaStreaming,
  file: RemoteFile,
  position: number,
  { deliverers, avoid }: Delivery,
): AsyncGenerator<Uint8Array, void, undefined> {
  let current = '';
  const onSource = (name: string) => {
    current = name;
  };
  for await (const piece of mirrors.bytes(file, position, { signal, onSource }, avoid)) {
    deliverers.delivered(current, piece.length);
    yield piece;
  }
}
