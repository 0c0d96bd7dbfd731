import type { RepositoryEvent } from '../../events.js';
import type { OutputFlags } from '../invocation.js';
import { choosePalette, type Palette } from './colors.js';
import { JsonRenderer } from './json.js';
import { PlainProgress } from './plain.js';
import { ResultRenderer } from './result.js';
import type { OutputStream, Streams } from './streams.js';

/** Shows events to somebody. */
export interface Renderer {
  onEvent(event: RepositoryEvent): void;
  /** Takes back what is not to stay on the screen; nothing comes after it. */
  close(): void;
}

/** The renderer that the user's flags and the two streams call for. */
export async function createRenderer(output: OutputFlags, streams: Streams): Promise<Renderer> {
  if (output.json === true) return new JsonRenderer(streams.stdout);
  const quiet = output.quiet === true;
  const palette = paletteFor(streams.stderr, output, streams.env);
  const progress =
    !quiet && canRedraw(streams)
      ? await terminalProgress(streams.stderr, palette)
      : new PlainProgress(streams.stderr, palette, quiet);
  if (quiet) return progress;
  return both(progress, new ResultRenderer(streams.stdout, paletteFor(streams.stdout, output, streams.env)));
}

/** The colors for `stream`. */
export function paletteFor(stream: OutputStream, output: OutputFlags, env: Streams['env']): Palette {
  return choosePalette({ isTerminal: stream.isTTY === true, allowed: output.color, env });
}

/** Bars are loaded where there is a screen for them. */
async function terminalProgress(stderr: OutputStream, palette: Palette): Promise<Renderer> {
  const { TerminalProgress } = await import('./terminal.js');
  return new TerminalProgress(stderr, palette);
}

function canRedraw({ stderr, env }: Streams): boolean {
  return stderr.isTTY === true && env.TERM !== 'dumb';
}

/** Progress first: it has to be off the screen before a result is printed below it. */
function both(first: Renderer, second: Renderer): Renderer {
  return {
    onEvent: (event) => {
      first.onEvent(event);
      second.onEvent(event);
    },
    close: () => {
      first.close();
      second.close();
    },
  };
}
