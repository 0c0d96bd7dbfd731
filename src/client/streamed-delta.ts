import type { IncomingDelta } from '../delta/apply-as-it-comes.js';
import type { EventSink } from '../events.js';
import type { Mirrors } from './download/mirrors.js';
import type { RemoteFile } from './download/remote-file.js';
import { Deliverers, whomToAvoid } from './download/wrong-bytes.js';
import type { HopDelta } from './hop-files.js';

/**
 * A delta from mirrors, read while it is applied. Where it was wrong it is had again from those that did not deliver it, or
 * most of it; where an earlier run fetched a part, whose bytes nobody knows to be right, from any, those last that delivered.
 */
export function streamedDelta(
  mirrors: Mirrors,
  file: RemoteFile,
  { signal, onEvent }: { readonly signal: AbortSignal; readonly onEvent: EventSink },
): HopDelta {
  const deliverers = new Deliverers();
  return {
    ...deltaFrom(mirrors, file, signal, { deliverers, avoid: new Set() }),
    again(wasBegun) {
      mirrors.blame(deliverers.sources, file);
      if (wasBegun) return deltaFrom(mirrors, file, signal, { deliverers: new Deliverers(), avoid: new Set() });
      const avoid = whomToAvoid(mirrors, file, deliverers);
      if (avoid.size === 0) return null;
      const from = [...deliverers.sources].join(' and ');
      const message = `${file.path}: wrong bytes came from ${from}; fetching it again from another mirror`;
      onEvent({ type: 'note', level: 'warning', subject: file.path, message });
      return deltaFrom(mirrors, file, signal, { deliverers: new Deliverers(), avoid });
    },
  };
}

/** Who is not to deliver, and a count of who does. */
interface Delivery {
  readonly deliverers: Deliverers;
  readonly avoid: ReadonlySet<string>;
}

function deltaFrom(
  mirrors: Mirrors,
  file: RemoteFile,
  signal: AbortSignal,
  { deliverers, avoid }: Delivery,
): IncomingDelta {
  return {
    name: file.path,
    async *bytesFrom(position) {
      let current = '';
      const onSource = (name: string) => {
        current = name;
      };
      for await (const piece of mirrors.bytes(file, position, { signal, onSource }, avoid)) {
        deliverers.delivered(current, piece.length);
        yield piece;
      }
    },
  };
}
