import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { openGpgSigner } from '../../../src/trust/openpgp/gpg-signer.js';
import { runGpg } from '../../../src/trust/openpgp/run-gpg.js';
import { PASSPHRASE_VARIABLE, Passphrase } from '../../../src/trust/passphrase.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';
import { haveTools, pathOfTool } from '../../support/tools.js';
import { GnupgHome, isGoodForGpgv, standIn } from './gnupg.js';

const secret = 'correct horse battery';
const passphrase = new Passphrase(secret, 'test');
const settings = { passphrase: null, timeoutMs: 60_000, signal: new AbortController().signal };

async function putInTheWay(script: string): Promise<string> {
  const folder = await temporaryDirectory();
  vi.stubEnv('PATH', `${standIn(folder, script)}:${process.env.PATH}`);
  return folder;
}

afterEach(() => {
  vi.unstubAllEnvs();
});

describe.skipIf(!haveTools('gpg', 'gpg-agent', 'gpgconf', 'gpgv'))('signing by gpg', () => {
  const home = new GnupgHome();

  beforeAll(() => {
    home.makeKey('Locked', 'ed25519', secret);
    home.makeKey('Open one', 'ed25519');
    home.makeKey('Open too', 'ed25519');
  });

  it('gives a passphrase to the agent by a file descriptor: no argument and no variable has it', async () => {
    vi.stubEnv('GNUPGHOME', home.path);
    vi.stubEnv(PASSPHRASE_VARIABLE, secret);
    const folder = await temporaryDirectory();
    const seen = join(folder, 'seen');
    await putInTheWay(`cat /proc/$$/cmdline /proc/$$/environ >>'${seen}'\nexec '${pathOfTool('gpg')}' "$@"`);
    const signer = await openGpgSigner('Locked', { ...settings, passphrase });
    const signature = await signer.sign(Buffer.from('text'), 'armored');
    const keyring = signer.publicKey.binary;
    expect(isGoodForGpgv(folder, { data: Buffer.from('text'), signature, keyring })).toBe(true);
    const text = await readFile(seen, 'latin1');
    expect(text).toContain('--detach-sign\0');
    expect(text).toContain(`GNUPGHOME=${home.path}\0`);
    expect(text).not.toContain(secret);
  });

  it('says what gpg says of another passphrase, and not the passphrase', async () => {
    vi.stubEnv('GNUPGHOME', home.path);
    const wrong = new Passphrase('incorrect horse', 'test');
    home.forgetPassphrases();
    const signer = await openGpgSigner('Locked', { ...settings, passphrase: wrong });
    const error = await signer.sign(Buffer.from('text'), 'binary').catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'IO' });
    expect(String(error)).toMatch(/gpg: expected it to succeed, found exit code 2, saying "gpg: signing failed: .*"$/);
    expect(inspect(error, { depth: 20, showHidden: true })).not.toContain('incorrect horse');
  });

  it.each([
    ['Nobody', 'CONFIG', 'gpg key "Nobody": expected it in the keyring, found no such key'],
    ['Open', 'FORMAT', 'gpg key "Open": expected one public OpenPGP key, found 2'],
    ['--help', 'CONFIG', 'gpg key "--help": expected it in the keyring, found no such key'],
    ['', 'CONFIG', '--gpg-key: expected the name of a key, found ""'],
  ])('wants the name of one key: not %j', async (keyId, code, message) => {
    vi.stubEnv('GNUPGHOME', home.path);
    await expect(openGpgSigner(keyId, settings)).rejects.toMatchObject({ code, message });
  });

  it('by the subkey that is chosen with a "!"', async () => {
    vi.stubEnv('GNUPGHOME', home.path);
    const primary = home.makeKey('Chosen', 'ed25519');
    home.run(['--passphrase-fd', '0', '--quick-add-key', primary, 'rsa3072', 'sign'], '\n');
    const byPrimary = await openGpgSigner(`${primary}!`, settings);
    const bySubkey = await openGpgSigner(primary, settings);
    const data = Buffer.from('text');
    // An ed25519 signature is short, one of RSA is long.
    expect((await byPrimary.sign(data, 'binary')).length).toBeLessThan(200);
    const signature = await bySubkey.sign(data, 'binary');
    expect(signature.length).toBeGreaterThan(400);
    expect(isGoodForGpgv(await temporaryDirectory(), { data, signature, keyring: bySubkey.publicKey.binary })).toBe(
      true,
    );
  });

  it('refuses a signature that does not verify', async () => {
    vi.stubEnv('GNUPGHOME', home.path);
    const gpg = pathOfTool('gpg');
    await putInTheWay(`case "$*" in *--detach-sign*) echo other | '${gpg}' "$@";; *) exec '${gpg}' "$@";; esac`);
    const signer = await openGpgSigner('Open too', settings);
    await expect(signer.sign(Buffer.from('text'), 'binary')).rejects.toMatchObject({
      code: 'VERIFICATION',
      message: expect.stringMatching(/^gpg key [0-9a-f]{40}: expected a good signature by SHA-256 or better, found /),
    });
  });
});

describe('a gpg process', () => {
  it('that hangs is ended with what it started, and its time is said', async () => {
    const folder = await putInTheWay('sleep 600 & echo $! $$ >"$0.pids"; wait');
    const started = Date.now();
    const run = runGpg(['--version'], randomBytes(1 << 20), { ...settings, timeoutMs: 5000 });
    await expect(run).rejects.toMatchObject({
      code: 'IO',
      message: 'gpg: expected it to succeed, found nothing after 5 s',
    });
    expect(Date.now() - started).toBeLessThan(20_000);
    await expectGone(join(folder, 'gpg.pids'));
  });

  it('that left its group with its output open is not waited for', async () => {
    const folder = await putInTheWay('setsid sleep 30 & echo $! >"$0.pids"; exit 0');
    const started = Date.now();
    const run = runGpg(['--version'], new Uint8Array(), { ...settings, timeoutMs: 5000 });
    await expect(run).rejects.toMatchObject({ code: 'IO' });
    expect(Date.now() - started).toBeLessThan(20_000);
    process.kill(Number(await readFile(join(folder, 'gpg.pids'), 'utf8')), 'SIGKILL');
  });

  it('is ended when the caller stops', async () => {
    const folder = await putInTheWay('echo $$ >"$0.pids"; exec sleep 600');
    const stopper = new AbortController();
    const run = runGpg([], new Uint8Array(), { ...settings, signal: stopper.signal });
    const ended = expect(run).rejects.toMatchObject({ code: 'INTERRUPTED' });
    const pids = async () => expect(await readFile(join(folder, 'gpg.pids'), 'utf8')).toMatch(/\n$/);
    await vi.waitFor(pids, { timeout: 30_000 });
    stopper.abort();
    await ended;
    await expectGone(join(folder, 'gpg.pids'));
  });

  it('that writes without end is ended', async () => {
    await putInTheWay('exec cat /dev/zero');
    const run = runGpg([], new Uint8Array(), settings);
    await expect(run).rejects.toMatchObject({ message: 'gpg: expected it to succeed, found more than 1048576 bytes' });
  });

  it('that fails is quoted with its last line', async () => {
    await putInTheWay('printf "gpg: first\\ngpg: no pinentry\\n" >&2; exit 2');
    await expect(runGpg([], new Uint8Array(), settings)).rejects.toMatchObject({
      code: 'IO',
      message: 'gpg: expected it to succeed, found exit code 2, saying "gpg: no pinentry"',
    });
  });

  it('that is not there is said to be missing', async () => {
    vi.stubEnv('PATH', await temporaryDirectory());
    await expect(runGpg([], new Uint8Array(), settings)).rejects.toMatchObject({
      code: 'IO',
      message: 'gpg: expected it to succeed, found no such program',
    });
  });
});

async function expectGone(pidsFile: string): Promise<void> {
  const pids = (await readFile(pidsFile, 'utf8')).trim().split(' ').map(Number);
  expect(pids.length).toBeGreaterThan(0);
  await vi.waitFor(
    () => {
      for (const pid of pids) expect(() => process.kill(pid, 0)).toThrow('ESRCH');
    },
    { timeout: 30_000 },
  );
}
