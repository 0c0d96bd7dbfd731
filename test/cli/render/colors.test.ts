import { describe, expect, it } from 'vitest';
import { choosePalette } from '../../../src/cli/render/colors.js';

function isColored(isTerminal: boolean, env: Record<string, string>, allowed = true): boolean {
  return choosePalette({ isTerminal, allowed, env }).error('x') !== 'x';
}

describe('colors', () => {
  it('are for terminals', () => {
    expect(isColored(true, {})).toBe(true);
    expect(isColored(false, {})).toBe(false);
    expect(isColored(true, { TERM: 'dumb' })).toBe(false);
  });

  it('are off with NO_COLOR, unless it is empty', () => {
    expect(isColored(true, { NO_COLOR: '1' })).toBe(false);
    expect(isColored(true, { NO_COLOR: '' })).toBe(true);
  });

  it('are on anywhere with FORCE_COLOR, which is stronger than NO_COLOR as in Node', () => {
    expect(isColored(false, { FORCE_COLOR: '1' })).toBe(true);
    expect(isColored(false, { FORCE_COLOR: '' })).toBe(true);
    expect(isColored(false, { FORCE_COLOR: '1', NO_COLOR: '1' })).toBe(true);
    expect(isColored(true, { FORCE_COLOR: '0' })).toBe(false);
    expect(isColored(true, { FORCE_COLOR: 'false' })).toBe(false);
  });

  it('are off with --no-color, whatever the environment says', () => {
    expect(isColored(true, { FORCE_COLOR: '1' }, false)).toBe(false);
  });
});
