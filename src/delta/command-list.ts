import { UpdateRepositoryError } from '../errors.js';
import type { DeltaReceiver } from './decode.js';

const BLOCK_ENTRIES = 65536;
const ENTRY_BYTES = 16;

/**
 * The commands of a delta, to be looked up by the place in the target that they make. Takes 16 bytes a command, in steps
 * of 1 MiB; commands that continue each other count once.
 *
 * Of each command it keeps where its bytes begin in the target, and where they are: in the base, or, for a literal, in the
 * delta. The latter are kept as -1 minus the position, so that both kinds are one number.
 */
export class CommandList implements DeltaReceiver {
  readonly #deltaName: string;
  readonly #maxCommands: number;
  readonly #starts: Float64Array[] = [];
  readonly #places: Float64Array[] = [];
  #count = 0;
  #targetBytes = 0;
  #lastPlace = 0;
  #lastLength = 0;
  /** Where in the delta the piece lies whose commands come. */
  pieceOffset = 0;

  /** `deltaName` is for messages; commands that take more than `maxBytes` fail with MEMORY. */
  constructor(deltaName: string, maxBytes: number) {
    this.#deltaName = deltaName;
    this.#maxCommands = Math.floor(maxBytes / (BLOCK_ENTRIES * ENTRY_BYTES)) * BLOCK_ENTRIES;
  }

  get count(): number {
    return this.#count;
  }

  /** What it takes. */
  get memoryBytes(): number {
    return this.#starts.length * BLOCK_ENTRIES * ENTRY_BYTES;
  }

  /** Bytes of the target. */
  get targetBytes(): number {
    return this.#targetBytes;
  }

  literal(_bytes: Uint8Array, from: number, to: number): void {
    const place = -1 - (this.pieceOffset + from);
    if (this.#lastLength > 0 && this.#lastPlace < 0 && place === this.#lastPlace - this.#lastLength) {
      this.#extend(to - from);
    } else {
      this.#add(place, to - from);
    }
  }

  copy(offset: number, length: number): void {
    if (this.#lastLength > 0 && this.#lastPlace >= 0 && offset === this.#lastPlace + this.#lastLength) {
      this.#extend(length);
    } else {
      this.#add(offset, length);
    }
  }

  /** Where in the target the bytes of a command begin; behind the last command, where the target ends. */
  startOf(index: number): number {
    return index === this.#count ? this.#targetBytes : this.#starts[index >>> 16]![index & 0xffff]!;
  }

  /** Where its bytes are in the base, or -1 minus where they are in the delta. */
  placeOf(index: number): number {
    return this.#places[index >>> 16]![index & 0xffff]!;
  }

  /** The command that makes the target's byte at `position`. `near` is a guess, best the last answer. */
  indexOf(position: number, near: number): number {
    // What is asked for mostly lies in the same command or in one of the next.
    for (let index = near; index < Math.min(near + 4, this.#count); index += 1) {
      if (position < this.startOf(index)) break;
      if (position < this.startOf(index + 1)) return index;
    }
    let low = 0;
    let high = this.#count - 1;
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if (this.startOf(middle) <= position) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  #extend(length: number): void {
    this.#lastLength += length;
    this.#targetBytes += length;
  }

  #add(place: number, length: number): void {
    const slot = this.#count & (BLOCK_ENTRIES - 1);
    if (slot === 0) this.#grow();
    this.#starts[this.#starts.length - 1]![slot] = this.#targetBytes;
    this.#places[this.#places.length - 1]![slot] = place;
    this.#count += 1;
    this.#lastPlace = place;
    this.#lastLength = length;
    this.#targetBytes += length;
  }

  #grow(): void {
    if (this.#count >= this.#maxCommands) throw this.#tooMany();
    this.#starts.push(new Float64Array(BLOCK_ENTRIES));
    this.#places.push(new Float64Array(BLOCK_ENTRIES));
  }

  #tooMany(): UpdateRepositoryError {
    const message = `${this.#deltaName}: has more than the ${this.#maxCommands} commands that fit into the memory allowed`;
    return new UpdateRepositoryError('MEMORY', message, {
      data: { path: this.#deltaName, maxCommands: this.#maxCommands },
      hint: 'run it with more --memory',
    });
  }
}
