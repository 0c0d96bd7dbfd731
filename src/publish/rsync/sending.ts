import type { ManyCall } from '../storage.js';
import { rsyncFailure } from './failure.js';
import { unescapeName } from './listing.js';
import type { RemoteRsync } from './remote-rsync.js';
import type { Staging } from './staging.js';

/**
 * Stores all of what is staged. `directories` are made with a mode that a web server can use, those that are missing
 * otherwise get what the other side gives them.
 *
 * @throws UpdateRepositoryError CHANGED_WHILE_READ for a file that was written meanwhile, and what {@link rsyncFailure} makes
 */
export async function sendStaged(
  rsync: RemoteRsync,
  staging: Staging,
  directories: readonly string[],
  { signal, bytesPerSecond, onProgress }: ManyCall,
): Promise<void> {
  const sizes = new Map(staging.objects.map(({ request }) => [request.path, request.sizeBytes]));
  const onLine = progressReader(sizes, onProgress ?? (() => undefined));
  const names = [...directories, ...sizes.keys()];
  const end = await rsync.store([...PROGRESS, ...rateOption(bytesPerSecond)], `${staging.root}/`, {
    names,
    signal,
    onLine,
  });
  // What rsync says of a file that is gone or shorter is less than this.
  await staging.requireUnchanged();
  if (end.code !== 0) throw rsyncFailure(rsync.nameOf([...sizes.keys()]), 'store it', end);
  for (const [path, sizeBytes] of sizes) onProgress?.(path, sizeBytes);
}

/** Which of the staged objects `paths`, all of them there, have other bytes there, by checksums of both sides. */
export async function differingPaths(
  rsync: RemoteRsync,
  staging: Staging,
  paths: readonly string[],
  signal: AbortSignal,
): Promise<Set<string>> {
  const differing = new Set<string>();
  const onLine = (line: string): void => {
    const path = differingPath(line);
    if (path !== null) differing.add(path);
  };
  const options = ['--checksum', '--dry-run', '--copy-links', '--out-format=>%i %n'];
  const end = await rsync.push(options, `${staging.root}/`, { names: paths, signal, onLine });
  await staging.requireUnchanged();
  if (end.code !== 0) throw rsyncFailure(rsync.nameOf(paths), 'compare it', end);
  return differing;
}

/** What {@link progressReader} reads. */
export const PROGRESS = ['--info=progress1', '--out-format=>%n'];

/** In KiB a second; 0 is no limit. */
export function rateOption(bytesPerSecond: number | undefined): string[] {
  return bytesPerSecond === undefined ? [] : [`--bwlimit=${Math.max(1, Math.floor(bytesPerSecond / 1024))}`];
}

/**
 * Reads what rsync prints while it sends or fetches, `>rdiffs/x` and then `  1048576  12% …` once a second, and tells how far each of
 * the objects is.
 */
export function progressReader(
  objects: { has(path: string): boolean },
  onProgress: (path: string, doneBytes: number) => void,
): (line: string) => void {
  let current: string | null = null;
  return (line) => {
    if (line.startsWith('>')) {
      const name = unescapeName(line.slice(1));
      current = name !== null && objects.has(name) ? name : null;
      if (current !== null) onProgress(current, 0);
      return;
    }
    const bytes = /^ *(\d+) +\d+%/.exec(line)?.[1];
    if (bytes !== undefined && current !== null) onProgress(current, Number(bytes));
  };
}

/**
 * The object that a line of a comparison names as one whose bytes would have to be sent, such as `><fc.T...... rdiffs/x`;
 * null for any other line (rsync(1), --itemize-changes).
 */
function differingPath(line: string): string | null {
  const name = /^><f\S* (.+)$/u.exec(line)?.[1];
  return name === undefined ? null : unescapeName(name);
}
