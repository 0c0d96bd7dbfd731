import { describe, expect, it } from 'vitest';
import { nearest } from '../../src/cli/nearest.js';

const COMMANDS = ['build', 'verify', 'prune', 'help'];

describe('the command that a word is a slip of', () => {
  it.each([
    ['verfy', 'verify'],
    ['vreify', 'verify'],
    ['verify', 'verify'],
    ['veryfi', 'verify'],
    ['prunes', 'prune'],
    ['purne', 'prune'],
    ['biuld', 'build'],
    ['hlep', 'help'],
  ])('%s is near %s', (word, command) => {
    expect(nearest(word, COMMANDS)).toBe(command);
  });

  it.each(['images', 'mirror', 'proven', 'b', '', 'puavo-os'])('%j is near none', (word) => {
    expect(nearest(word, COMMANDS)).toBeUndefined();
  });

  it('the nearer of two wins', () => {
    expect(nearest('patch', ['match', 'patches', 'patch'])).toBe('patch');
  });
});
