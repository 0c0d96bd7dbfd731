/**
 * Where a file is made that is to be `path` once it is complete; another name each time. No secret: who opens it must not take
 * what is there already.
 */
export function temporaryPathOf(path: string): string {
  return `${path}.${Math.random().toString(16).slice(2, 10)}.tmp`;
}
