import type { RepositoryEvent } from '../../events.js';
import type { Palette } from './colors.js';
import { eventLine, paintLine } from './event-line.js';
import { JobCounter } from './job-counter.js';
import type { Renderer } from './renderer.js';
import type { OutputStream } from './streams.js';

/** Progress as a log: one line for each thing that is done, no control characters. Quiet keeps warnings and errors. */
export class PlainProgress implements Renderer {
  readonly #stderr: OutputStream;
  readonly #palette: Palette;
  readonly #quiet: boolean;
  readonly #counter = new JobCounter();

  constructor(stderr: OutputStream, palette: Palette, quiet: boolean) {
    this.#stderr = stderr;
    this.#palette = palette;
    this.#quiet = quiet;
  }

  onEvent(event: RepositoryEvent): void {
    this.#counter.apply(event);
    const line = eventLine(event);
    if (line === undefined || (this.#quiet && line.level !== 'warning' && line.level !== 'error')) return;
    const position = event.type === 'job-finished' ? `${formatPosition(this.#counter)} ` : '';
    this.#stderr.write(`${position}${paintLine(line, this.#palette)}\n`);
  }

  close(): void {
    // A log has nothing to take back.
  }
}

/** `[ 3/12]`, or `[3]` where nobody knows how many there will be. */
function formatPosition({ ended, expected }: JobCounter): string {
  return expected === undefined ? `[${ended}]` : `[${String(ended).padStart(String(expected).length)}/${expected}]`;
}
