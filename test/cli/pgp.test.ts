import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, linkSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { beforeAll, describe, expect, it } from 'vitest';
import type { KeySummaryEvent } from '../../src/events.js';
import { startWebServer } from '../images/support/web-server.js';
import { dailyStamps } from '../support/image-name.js';
import { makeRawImages } from '../support/raw-images.js';
import { temporaryDirectory, temporaryDirectoryOfSuite } from '../support/temporary-directory.js';
import { haveTools, requireTools } from '../support/tools.js';
import { flipped, GnupgHome, isGoodForGpgv } from '../trust/openpgp/gnupg.js';
import { projectRoot, runCli } from './run.js';

const PASSPHRASE = 'correct horse battery staple';
const ENV = { UPDATE_REPOSITORY_PASSPHRASE: PASSPHRASE };
const BASE_URL = ['--base-url', 'https://images.example.org'];

const suite = temporaryDirectoryOfSuite();
const imagesDir = join(suite, 'images');
const key = join(suite, 'key.asc');

beforeAll(async () => {
  const series = { stem: 'puavo-os-acme-bookworm', arch: 'amd64', seed: 'pgp', sizeBytes: 50_000 };
  const images = await makeRawImages({ ...series, dir: join(suite, 'pool'), stamps: dailyStamps(2) });
  mkdirSync(imagesDir);
  for (const image of images) linkSync(image, join(imagesDir, basename(image)));
  expect(await runCli(['--quiet', 'key', 'pgp-init', '--user-id', 'Images of ACME', key], ENV)).toMatchObject({
    code: 0,
  });
});

async function isGood(mirror: string, list: string, signature: string): Promise<boolean> {
  const read = (path: string) => readFileSync(join(mirror, path));
  const files = { data: read(list), signature: read(signature), keyring: read('KEY.gpg') };
  return isGoodForGpgv(await temporaryDirectory(), files);
}

/** Runs it with the passphrase in a pipe, which can be read once. */
async function runWithPipe(args: readonly string[]) {
  const program = join(projectRoot, 'bin', 'update-repository.js');
  const { UPDATE_REPOSITORY_PASSPHRASE: _unset, ...env } = process.env;
  const stdio = ['ignore', 'pipe', 'pipe', 'pipe'] as const;
  const child = spawn(process.execPath, [program, ...args, '--passphrase-fd', '3'], { stdio: [...stdio], env });
  (child.stdio[3] as NodeJS.WritableStream).end(`${PASSPHRASE}\n`);
  const { stdout, stderr } = child;
  if (stdout === null || stderr === null) throw new Error('no pipes');
  const [out, err] = await Promise.all([text(stdout), text(stderr), once(child, 'close')]);
  return { stdout: out, stderr: err, code: child.exitCode };
}

describe('key pgp-init', () => {
  it('makes a key that its owner alone may read, and says its fingerprint', async () => {
    const file = join(await temporaryDirectory(), 'new.asc');
    const args = ['--json', 'key', 'pgp-init', file, '--user-id', 'test', '--type', 'rsa3072', '--expires', '104w'];
    const { stdout, code } = await runCli(args, ENV);
    expect(code).toBe(0);
    const summary: KeySummaryEvent = JSON.parse(stdout);
    expect(summary).toMatchObject({ action: 'pgp-init', keys: file, files: [file] });
    expect(summary.fingerprint).toMatch(/^[0-9a-f]{40}$/);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readFileSync(file, 'latin1')).toMatch(/^-----BEGIN PGP PRIVATE KEY BLOCK-----/);
  });

  it('replaces no file, and makes none without a passphrase or with no time to live', async () => {
    const before = readFileSync(key);
    expect(await runCli(['key', 'pgp-init', key, '--user-id', 'test'], ENV)).toMatchObject({ code: 2 });
    expect(readFileSync(key)).toEqual(before);
    const file = join(await temporaryDirectory(), 'new.asc');
    expect(await runCli(['key', 'pgp-init', file, '--user-id', 'test'])).toMatchObject({ code: 2 });
    const { code, stderr } = await runCli(['key', 'pgp-init', file, '--user-id', 'test', '--expires', '0'], ENV);
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining('expected a duration above 0') });
    expect(existsSync(file)).toBe(false);
  });
});

describe.skipIf(!haveTools('gpg', 'gpg-agent', 'gpgconf', 'gpgv'))('with gpg', () => {
  const home = new GnupgHome();

  it('the exported key is imported, armored and binary, and no passphrase is needed for it', async () => {
    const dir = await temporaryDirectory();
    for (const name of ['public.asc', 'public.gpg']) {
      const { stdout, code } = await runCli(['--json', 'key', 'pgp-export', key, '--to', join(dir, name)]);
      expect(code).toBe(0);
      home.run(['--import'], readFileSync(join(dir, name)));
      expect(home.fingerprint('Images of ACME')).toBe((JSON.parse(stdout) as KeySummaryEvent).fingerprint);
      home.run(['--yes', '--delete-keys', '--', home.fingerprint('Images of ACME')]);
    }
    expect(readFileSync(join(dir, 'public.asc'), 'latin1')).toMatch(/^-----BEGIN PGP PUBLIC KEY BLOCK-----/);
  });

  it('build --gpg-key signs by its agent', async () => {
    const mirror = join(await temporaryDirectory(), 'mirror');
    home.makeKey('By gpg', 'rsa3072');
    const args = ['--quiet', 'build', ...BASE_URL, '--gpg-key', 'By gpg', imagesDir, mirror];
    expect(await runCli(args, { GNUPGHOME: home.path })).toMatchObject({ code: 0, stderr: '' });
    expect(await isGood(mirror, 'SHA256SUMS', 'SHA256SUMS.gpg')).toBe(true);
    expect(await isGood(mirror, 'CKSUMS', 'CKSUMS.asc')).toBe(true);
    const other = args.map((word) => (word === 'By gpg' ? 'Nobody' : word));
    const { code, stderr } = await runCli(other, { GNUPGHOME: home.path });
    expect(code).not.toBe(0);
    expect(stderr).toMatch(/gpg/);
  });
});

describe('build --pgp-key', () => {
  it('signs by one passphrase, asked for once, for the keys of --sign too', async (context) => {
    requireTools(context, 'gpgv');
    const dir = await temporaryDirectory();
    const [keys, mirror] = [join(dir, 'keys'), join(dir, 'mirror')];
    expect(await runCli(['--quiet', 'key', 'init', keys], ENV)).toMatchObject({ code: 0 });
    const args = ['build', '--quiet', ...BASE_URL, '--sign', keys, '--pgp-key', key, imagesDir, mirror];
    expect(await runWithPipe(args)).toMatchObject({ code: 0, stderr: '' });
    expect(await isGood(mirror, 'SHA256SUMS', 'SHA256SUMS.gpg')).toBe(true);
    expect(existsSync(join(mirror, 'metadata', 'timestamp.json'))).toBe(true);
    const files = ['SHA256SUMS.asc', 'KEY.gpg'];
    for (const path of files) rmSync(join(mirror, path));
    const refreshed = await runWithPipe(['refresh', '--json', '--sign', keys, '--pgp-key', key, mirror]);
    expect(JSON.parse(refreshed.stdout.trimEnd().split('\n').at(-1) ?? '')).toMatchObject({ written: files.reverse() });
    expect(await runCli(['verify', '--quiet', mirror])).toMatchObject({ code: 0, stderr: '' });
  });

  it('names the file that the passphrase does not open, and needs none where nothing is to be signed', async () => {
    const mirror = join(await temporaryDirectory(), 'mirror');
    const args = ['--quiet', 'build', ...BASE_URL, '--pgp-key', key, imagesDir, mirror];
    const wrong = await runCli(args, { UPDATE_REPOSITORY_PASSPHRASE: 'another' });
    expect(wrong.code).toBe(2);
    expect(wrong.stderr).toContain(`${key}: expected the passphrase of the key, found another one`);
    expect(await runCli(args, ENV)).toMatchObject({ code: 0, stderr: '' });
    expect(await runCli(args)).toMatchObject({ code: 0, stderr: '' });
  });

  it('takes one key alone, and refresh needs one', async () => {
    const mirror = join(await temporaryDirectory(), 'mirror');
    for (const flags of [
      ['--pgp-key', key, '--gpg-key', 'x'],
      ['--no-pgp', '--pgp-key', key],
    ]) {
      expect(await runCli([...flags, imagesDir, mirror])).toMatchObject({ code: 2 });
    }
    const { code, stderr } = await runCli(['refresh', mirror]);
    expect(code).toBe(2);
    expect(stderr).toContain('--pgp-key FILE');
    expect(existsSync(mirror)).toBe(false);
  });

  it('makes a mirror whose signatures verify and audit check where it is served', async () => {
    const mirror = join(await temporaryDirectory(), 'mirror');
    await runCli(['--quiet', 'build', ...BASE_URL, '--pgp-key', key, imagesDir, mirror], ENV);
    const url = await startWebServer(mirror);
    expect(await runCli(['verify', '--quiet', url])).toMatchObject({ code: 0, stderr: '' });
    expect(await runCli(['audit', '--quiet', url])).toMatchObject({ code: 0, stderr: '' });
    writeFileSync(join(mirror, 'SHA256SUMS.gpg'), flipped(readFileSync(join(mirror, 'SHA256SUMS.gpg')), 60));
    for (const command of ['verify', 'audit']) {
      const { code, stderr } = await runCli([command, '--quiet', url]);
      expect(code).toBe(3);
      expect(stderr).toContain('SHA256SUMS.gpg: mismatch: expected a good signature over SHA256SUMS by KEY.gpg');
    }
  });
});
