import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';

/**
 * The sha256 of every file of a mirror that a web server would serve, by path: all but `.update-repository/`. Two
 * mirrors with equal trees are the same to every client, byte for byte.
 */
export function servedTree(mirror: string): Record<string, string> {
  if (!existsSync(mirror)) return {};
  const entries = readdirSync(mirror, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .map((path) => [relative(mirror, path), sha256(path)] as const)
    .filter(([path]) => !path.startsWith('.update-repository/'))
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries);
}

function sha256(path: string): string {
  return createHash('sha256').update(readFileSync(path)).digest('hex');
}
