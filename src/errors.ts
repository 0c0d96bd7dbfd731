/**
 * Every way in which this library fails on purpose. The command line maps each code to an exit code
 * (src/cli/exit-codes.ts); programs switch on it.
 */
export type ErrorCode =
  /** The command line, an option or an argument is wrong. */
  | 'USAGE'
  /** A configuration file or the mirror's own settings are wrong or contradict each other. */
  | 'CONFIG'
  /** A file name breaks the grammar of image names, or two names collide. */
  | 'NAME'
  /** A directory or a file that is needed is not there. */
  | 'NOT_FOUND'
  /** A file cannot be read or written. */
  | 'IO'
  /** The file system or the quota is full. */
  | 'NO_SPACE'
  /** A file changed while it was read. */
  | 'CHANGED_WHILE_READ'
  /** A published name would get other bytes. */
  | 'NAME_REUSED'
  /** Bytes are not what their checksum or size says. */
  | 'VERIFICATION'
  /** An image, a delta, an index or a definition is damaged or breaks its format. */
  | 'FORMAT'
  /** A delta grew past the size at which it is worth publishing. */
  | 'DELTA_TOO_LARGE'
  /** A job needs more memory than the budget has. */
  | 'MEMORY'
  /** A storage or a server cannot be reached, or keeps failing. */
  | 'NETWORK'
  /** A storage refuses what is asked of it, or answers what makes no sense. */
  | 'STORAGE'
  /** A hook of the user's failed. */
  | 'HOOK'
  /** Another process writes this mirror. */
  | 'LOCKED'
  /** The caller stopped the work. */
  | 'INTERRUPTED'
  /** A bug in this program. */
  | 'INTERNAL';

/** Facts about a failure: JSON values only, so that an error survives a worker boundary and a JSON line. */
export type ErrorData = Readonly<Record<string, string | number | boolean | null | readonly string[]>>;

/** An {@link UpdateRepositoryError} as plain JSON. */
export interface SerializedError {
  readonly code: ErrorCode;
  readonly message: string;
  readonly data: ErrorData;
  readonly hint?: string;
  readonly stack?: string;
  readonly cause?: string;
}

/** The one error class of this library: what failed, on what, what was expected and what was found. */
export class UpdateRepositoryError extends Error {
  override readonly name = 'UpdateRepositoryError';
  readonly code: ErrorCode;
  readonly data: ErrorData;
  /** What the user can do about it, as one sentence. */
  readonly hint: string | undefined;

  constructor(
    code: ErrorCode,
    message: string,
    details: { readonly data?: ErrorData; readonly hint?: string; readonly cause?: unknown } = {},
  ) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.data = details.data ?? {};
    this.hint = details.hint;
  }

  toJSON(): SerializedError {
    return {
      code: this.code,
      message: this.message,
      data: this.data,
      ...(this.hint === undefined ? {} : { hint: this.hint }),
      ...(this.stack === undefined ? {} : { stack: this.stack }),
      ...(this.cause === undefined ? {} : { cause: describeUnknown(this.cause) }),
    };
  }

  /** Rebuilds an error that {@link toJSON} wrote, with the stack of the place where it was thrown. */
  static fromJSON(json: SerializedError): UpdateRepositoryError {
    const error = new UpdateRepositoryError(json.code, json.message, {
      data: json.data,
      ...(json.hint === undefined ? {} : { hint: json.hint }),
      ...(json.cause === undefined ? {} : { cause: json.cause }),
    });
    if (json.stack !== undefined) error.stack = json.stack;
    return error;
  }
}

/** Whether `error` is ours and carries `code`. */
export function hasCode(error: unknown, code: ErrorCode): error is UpdateRepositoryError {
  return error instanceof UpdateRepositoryError && error.code === code;
}

/**
 * Turns a failure of the operating system on `path` into our own error; `doing` completes "cannot …". Errors of
 * ours and bugs (errors without an errno) pass through unchanged.
 */
export function fromSystemError(error: unknown, doing: string, path: string): unknown {
  if (!isSystemError(error)) return error;
  const data = { path, errno: error.code };
  const message = `${path}: cannot ${doing}: ${systemErrorText(error.code)}`;
  switch (error.code) {
    case 'ENOENT':
      return new UpdateRepositoryError('NOT_FOUND', message, { data, cause: error });
    case 'ENOSPC':
    case 'EDQUOT':
      return new UpdateRepositoryError('NO_SPACE', message, {
        data,
        cause: error,
        hint: 'free some space and run it again',
      });
    default:
      return new UpdateRepositoryError('IO', message, { data, cause: error });
  }
}

/** Whether `error` comes from a system call, with one of `codes` where any are given. */
export function isSystemError(error: unknown, ...codes: string[]): error is Error & { code: string } {
  if (!(error instanceof Error) || !('errno' in error) || !('code' in error)) return false;
  return typeof error.code === 'string' && (codes.length === 0 || codes.includes(error.code));
}

function systemErrorText(code: string): string {
  const texts: Record<string, string> = {
    EACCES: 'permission denied',
    EDQUOT: 'disk quota exceeded',
    EIO: 'input/output error',
    EISDIR: 'it is a directory',
    ELOOP: 'too many symbolic links',
    EMFILE: 'too many open files',
    ENAMETOOLONG: 'the name is too long',
    ENOENT: 'no such file or directory',
    ENOSPC: 'no space left on device',
    ENOTDIR: 'not a directory',
    EPERM: 'operation not permitted',
    EROFS: 'read-only file system',
    EXDEV: 'another file system',
  };
  return texts[code] ?? code;
}

function describeUnknown(value: unknown): string {
  return value instanceof Error ? value.message : String(value);
}
