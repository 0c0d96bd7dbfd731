import { type ErrorCode, UpdateRepositoryError } from '../errors.js';
import { EXIT } from './exit-codes.js';

/** The exit codes of `rdiff`, which its scripts may rely on: librsync's results, as Debian's rdiff hands them on. */
export const RDIFF_EXIT = {
  done: 0,
  io: 100,
  usage: 101,
  memory: 102,
  truncated: 103,
  magic: 104,
  corrupt: 106,
  internal: 107,
  parameter: 108,
  interrupted: EXIT.interrupted,
} as const;

/** One of the numbers in {@link RDIFF_EXIT}. */
export type RdiffExitCode = (typeof RDIFF_EXIT)[keyof typeof RDIFF_EXIT];

const EXIT_OF_ERROR: Readonly<Record<Exclude<ErrorCode, 'FORMAT'>, RdiffExitCode>> = {
  USAGE: RDIFF_EXIT.usage,
  CONFIG: RDIFF_EXIT.usage,
  NAME: RDIFF_EXIT.parameter,
  NOT_FOUND: RDIFF_EXIT.io,
  IO: RDIFF_EXIT.io,
  NO_SPACE: RDIFF_EXIT.io,
  CHANGED_WHILE_READ: RDIFF_EXIT.io,
  NAME_REUSED: RDIFF_EXIT.io,
  VERIFICATION: RDIFF_EXIT.corrupt,
  DELTA_TOO_LARGE: RDIFF_EXIT.io,
  MEMORY: RDIFF_EXIT.memory,
  NETWORK: 100,
  STORAGE: 100,
  HOOK: 100,
  LOCKED: RDIFF_EXIT.io,
  INTERRUPTED: RDIFF_EXIT.interrupted,
  INTERNAL: RDIFF_EXIT.internal,
};

/** The exit code with which rdiff ends for such a failure. */
export function rdiffExitCodeOf(error: unknown): RdiffExitCode {
  if (!(error instanceof UpdateRepositoryError)) return RDIFF_EXIT.internal;
  if (error.code === 'FORMAT') return exitCodeOfDamage(error);
  return error.data.parameter === true ? RDIFF_EXIT.parameter : EXIT_OF_ERROR[error.code];
}

/**
 * rdiff tells kinds of damage apart. For a signature the error says which; for a delta it can be seen from what was
 * expected and found, and a copy past the end of the basis is to rdiff an end that came too early.
 */
function exitCodeOfDamage({ data }: UpdateRepositoryError): RdiffExitCode {
  switch (data.fault) {
    case 'magic':
    case 'truncated':
    case 'corrupt':
    case 'parameter':
      return RDIFF_EXIT[data.fault];
  }
  const expected = String(data.expected);
  if (data.found === 'the end of the data') return RDIFF_EXIT.truncated;
  if (expected.startsWith('the magic')) return RDIFF_EXIT.magic;
  return expected.startsWith("a copy inside the base's") ? RDIFF_EXIT.truncated : RDIFF_EXIT.corrupt;
}
