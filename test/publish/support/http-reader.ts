import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect } from 'vitest';
import { readClaims } from '../../support/mirror-claims.js';

/** The indexes of a mirror by path, and the sha256 of each; one that is not there is left out. */
export type Indexes = Readonly<Record<string, string>>;

/** The indexes that a mirror of this machine has. */
export function indexesOf(mirror: string): Indexes {
  const metas = readdirSync(join(mirror, 'meta')).map((name) => `meta/${name}`);
  const lists = ['CKSUMS', 'SHA256SUMS', 'rdiffs/SHA256SUMS', 'index.json'];
  const paths = [...metas, ...lists.filter((path) => existsSync(join(mirror, path)))];
  return Object.fromEntries(paths.map((path) => [path, sha256Of(readFileSync(join(mirror, path)))]));
}

/**
 * Downloads into `seen` what is at `url` of all indexes that `mirrors` have, and all that those name, as a reader without
 * credentials does. Every index has to be that of one of the mirrors, and all that any says has to be true.
 */
export async function readOverHttp(url: string, mirrors: readonly string[], seen: string): Promise<Indexes> {
  rmSync(seen, { recursive: true, force: true });
  const known = mirrors.map(indexesOf);
  const found: Record<string, string> = {};
  for (const path of new Set(known.flatMap(Object.keys))) {
    const bytes = await download(url, path, seen);
    if (bytes === null) continue;
    found[path] = sha256Of(bytes);
    expect(known.map((indexes) => indexes[path])).toContain(found[path]);
  }
  for (const path of readClaims(seen).named.keys()) await download(url, path, seen);
  expect(readClaims(seen).broken).toEqual([]);
  return found;
}

async function download(url: string, path: string, seen: string): Promise<Buffer | null> {
  const answer = await fetch(`${url}/${encodeURI(path)}`);
  const bytes = Buffer.from(await answer.arrayBuffer());
  // Who may not list a bucket is not told what is not in it.
  if (answer.status === 404 || answer.status === 403) return null;
  expect(answer.status, path).toBe(200);
  mkdirSync(dirname(join(seen, path)), { recursive: true });
  writeFileSync(join(seen, path), bytes);
  return bytes;
}

function sha256Of(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
