import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { cacheRule, textObject } from '../../src/publish/release.js';
import type { Storage, StorageCall } from '../../src/publish/storage.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { requireTools } from '../support/tools.js';
import { opened } from './support/opened.js';
import { type Peer, startSshd } from './support/rsync-peers.js';

const call: StorageCall = { signal: new AbortController().signal };

/** Lets no command but rsync's server through, as forced commands do. */
const ONLY_RSYNC = `#!/bin/sh
case "$SSH_ORIGINAL_COMMAND" in
  *[\\;\\&\\|\\$]*) ;;
  "rsync --server "*) exec $SSH_ORIGINAL_COMMAND ;;
esac
echo "not allowed: $SSH_ORIGINAL_COMMAND" >&2
exit 1
`;

/** As an rsync before 3.2.3 answers. */
const OLD_RSYNC = `#!/bin/sh
case "$SSH_ORIGINAL_COMMAND" in
  *--fsync*) echo 'rsync: --fsync: unknown option' >&2; exit 1 ;;
esac
exec $SSH_ORIGINAL_COMMAND
`;

let peer: Peer | undefined;
afterEach(async () => {
  vi.unstubAllEnvs();
  await peer?.end();
  peer = undefined;
});

async function accountThatMay(command: string): Promise<void> {
  const sshd = await startSshd(await temporaryDirectory(), command);
  peer = sshd;
  vi.stubEnv('RSYNC_RSH', sshd.ssh);
}

async function script(text: string): Promise<string> {
  const path = join(await temporaryDirectory(), 'forced');
  writeFileSync(path, text);
  chmodSync(path, 0o755);
  return path;
}

async function useAllOf(storage: Storage): Promise<void> {
  for await (const { path } of storage.list('', call)) throw new Error(`${path}: there already`);
  expect(await storage.stat('meta/a.json', call)).toBeNull();
  const put = (path: string, text: string) =>
    storage.put({ ...textObject(path, text, 'text/plain'), cacheControl: cacheRule('index') }, call);
  await put('meta/a.json', 'one');
  await put('meta/a.json', 'two');
  await put('b', 'gone');
  await storage.remove(['b'], call);
  const listed: string[] = [];
  for await (const { path } of storage.list('', call)) listed.push(path);
  expect(listed).toEqual(['meta/a.json']);
  const pieces: Uint8Array[] = [];
  for await (const piece of (await storage.read('meta/a.json', call)) ?? []) pieces.push(piece);
  expect(Buffer.concat(pieces).toString()).toBe('two');
}

test('an account that may run nothing but rsync is enough', async (context) => {
  requireTools(context, 'rsync', 'ssh', 'sshd');
  await accountThatMay(await script(ONLY_RSYNC));
  const refused = spawnSync('sh', ['-c', `${process.env.RSYNC_RSH} 127.0.0.1 id`], { encoding: 'utf8' });
  expect(refused.stderr).toContain('not allowed: id');
  await useAllOf(await opened(`127.0.0.1:${join(await temporaryDirectory(), 'mirror')}`));
});

test('an account that rrsync keeps in one directory is enough', async (context) => {
  requireTools(context, 'rsync', 'ssh', 'sshd', 'rrsync', 'python3');
  const root = await temporaryDirectory();
  await accountThatMay(`rrsync ${root}`);
  await useAllOf(await opened('ssh://127.0.0.1/'));
  expect(readFileSync(join(root, 'meta/a.json'), 'utf8')).toBe('two');
  await useAllOf(await opened('ssh://127.0.0.1/not/there/yet'));
  expect(readFileSync(join(root, 'not/there/yet/meta/a.json'), 'utf8')).toBe('two');
});

test('an rsync of the other side that knows no --fsync is enough', async (context) => {
  requireTools(context, 'rsync', 'ssh', 'sshd');
  await accountThatMay(await script(OLD_RSYNC));
  await useAllOf(await opened(`127.0.0.1:${join(await temporaryDirectory(), 'mirror')}`));
});

test('files and directories can be read by a web server, whatever the umask there; what others have made stays', async (context) => {
  requireTools(context, 'rsync', 'ssh', 'sshd');
  await accountThatMay(await script('#!/bin/sh\numask 077\nexec $SSH_ORIGINAL_COMMAND\n'));
  const root = await temporaryDirectory();
  mkdirSync(join(root, 'theirs'));
  chmodSync(join(root, 'theirs'), 0o2770);
  const storage = await opened(`127.0.0.1:${root}`);
  for await (const _ of storage.list('', call));
  for (const path of ['a/b/c', 'theirs/d']) {
    await storage.put({ ...textObject(path, path, 'text/plain'), cacheControl: cacheRule('index') }, call);
  }
  const mode = (path: string) => statSync(join(root, path)).mode & 0o7777;
  expect(['a', 'a/b', 'a/b/c', 'theirs', 'theirs/d'].map(mode)).toEqual([0o755, 0o755, 0o644, 0o2770, 0o644]);
});
