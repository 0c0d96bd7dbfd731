import { allocateBlock, type ByteBlock, isConstant } from './byte-block.js';
import { KeyBatch, keyAnchors, keyWindow } from './key.js';
import { blockWindowsFor, type DeltaParameters, WINDOW_BYTES } from './parameters.js';
import { highestWindow, sampleAnchors } from './sample.js';

/** A raw anchor so many windows after another one, or fewer, is not kept. */
const CLUSTER_WINDOWS = 3;

/**
 * Goes through the windows of a segment in batches: which raw anchors are kept, and what a block without any gets
 * (docs/delta-algorithm.md, "Anchors"). How the windows are cut into batches shows nowhere.
 */
export class AnchorWalk {
  /** The keys of the last batch. */
  readonly keys: KeyBatch;
  readonly #parameters: DeltaParameters;
  readonly #anchors: Int32Array;
  readonly #before = new Int32Array(CLUSTER_WINDOWS);

  #segment: ByteBlock = allocateBlock(0);
  /** Where the segment's windows end. */
  #windows = 0;
  /** Behind the last anchor that was kept. */
  #keptTo = 0;
  /** Behind the last batch that was not constant. */
  #variedTo = 0;

  /** `batchWindows`: the most that a batch may have. */
  constructor(parameters: DeltaParameters, batchWindows: number) {
    this.#parameters = parameters;
    this.#anchors = new Int32Array(batchWindows);
    this.keys = new KeyBatch(batchWindows);
  }

  /** Goes to the start of a segment, of which the windows count that start in the first `windows` bytes. */
  begin(segment: ByteBlock, windows: number): void {
    this.#segment = segment;
    this.#windows = windows;
    this.#keptTo = 0;
    this.#variedTo = 0;
  }

  /**
   * Fills {@link keys} from a batch: the windows from `from` on, at most `size`, all of one block; returns where it
   * ends. The walk must have got to `from` without a break since `copied`, where the last copy ends. The keys are those
   * of the anchors that are kept, or, where the batch is the end of a bare block, that of the one that is forced: so
   * there are never more of them than windows.
   */
  batch(copied: number, from: number, size: number): number {
    const blockWindows = blockWindowsFor(this.#parameters.sampleBits);
    const start = from - (from % blockWindows);
    const end = Math.min(start + blockWindows, this.#windows);
    const to = Math.min(from + size, end);
    const { keys } = this;
    this.#keyKept(from, to);
    if (to === end && keys.count === 0) {
      this.#walkCovered(start, copied);
      keys.count = 0;
      const isBare = this.#keptTo <= start && this.#variedTo > start;
      if (isBare) this.#keyForced(start, end);
    }
    return to;
  }

  /**
   * Goes through the windows in [start, end), the first ones of a block, which a copy led the walk over: until one of
   * them is kept, which is all there is to know of them.
   */
  #walkCovered(start: number, end: number): void {
    const size = this.#anchors.length;
    for (let from = start; from < end && this.#keptTo <= start; from += size) {
      this.#keyKept(from, Math.min(from + size, end));
    }
  }

  #keyKept(from: number, to: number): void {
    const { keys } = this;
    keys.count = 0;
    // All windows of a constant stretch have period 1: they are dropped, and none is forced.
    if (isConstant(this.#segment, from, to + WINDOW_BYTES - 1)) return;
    this.#variedTo = to;
    const { view } = this.#segment;
    const { sampleBits, buckets } = this.#parameters;
    const count = this.#thin(from, sampleAnchors(view, from, to, sampleBits, this.#anchors));
    keyAnchors(view, this.#anchors, count, buckets, keys);
    if (keys.count > 0) this.#keptTo = keys.starts[keys.count - 1]! + 1;
  }

  /**
   * Leaves out of the first `count` anchors, all the raw ones from `from` on, those that follow another one too closely;
   * returns how many are left.
   */
  #thin(from: number, count: number): number {
    const anchors = this.#anchors;
    // What was before matters to the first few windows alone, and seldom is one of them an anchor.
    const startsNear = count > 0 && anchors[0]! - from < CLUSTER_WINDOWS;
    let next = startsNear ? this.#clusterEnd(from) : from;
    let kept = 0;
    for (let n = 0; n < count; n += 1) {
      const at = anchors[n]!;
      if (at >= next) anchors[kept++] = at;
      next = at + CLUSTER_WINDOWS + 1;
    }
    return kept;
  }

  /**
   * Behind the cluster of the last raw anchor before `from`, where that is near. It is sampled anew: how the segment was
   * cut until there must not show.
   */
  #clusterEnd(from: number): number {
    const before = this.#before;
    const start = Math.max(0, from - CLUSTER_WINDOWS);
    const count = sampleAnchors(this.#segment.view, start, from, this.#parameters.sampleBits, before);
    return count === 0 ? from : before[count - 1]! + CLUSTER_WINDOWS + 1;
  }

  /** Adds the key of the forced anchor of the bare block [from, to), unless the window has period 1. */
  #keyForced(from: number, to: number): void {
    const at = highestWindow(this.#segment.view, from, to);
    if (isConstant(this.#segment, at, at + WINDOW_BYTES)) return;
    keyWindow(this.#segment.view, at, this.#parameters.buckets, this.keys);
  }
}
