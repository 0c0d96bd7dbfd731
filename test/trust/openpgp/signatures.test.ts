import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { generateSecretKey, type KeyAlgorithm } from '../../../src/trust/openpgp/generate-key.js';
import { openGpgSigner } from '../../../src/trust/openpgp/gpg-signer.js';
import { openKeySigner } from '../../../src/trust/openpgp/key-signer.js';
import { parsePublicKey } from '../../../src/trust/openpgp/public-key.js';
import type { SignatureForm, Signer } from '../../../src/trust/openpgp/signer.js';
import { findSignatureFault } from '../../../src/trust/openpgp/verify.js';
import { Passphrase } from '../../../src/trust/passphrase.js';
import { temporaryDirectory, temporaryDirectoryOfSuite } from '../../support/temporary-directory.js';
import { haveTools } from '../../support/tools.js';
import { flipped, GnupgHome, isGoodForGpgv } from './gnupg.js';

const passphrase = new Passphrase('correct horse', 'test');
const data = Buffer.from(`${'0'.repeat(64)}  puavo-os-acme-sid-2024-01-01-060000-amd64.img\n`.repeat(1000));
const forms: readonly SignatureForm[] = ['binary', 'armored'];

async function keySigner(directory: string, algorithm: KeyAlgorithm): Promise<Signer> {
  const path = join(directory, `${algorithm}.asc`);
  const created = new Date(Date.now() - 60_000);
  await generateSecretKey(path, {
    algorithm,
    userId: 'Mirror',
    created,
    expires: null,
    passphrase,
  });
  return openKeySigner({ path, askPassphrase: async () => passphrase, now: () => new Date() });
}

describe.skipIf(!haveTools('gpg', 'gpg-agent', 'gpgconf', 'gpgv'))('signatures', () => {
  const directory = temporaryDirectoryOfSuite();
  const home = new GnupgHome();
  const settings = { passphrase: null, timeoutMs: 60_000, signal: new AbortController().signal };
  const signers = new Map<string, Signer>();

  beforeAll(async () => {
    vi.stubEnv('GNUPGHOME', home.path);
    home.makeKey('Agent A', 'ed25519');
    home.makeKey('Agent B', 'rsa3072');
    signers.set('our ed25519', await keySigner(directory, 'ed25519'));
    signers.set('our RSA', await keySigner(directory, 'rsa3072'));
    signers.set("gpg's ed25519", await openGpgSigner('Agent A', settings));
    signers.set("gpg's RSA", await openGpgSigner('Agent B', settings));
    return () => vi.unstubAllEnvs();
  });

  const signerOf = (name: string): Signer => signers.get(name) ?? expect.unreachable(name);
  const cases = ['our ed25519', 'our RSA', "gpg's ed25519", "gpg's RSA"].flatMap((name) =>
    forms.map((form) => [form, name] as const),
  );

  it.each(cases)('of the form %s by %s are good for gpgv and for us, and for no other byte', async (form, name) => {
    const signer = signerOf(name);
    const folder = await temporaryDirectory();
    const keyring = signer.publicKey.binary;
    const key = await parsePublicKey(keyring, 'test');
    const signature = await signer.sign(data, form);
    const faultOf = (bytes: Uint8Array, over: Uint8Array) => findSignatureFault(bytes, form, over, key, new Date());

    expect(isGoodForGpgv(folder, { data, signature, keyring })).toBe(true);
    expect(await faultOf(signature, data)).toBeNull();

    for (const other of [flipped(data, 0), flipped(data, -1), data.subarray(0, -1), Buffer.concat([data, data])]) {
      expect(isGoodForGpgv(folder, { data: other, signature, keyring })).toBe(false);
      expect(await faultOf(signature, other)).not.toBeNull();
    }
    const middle = signature.length >> 1;
    for (const damaged of [flipped(signature, middle), flipped(signature, 3), signature.subarray(0, middle)]) {
      expect(isGoodForGpgv(folder, { data, signature: damaged, keyring })).toBe(false);
      expect(await faultOf(damaged, data)).not.toBeNull();
    }
  });

  it.each(['our ed25519', 'our RSA'])('by %s are the same for the same bytes and time', async (name) => {
    const path = join(directory, name === 'our RSA' ? 'rsa3072.asc' : 'ed25519.asc');
    const wholeSecond = Math.floor(Date.now() / 1e6) * 1e6 + 1e6;
    const [first, second] = await Promise.all(
      [0, 999].map(async (ms) => {
        const now = () => new Date(wholeSecond + ms);
        return (await openKeySigner({ path, askPassphrase: async () => passphrase, now })).sign(data, 'binary');
      }),
    );
    expect(first).toEqual(second);
  });

  it('of ed25519 are good for gpgv where a part of them begins with zeros', async () => {
    const signer = signerOf('our ed25519');
    const folder = await temporaryDirectory();
    for (let count = 0; count < 4000; count++) {
      const bytes = Buffer.from(`text ${count}`);
      const signature = await signer.sign(bytes, 'binary');
      // 119 bytes where both parts have all of their 256 bits or a few less.
      if (signature.length >= 119) continue;
      expect(isGoodForGpgv(folder, { data: bytes, signature, keyring: signer.publicKey.binary })).toBe(true);
      return;
    }
    expect.unreachable('no such signature');
  });

  it('are not good by another key', async () => {
    const folder = await temporaryDirectory();
    const signature = await signerOf('our RSA').sign(data, 'binary');
    const { binary: keyring } = signerOf('our ed25519').publicKey;
    expect(isGoodForGpgv(folder, { data, signature, keyring })).toBe(false);
    const key = await parsePublicKey(keyring, 'test');
    expect(await findSignatureFault(signature, 'binary', data, key, new Date())).toMatch(/Could not find signing key/);
  });

  it('from the future, and of the other form, are not good', async () => {
    const signer = signerOf('our ed25519');
    const key = await parsePublicKey(signer.publicKey.binary, 'test');
    const signature = await signer.sign(data, 'binary');
    const before = new Date(Date.now() - 5000);
    expect(await findSignatureFault(signature, 'binary', data, key, before)).toMatch(/future/);
    expect(await findSignatureFault(signature, 'armored', data, key, new Date())).not.toBeNull();
  });

  it('with more than one signature, of a text, or by SHA-1 are not taken', async () => {
    const key = await parsePublicKey(signerOf("gpg's RSA").publicKey.binary, 'test');
    const faultOf = (signature: Uint8Array) => findSignatureFault(signature, 'binary', data, key, new Date());
    const signature = home.run(['-u', 'Agent B', '--detach-sign'], data);
    expect(await faultOf(signature)).toBeNull();
    expect(await faultOf(Buffer.concat([signature, signature]))).toBe('2 signatures');
    expect(await faultOf(home.run(['-u', 'Agent B', '--textmode', '--detach-sign'], data))).toMatch(/another type/);
    expect(await faultOf(home.run(['-u', 'Agent B', '--digest-algo', 'SHA1', '--detach-sign'], data))).toMatch(
      /weaker/,
    );
    expect(await faultOf(home.run(['-u', 'Agent B', '--digest-algo', 'SHA256', '--detach-sign'], data))).toBeNull();
    expect(await faultOf(Buffer.concat([signature, Buffer.from([0])]))).not.toBeNull();
  });
});

describe.skipIf(!haveTools('gpg', 'gpg-agent', 'gpgconf', 'gpgv'))('an exported key', () => {
  const directory = temporaryDirectoryOfSuite();
  const home = new GnupgHome();

  it.each(['ed25519', 'rsa3072'] as const)('of %s is imported by gpg in both forms', async (algorithm) => {
    const { publicKey } = await keySigner(directory, algorithm);
    for (const form of [publicKey.binary, publicKey.armored]) {
      home.run(['--import'], form);
      expect(home.fingerprint(publicKey.fingerprint)).toBe(publicKey.fingerprint);
      home.run(['--yes', '--delete-keys', publicKey.fingerprint]);
    }
  });

  it('with a flipped byte is no key for gpgv, nor for gpg', async () => {
    const signer = await keySigner(directory, 'rsa4096');
    const signature = await signer.sign(data, 'binary');
    const folder = await temporaryDirectory();
    const keyring = signer.publicKey.binary;
    expect(isGoodForGpgv(folder, { data, signature, keyring })).toBe(true);
    const damaged = flipped(keyring, 100);
    expect(isGoodForGpgv(folder, { data, signature, keyring: damaged })).toBe(false);
    const { stderr } = spawnSync('gpg', ['--batch', '--import'], { env: home.env, input: damaged, encoding: 'utf8' });
    expect(stderr).toMatch(/no valid user IDs|skipped|invalid/);
    expect(home.run(['--with-colons', '--list-keys']).toString()).not.toMatch(/^pub/m);
  });
});
