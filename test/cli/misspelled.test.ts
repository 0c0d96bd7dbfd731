import { describe, expect, it } from 'vitest';
import { refuseMisspelled } from '../../src/cli/misspelled.js';

const COMMANDS = ['build', 'verify', 'prune', 'help'];

function refusalOf(line: string, directories: readonly string[] = []): string | undefined {
  try {
    refuseMisspelled(line.split(' '), COMMANDS, (path) => directories.includes(path));
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

describe('the first word of a line', () => {
  it('is refused when it is near a command and no directory', () => {
    expect(refusalOf('verfy --deep m')).toBe("'verfy' is neither a command nor a directory (did you mean verify?)");
    expect(refusalOf('--json verfy m')).toBe("'verfy' is neither a command nor a directory (did you mean verify?)");
  });

  it('may be a command, a directory, or a path that is like no command', () => {
    expect(refusalOf('verify verfy')).toBeUndefined();
    expect(refusalOf('verfy m', ['verfy'])).toBeUndefined();
    expect(refusalOf('./verify m')).toBeUndefined();
    expect(refusalOf('images m')).toBeUndefined();
    expect(refusalOf('--version')).toBeUndefined();
  });
});
