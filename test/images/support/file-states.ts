import { lstatSync, readdirSync } from 'node:fs';
import { join, relative } from 'node:path';

/**
 * What a write leaves behind, for everything below `folder` and the folder itself: inode, size, mtime, ctime and mode
 * by path. Reading changes none of it.
 */
export function fileStates(folder: string): Record<string, string> {
  const paths = readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((path) => join(folder, path));
  return Object.fromEntries([folder, ...paths.sort()].map((path) => [relative(folder, path) || '.', stateOf(path)]));
}

function stateOf(path: string): string {
  const { ino, size, mtimeNs, ctimeNs, mode } = lstatSync(path, { bigint: true });
  return `inode ${ino} size ${size} mtime ${mtimeNs} ctime ${ctimeNs} mode ${mode.toString(8)}`;
}
