import { type ErrorCode, UpdateRepositoryError } from '../errors.js';

/** The exit codes, by what they mean. Scripts rely on the numbers: they never change. */
export const EXIT = {
  done: 0,
  failed: 1,
  usage: 2,
  verification: 3,
  locked: 4,
  network: 5,
  noSpace: 6,
  somethingToDo: 10,
  interrupted: 130,
} as const;

/** One of the numbers in {@link EXIT}. */
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** What each exit code says, as help, manual page and documentation print it. */
export const EXIT_MEANINGS: Readonly<Record<keyof typeof EXIT, string>> = {
  done: 'the work is done, or there was nothing to do',
  failed: 'the work failed, or with --keep-going a part of it',
  usage: 'the command line, a configuration or a name in it is wrong',
  verification: 'verification failed: wrong or damaged bytes, or a published name used again',
  locked: "another process is writing this mirror, or this device's images",
  network: 'the network or a storage could not be reached',
  noSpace: 'the file system or the quota is full',
  somethingToDo: '--dry-run, --plan or --check found something to do',
  interrupted: 'interrupted by a signal, or nobody was left to read the output',
};

const EXIT_OF_ERROR: Readonly<Record<ErrorCode, ExitCode>> = {
  USAGE: EXIT.usage,
  CONFIG: EXIT.usage,
  NAME: EXIT.usage,
  NOT_FOUND: EXIT.usage,
  IO: EXIT.failed,
  NO_SPACE: EXIT.noSpace,
  CHANGED_WHILE_READ: EXIT.failed,
  NAME_REUSED: EXIT.verification,
  VERIFICATION: EXIT.verification,
  FORMAT: EXIT.verification,
  DELTA_TOO_LARGE: EXIT.failed,
  MEMORY: EXIT.failed,
  NETWORK: EXIT.network,
  STORAGE: EXIT.failed,
  HOOK: EXIT.failed,
  LOCKED: EXIT.locked,
  INTERRUPTED: EXIT.interrupted,
  INTERNAL: EXIT.failed,
};

/** The exit code for a failure; one that is not ours counts as failed work. */
export function exitCodeOf(error: unknown): ExitCode {
  return error instanceof UpdateRepositoryError ? EXIT_OF_ERROR[error.code] : EXIT.failed;
}
