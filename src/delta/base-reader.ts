/** What a delta is applied to: bytes that can be read at any place, in a file or made on the fly. */
export interface BaseReader {
  readonly sizeBytes: number;
  /**
   * Fills `into` from `at` on with the `length` bytes at `position`, all of which it has.
   *
   * @throws UpdateRepositoryError IO or CHANGED_WHILE_READ
   */
  read(into: Uint8Array, at: number, length: number, position: number): void;
  /** @throws UpdateRepositoryError CHANGED_WHILE_READ when what is read is not what it was at first */
  assertUnchanged(): void;
}
