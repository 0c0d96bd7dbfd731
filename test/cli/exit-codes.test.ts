import { describe, expect, it } from 'vitest';
import { EXIT, EXIT_MEANINGS, exitCodeOf } from '../../src/cli/exit-codes.js';
import { type ErrorCode, UpdateRepositoryError } from '../../src/errors.js';

/** Written out on purpose: scripts out there rely on every one of them. */
const DOCUMENTED: Readonly<Record<ErrorCode, number>> = {
  USAGE: 2,
  CONFIG: 2,
  NAME: 2,
  NOT_FOUND: 2,
  IO: 1,
  NO_SPACE: 6,
  CHANGED_WHILE_READ: 1,
  NAME_REUSED: 3,
  VERIFICATION: 3,
  FORMAT: 3,
  DELTA_TOO_LARGE: 1,
  MEMORY: 1,
  NETWORK: 5,
  STORAGE: 1,
  HOOK: 1,
  LOCKED: 4,
  INTERRUPTED: 130,
  INTERNAL: 1,
};

describe('exit codes', () => {
  it.each(Object.entries(DOCUMENTED) as [ErrorCode, number][])(
    'a failure with the code %s exits with %i',
    (code, exit) => {
      expect(exitCodeOf(new UpdateRepositoryError(code, 'x'))).toBe(exit);
    },
  );

  it('anything else that is thrown counts as failed work', () => {
    expect(exitCodeOf(new TypeError('x'))).toBe(1);
    expect(exitCodeOf('x')).toBe(1);
  });

  it('every code has its own number and a meaning', () => {
    expect(new Set(Object.values(EXIT)).size).toBe(Object.keys(EXIT).length);
    expect(Object.keys(EXIT_MEANINGS)).toEqual(Object.keys(EXIT));
  });
});
