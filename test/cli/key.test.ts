import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { Passphrase, startMetadata } from 'update-repository';
import { describe, expect, it } from 'vitest';
import type { KeyListEvent, KeySummaryEvent, RepositoryEvent } from '../../src/events.js';
import { readFrom } from '../../src/trust/tuf/metadata-directory.js';
import { type Repository, readRepository } from '../../src/trust/tuf/repository.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { quickKeys } from '../trust/support/quick-keys.js';
import { projectRoot, runCli } from './run.js';

const PASSPHRASE = 'correct horse battery staple';
const ENV = { UPDATE_REPOSITORY_PASSPHRASE: PASSPHRASE };

async function place() {
  const dir = await temporaryDirectory();
  const mirror = join(dir, 'mirror');
  mkdirSync(mirror);
  return { dir, mirror, keys: join(dir, 'keys') };
}

/** Runs it with `--json`, which has to end well, and gives its last line. */
async function last<Event>(...args: readonly string[]): Promise<Event> {
  const { stdout, stderr, code } = await runCli(['--json', ...args], ENV);
  expect({ stderr, code }).toEqual({ stderr: '', code: 0 });
  return JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '');
}

async function failed(...args: readonly string[]): Promise<{ code: string; message: string }> {
  const { stdout, code } = await runCli(['--json', ...args], ENV);
  expect(code).not.toBe(0);
  return JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '').error;
}

/** What `key init` does, with keys that open quickly. */
async function init(keys: string, mirror?: string, rootKeys = 1): Promise<void> {
  const ring = await quickKeys(keys, new Passphrase(PASSPHRASE, 'the test'), rootKeys);
  if (mirror !== undefined) await startMetadata({ mirrorDir: mirror, ring, lifetimes: {}, onEvent: () => undefined });
}

async function metadataOf(mirror: string): Promise<Repository> {
  const repository = await readRepository(readFrom(mirror), null);
  if (repository === null) throw new Error('no metadata');
  return repository;
}

async function keysOf(keys: string, role: string): Promise<string[]> {
  const { entries } = await last<KeyListEvent>('key', 'list', keys);
  return entries.filter(({ roles }) => roles.includes(role)).map(({ keyid }) => keyid);
}

describe('key init', () => {
  it('makes the keys of all roles, which their owner alone may read, and the first root', async () => {
    const { keys } = await place();
    await last('key', 'init', keys, '--root-keys', '3', '--threshold', '2', '--type', 'ecdsa');
    const { entries } = await last<KeyListEvent>('key', 'list', keys);
    expect(entries.map(({ roles }) => roles.join(' ')).sort()).toEqual([
      ...['root', 'root', 'root', 'series mirror', 'snapshot', 'targets', 'timestamp'],
    ]);
    for (const { keyid, keytype, secret } of entries) {
      expect({ keytype, secret }).toEqual({ keytype: 'ecdsa', secret: true });
      expect(statSync(join(keys, `${keyid}.json`)).mode & 0o777).toBe(0o600);
    }
    const root = JSON.parse(readFileSync(join(keys, '1.root.json'), 'utf8'));
    expect(root.signed.roles.root).toMatchObject({ threshold: 2 });
    expect(root.signatures).toHaveLength(3);
  });

  it('signs a mirror, and refuses to begin it anew', async () => {
    const { mirror, keys, dir } = await place();
    const { published } = await last<KeySummaryEvent>('key', 'init', keys, '--mirror', mirror);
    expect(published.at(-1)).toBe('metadata/timestamp.json');
    expect((await metadataOf(mirror)).root.signed.version).toBe(1);
    const error = await failed('key', 'init', join(dir, 'others'), '--mirror', mirror);
    expect(error).toMatchObject({ code: 'CONFIG', message: expect.stringContaining('found a signed one') });
  });

  it('leaves a directory alone that has keys', async () => {
    const { keys } = await place();
    await last('key', 'init', keys);
    const before = readdirSync(keys);
    expect(await failed('key', 'init', keys)).toMatchObject({ code: 'CONFIG' });
    expect(readdirSync(keys)).toEqual(before);
  });

  it('makes none for a threshold that cannot be met', async () => {
    const { keys } = await place();
    expect(await failed('key', 'init', keys, '--threshold', '2')).toMatchObject({ code: 'CONFIG' });
    expect(existsSync(keys)).toBe(false);
  });

  it('takes the passphrase from a file descriptor, and says it nowhere', async () => {
    const { keys } = await place();
    const args = [
      join(projectRoot, 'bin', 'update-repository.js'),
      '--json',
      'key',
      'init',
      keys,
      '--passphrase-fd',
      '3',
    ];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe', 'pipe'], cwd: projectRoot });
    (child.stdio[3] as NodeJS.WritableStream).end(`${PASSPHRASE}\n`);
    const { stdout, stderr } = child;
    if (stdout === null || stderr === null) throw new Error('no pipes');
    const [out, err] = await Promise.all([text(stdout), text(stderr), once(child, 'close')]);
    expect(child.exitCode).toBe(0);
    expect(out + err).not.toContain(PASSPHRASE);
    for (const name of readdirSync(keys)) expect(readFileSync(join(keys, name), 'utf8')).not.toContain(PASSPHRASE);
  });

  it('without any passphrase is an error, and makes nothing', async () => {
    const { keys } = await place();
    const { code, stderr } = await runCli(['key', 'init', keys]);
    expect(code).toBe(2);
    expect(stderr).toContain('--passphrase-fd');
    expect(existsSync(keys)).toBe(false);
  });
});

describe('key export', () => {
  it('writes the root for devices', async () => {
    const { keys, dir } = await place();
    await init(keys);
    const root = join(dir, 'root.json');
    await last('key', 'export', keys, '--root', root);
    expect(readFileSync(root, 'utf8')).toBe(readFileSync(join(keys, '1.root.json'), 'utf8'));
  });

  it('copies the secret halves for the named roles alone', async () => {
    const { keys, dir } = await place();
    const online = join(dir, 'online');
    await init(keys);
    await last('key', 'export', keys, '--to', online, '--private', 'snapshot,timestamp,series,mirror');
    const { entries } = await last<KeyListEvent>('key', 'list', online);
    const secret = entries.filter((entry) => entry.secret).flatMap(({ roles }) => roles);
    expect(secret.sort()).toEqual(['mirror', 'series', 'snapshot', 'timestamp']);
    expect(entries).toHaveLength(5);
  });

  it('wants to know what', async () => {
    const { keys } = await place();
    await init(keys);
    expect(await failed('key', 'export', keys)).toMatchObject({ code: 'USAGE' });
  });
});

describe('keys from the environment', () => {
  it('sign without a passphrase, with the public halves in a directory', async () => {
    const { mirror, keys, dir } = await place();
    await init(keys, mirror);
    const public_ = join(dir, 'public');
    const args = ['key', 'export', keys, '--to', public_, '--private', 'timestamp', '--pem'];
    const { files } = await last<KeySummaryEvent>(...args);
    const [pem = '', ...others] = files.filter((file) => file.endsWith('.pem'));
    expect(others).toEqual([]);
    expect(statSync(pem).mode & 0o777).toBe(0o600);
    const text = readFileSync(pem, 'utf8');
    rmSync(pem);

    const env = { UPDATE_REPOSITORY_PRIVATE_KEYS: `${text}\n` };
    const before = (await metadataOf(mirror)).timestamp.signed.version;
    const refresh = ['--json', 'refresh', mirror, '--sign', public_];
    const due = await runCli([...refresh, '--expires', 'timestamp=60d'], env);
    expect(due).toMatchObject({ stderr: '', code: 0 });
    expect(due.stdout).not.toContain(text.split('\n')[1]);
    expect((await metadataOf(mirror)).timestamp.signed.version).toBe(before + 1);
  });

  it('are refused where they are none of the directory, and where they are no keys', async () => {
    const { mirror, keys, dir } = await place();
    await init(keys, mirror);
    const others = join(dir, 'others');
    await init(others);
    const { files } = await last<KeySummaryEvent>(
      ...['key', 'export', others, '--to', join(dir, 'out'), '--private', 'timestamp', '--pem'],
    );
    const pem = readFileSync(files.find((file) => file.endsWith('.pem')) ?? '', 'utf8');
    for (const [value, message] of [
      [pem, /^UPDATE_REPOSITORY_PRIVATE_KEYS: expected keys of .*, found [0-9a-f]{64}$/],
      ['timestamp', /^UPDATE_REPOSITORY_PRIVATE_KEYS: expected a private key, .*, found no PEM$/],
    ] as const) {
      const env = { UPDATE_REPOSITORY_PRIVATE_KEYS: value };
      const { stdout, code } = await runCli(['--json', 'refresh', mirror, '--sign', keys], env);
      expect(code).toBe(2);
      const { error } = JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '');
      expect(error).toMatchObject({ code: 'CONFIG', message: expect.stringMatching(message) });
    }
  });
});

describe('key rotate', () => {
  it.each(['root', 'targets', 'snapshot', 'timestamp', 'mirror'])('replaces the key of %s', async (role) => {
    const { mirror, keys } = await place();
    await init(keys, mirror);
    const [old] = await keysOf(keys, role);
    await last('key', 'rotate', keys, '--role', role, '--mirror', mirror);
    const [next, ...others] = await keysOf(keys, role);
    expect(others).toEqual([]);
    expect(next).not.toBe(old);
    expect(readdirSync(join(keys, 'retired'))).toEqual([`${old}.json`]);
    const { root, targets } = await metadataOf(mirror);
    const all = [...Object.keys(root.signed.keys), ...Object.keys(targets.signed.delegations?.keys ?? {})];
    expect(all).toContain(next);
    expect(all).not.toContain(old);
  });

  it('keeps no new key of a change that came to nothing', async () => {
    const { mirror, keys, dir } = await place();
    await init(keys, mirror);
    const before = readdirSync(keys).sort();
    const args = ['key', 'rotate', keys, '--role', 'mirror', '--mirror', mirror];
    expect(await failed(...args, '--drafts', keys)).toMatchObject({ code: 'CONFIG' });
    expect(readdirSync(keys).sort()).toEqual(before);

    const [snapshot] = await keysOf(keys, 'snapshot');
    renameSync(join(keys, `${snapshot}.json`), join(dir, 'elsewhere'));
    const left = readdirSync(keys).sort();
    expect(await failed(...args)).toMatchObject({ code: 'CONFIG' });
    expect(readdirSync(keys).sort()).toEqual(left);
  });

  it('lets other machines sign first, and publishes when all have', async () => {
    const { mirror, keys, dir } = await place();
    const [online, drafts] = [join(dir, 'online'), join(dir, 'drafts')];
    await init(keys, mirror);
    await last('key', 'export', keys, '--to', online, '--private', 'snapshot,timestamp,series,mirror');
    const [old] = await keysOf(online, 'timestamp');
    expect(await failed('key', 'rotate', online, '--role', 'timestamp', '--mirror', mirror)).toMatchObject({
      code: 'CONFIG',
      message: expect.stringContaining('2.root.json: expected 1 more of the signatures of'),
    });
    expect(await keysOf(online, 'timestamp')).toEqual([old]);

    const args = ['--role', 'timestamp', '--mirror', mirror, '--drafts', drafts];
    const { missing, published } = await last<KeySummaryEvent>('key', 'rotate', online, ...args);
    expect({ missing: missing.map(({ role }) => role), published }).toEqual({
      missing: ['root', 'root'],
      published: [],
    });
    expect(await failed('key', 'sign', drafts, '--keys', online, '--mirror', mirror)).toMatchObject({ code: 'CONFIG' });
    expect((await metadataOf(mirror)).root.signed.version).toBe(1);

    const { stdout } = await runCli(['--json', 'key', 'sign', drafts, '--keys', keys], ENV);
    const events = stdout
      .trimEnd()
      .split('\n')
      .map((line): RepositoryEvent => JSON.parse(line));
    expect(events.at(-1)).toMatchObject({ type: 'key-summary', missing: [] });
    const [made] = (await keysOf(online, 'timestamp')).filter((id) => id !== old);
    const told = events.flatMap((event) => (event.type === 'note' ? [`${event.subject}: ${event.message}`] : []));
    expect(told).toEqual([
      expect.stringMatching(/^2\.root\.json: good until \d{4}-/),
      `2.root.json: timestamp is to be signed by 1 of ${made}; before: 1 of ${old}`,
    ]);
    await last('key', 'sign', drafts, '--keys', online, '--mirror', mirror);
    const { root } = await metadataOf(mirror);
    expect(root.signed.version).toBe(2);
    expect(root.signed.roles.timestamp.keyids).toEqual(await keysOf(online, 'timestamp'));
    expect(root.signed.roles.timestamp.keyids).not.toContain(old);
  });
});

describe('key revoke', () => {
  it('takes a key away while the others suffice, and no further', async () => {
    const { mirror, keys } = await place();
    await init(keys, mirror, 2);
    const [first = '', second = ''] = await keysOf(keys, 'root');
    await last('key', 'revoke', keys, '--key', first, '--mirror', mirror);
    expect((await metadataOf(mirror)).root.signed.roles.root.keyids).toEqual([second]);
    expect(await failed('key', 'revoke', keys, '--key', second, '--mirror', mirror)).toMatchObject({ code: 'CONFIG' });
  });
});
