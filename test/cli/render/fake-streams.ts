import { Writable } from 'node:stream';
import type { OutputStream } from '../../../src/cli/render/streams.js';

/** A stream that keeps what is written; a terminal where a size is given. */
export class FakeStream extends Writable implements OutputStream {
  declare readonly isTTY?: boolean;
  declare readonly columns?: number;
  declare readonly rows?: number;
  written = '';
  /** Called with each piece, for those who watch it while it is written. */
  onText: (text: string) => void = () => undefined;

  constructor(size?: { readonly columns: number; readonly rows: number }) {
    super({ decodeStrings: false });
    if (size !== undefined) Object.assign(this, { isTTY: true, ...size });
  }

  override _write(chunk: string, _encoding: BufferEncoding, done: () => void): void {
    this.written += chunk;
    this.onText(chunk);
    done();
  }

  get lines(): string[] {
    return this.written.split('\n').slice(0, -1);
  }
}
