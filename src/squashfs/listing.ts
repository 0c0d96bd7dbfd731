import type { MetadataCursor } from './metadata-cursor.js';

/** The bytes of a directory's listing in order, a metadata block at a time, so that few of the reads have to wait. */
export class Listing {
  private readonly cursor: MetadataCursor;
  /** Bytes that the directory has and that are not in `buffer` yet. */
  private unread: number;
  private buffer: Uint8Array = new Uint8Array(0);
  private at = 0;

  constructor(cursor: MetadataCursor, sizeBytes: number) {
    this.cursor = cursor;
    this.unread = sizeBytes;
  }

  get ended(): boolean {
    return this.unread === 0 && this.at === this.buffer.length;
  }

  /** Whether the next `count` bytes, or all that are left, can be taken without waiting. */
  has(count: number): boolean {
    return this.unread === 0 || this.buffer.length - this.at >= count;
  }

  /** Makes {@link has} true. */
  async fill(count: number): Promise<void> {
    while (!this.has(count)) {
      const part = await this.cursor.take(this.unread);
      this.buffer = Buffer.concat([this.buffer.subarray(this.at), part]);
      this.at = 0;
      this.unread -= part.length;
    }
  }

  /**
   * The next `count` bytes, not to be changed.
   *
   * @throws FORMAT where the listing has fewer.
   */
  take(count: number): Uint8Array {
    const left = this.buffer.length - this.at;
    if (count > left) throw this.cursor.damaged(`${count} more bytes of a listing`, `${left}`);
    this.at += count;
    return this.buffer.subarray(this.at - count, this.at);
  }
}
