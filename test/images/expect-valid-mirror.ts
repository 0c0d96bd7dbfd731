import { expect } from 'vitest';
import { runCli } from '../cli/run.js';
import { readClaims } from '../support/mirror-claims.js';
import { servedTree } from '../support/served-tree.js';

/**
 * A reader that comes now finds every file that an index names, with the bytes that it names; nothing that was named
 * `before` (path to sha256) has other bytes or is gone; and the program's own check agrees, or says that there is no
 * mirror yet. Returns all files that were ever named.
 */
export async function expectValidMirror(
  mirror: string,
  before: ReadonlyMap<string, string>,
): Promise<Map<string, string>> {
  const { broken, named } = readClaims(mirror);
  expect(broken).toEqual([]);
  const tree = servedTree(mirror);
  for (const [path, sha256] of before) expect(tree[path], path).toBe(sha256);
  const verify = await runCli(['verify', '--json', mirror]);
  if (named.size === 0 && verify.code !== 0) expect(verify.stdout).toContain('"code":"CONFIG"');
  else expect(verify, verify.stdout).toMatchObject({ code: 0 });
  return new Map([...before, ...named]);
}
