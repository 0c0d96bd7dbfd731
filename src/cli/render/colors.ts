/** The few styles that this program prints in, each a function from text to text. */
export interface Palette {
  readonly error: (text: string) => string;
  readonly warning: (text: string) => string;
  readonly heading: (text: string) => string;
}

const PLAIN: Palette = { error: (text) => text, warning: (text) => text, heading: (text) => text };
const COLORED: Palette = { error: sgr(31, 39), warning: sgr(33, 39), heading: sgr(1, 22) };

/** What decides about colors on one stream. */
export interface ColorFacts {
  readonly isTerminal: boolean;
  /** False with `--no-color`. */
  readonly allowed: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/**
 * Colors on a terminal, unless `--no-color`, NO_COLOR (https://no-color.org) or TERM=dumb says otherwise. FORCE_COLOR,
 * as in Node itself, turns them on anywhere and, as `0` or `false`, off; only `--no-color` is stronger.
 */
export function choosePalette({ isTerminal, allowed, env }: ColorFacts): Palette {
  if (!allowed) return PLAIN;
  const forced = env.FORCE_COLOR;
  if (forced !== undefined) return forced === '0' || forced === 'false' ? PLAIN : COLORED;
  const refused = (env.NO_COLOR ?? '') !== '' || env.TERM === 'dumb';
  return isTerminal && !refused ? COLORED : PLAIN;
}

/** Select Graphic Rendition, ECMA-48 section 8.3.117: `on` and `off` are its parameters. */
function sgr(on: number, off: number): (text: string) => string {
  return (text) => `\u001b[${on}m${text}\u001b[${off}m`;
}
