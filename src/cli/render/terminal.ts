import { MultiBar } from 'cli-progress';
import type { RepositoryEvent } from '../../events.js';
import { progressLines } from './bar-lines.js';
import type { Palette } from './colors.js';
import { eventLine, paintLine } from './event-line.js';
import { ProgressState } from './progress-state.js';
import type { Renderer } from './renderer.js';
import type { OutputStream } from './streams.js';

const FRAMES_PER_SECOND = 8;
/** Erase to the end of the line (EL, ECMA-48 section 8.3.41): a message is printed over what was a bar. */
const ERASE_REST = '\u001b[K';

/**
 * Progress on a terminal: a bar for each running job, below them one for the whole, and above them the notes, warnings
 * and errors. The bars are gone when it is closed or a summary comes. cli-progress moves the cursor; what a line
 * says is decided here, once a frame.
 */
export class TerminalProgress implements Renderer {
  readonly #stderr: OutputStream;
  readonly #palette: Palette;
  readonly #state: ProgressState;
  #screen: MultiBar | undefined;
  #rows = 0;
  #lines: readonly string[] = [];

  constructor(stderr: OutputStream, palette: Palette) {
    this.#stderr = stderr;
    this.#palette = palette;
    this.#state = new ProgressState(performance.now());
  }

  onEvent(event: RepositoryEvent): void {
    this.#state.apply(event, performance.now());
    this.#print(event);
    if (event.type === 'job-started') this.#screen ??= this.#open();
    if (event.type.endsWith('-summary')) this.close();
  }

  close(): void {
    const screen = this.#screen;
    if (screen === undefined) return;
    this.#screen = undefined;
    // One more frame prints the messages that still wait; stop() would drop them.
    screen.update();
    screen.stop();
    this.#rows = 0;
  }

  #print(event: RepositoryEvent): void {
    const line = eventLine(event);
    if (line === undefined || line.level === 'detail') return;
    const text = paintLine(line, this.#palette);
    if (this.#screen === undefined) this.#stderr.write(`${text}\n`);
    else this.#screen.log(`${text}${ERASE_REST}\n`);
  }

  #open(): MultiBar {
    const screen = new MultiBar({
      stream: this.#stderr,
      fps: FRAMES_PER_SECOND,
      clearOnComplete: true,
      // Lines are never longer than the terminal is wide, so its wrapping may stay on: a killed process leaves no mess.
      linewrap: true,
      // A message above the bars moves every bar down by a line, the unchanged ones too.
      forceRedraw: true,
      // A row that had a bar stays, empty, until the end: removing it would make the others jump.
      format: (_options, _params, row: { readonly index: number }) => this.#lines[row.index] ?? '',
    });
    // A frame is many small writes: together they reach the terminal as one, without flicker.
    screen.on('update-pre', () => {
      this.#stderr.cork();
      this.#prepare(screen);
    });
    screen.on('update-post', () => this.#stderr.uncork());
    this.#addRows(screen, 1);
    return screen;
  }

  #prepare(screen: MultiBar): void {
    const { columns = 80, rows = 24 } = this.#stderr;
    this.#lines = progressLines(this.#state.snapshot(performance.now()), columns - 1, rows - 1);
    this.#addRows(screen, this.#lines.length);
  }

  #addRows(screen: MultiBar, count: number): void {
    while (this.#rows < count) {
      screen.create(1, 0, { index: this.#rows });
      this.#rows += 1;
    }
  }
}
