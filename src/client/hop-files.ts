import type { IncomingDelta } from '../delta/apply-as-it-comes.js';
import type { DeltaHop, Hop } from './hop.js';

/** Where the files of a path come from. They are asked for once each, in the order of the hops. */
export interface HopFiles {
  /**
   * Puts the file of a hop into `partial/` and resolves to its path: whole, on the disk, and of the right sha256.
   *
   * @throws UpdateRepositoryError VERIFICATION for other bytes; NO_SPACE, IO, INTERRUPTED; what its source fails with
   */
  fetch(hop: Hop, onProgress?: (doneBytes: number) => void): Promise<string>;
  /** The delta of a hop as it comes; what it makes has to be compared. */
  stream(hop: DeltaHop): HopDelta;
}

/** A delta that may be had again where its bytes were wrong. */
export interface HopDelta extends IncomingDelta {
  /**
   * The same delta, to be applied from its start, after what came of it was wrong; null where it would be the same bytes.
   * `wasBegun` says that an earlier run applied the first ones, which may be what was wrong. Left out, it cannot be had again.
   */
  again?(wasBegun: boolean): Promise<HopDelta | null>;
}
