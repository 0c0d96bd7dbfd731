import { chmod, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { generateKey, readPrivateKey, type SecretKeyPacket } from 'openpgp';
import { describe, expect, it } from 'vitest';
import { UpdateRepositoryError } from '../../../src/errors.js';
import { generateSecretKey, type NewKey } from '../../../src/trust/openpgp/generate-key.js';
import { openKeySigner } from '../../../src/trust/openpgp/key-signer.js';
import { parsePublicKey } from '../../../src/trust/openpgp/public-key.js';
import { MAX_SIGNED_BYTES, type Signer } from '../../../src/trust/openpgp/signer.js';
import { findSignatureFault } from '../../../src/trust/openpgp/verify.js';
import { Passphrase } from '../../../src/trust/passphrase.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';
import { haveTools } from '../../support/tools.js';
import { GnupgHome } from './gnupg.js';

const secret = 'correct horse battery';
const passphrase = new Passphrase(secret, 'test');
const now = new Date('2026-05-01T12:00:00Z');
const newKey: NewKey = {
  algorithm: 'ed25519',
  userId: 'Mirror of ACME (images)',
  created: new Date('2026-01-01T00:00:00Z'),
  expires: null,
  passphrase,
};

function open(path: string, at = now, answer = passphrase): Promise<Signer> {
  return openKeySigner({ path, askPassphrase: async () => answer, now: () => at });
}

/** Nobody is to be asked. */
function openUnasked(path: string): Promise<Signer> {
  return openKeySigner({ path, askPassphrase: () => expect.unreachable('it asked'), now: () => new Date() });
}

async function failureOf(promise: Promise<unknown>): Promise<UpdateRepositoryError> {
  const error = await promise.then(
    () => expect.unreachable('it succeeded'),
    (reason: unknown) => reason,
  );
  if (!(error instanceof UpdateRepositoryError)) throw error;
  const shown = inspect(error, { depth: 20, showHidden: true }) + JSON.stringify(error);
  expect(shown).not.toContain(secret);
  return error;
}

describe('a new key', () => {
  it('is locked, armored and readable by its owner alone, whatever the umask', async () => {
    const path = join(await temporaryDirectory(), 'mirror.asc');
    const before = process.umask(0);
    const publicKey = await generateSecretKey(path, newKey).finally(() => process.umask(before));
    expect((await stat(path)).mode & 0o7777).toBe(0o600);
    const text = await readFile(path, 'utf8');
    expect(text).toMatch(/^-----BEGIN PGP PRIVATE KEY BLOCK-----\n/);
    const key = await readPrivateKey({ armoredKey: text });
    expect(key.isDecrypted()).toBe(false);
    expect(key.getUserIDs()).toEqual([newKey.userId]);
    expect(key.getFingerprint()).toBe(publicKey.fingerprint);
    expect(key.subkeys).toEqual([]);
    expect(publicKey.armored).toMatch(/^-----BEGIN PGP PUBLIC KEY BLOCK-----\n/);
  });

  it('never takes the place of a file', async () => {
    const path = join(await temporaryDirectory(), 'mirror.asc');
    await writeFile(path, 'precious');
    const error = await failureOf(generateSecretKey(path, newKey));
    expect(error.code).toBe('CONFIG');
    expect(error.message).toBe(`${path}: expected a new file for the secret key, found one`);
    expect(await readFile(path, 'utf8')).toBe('precious');
  });

  it('leaves nothing where it cannot be written', async () => {
    const path = join(await temporaryDirectory(), 'none', 'mirror.asc');
    expect((await failureOf(generateSecretKey(path, newKey))).code).toBe('NOT_FOUND');
  });

  it('signs until it expires', async () => {
    const path = join(await temporaryDirectory(), 'mirror.asc');
    await generateSecretKey(path, { ...newKey, expires: new Date('2026-06-01T00:00:00Z') });
    const signature = await (await open(path)).sign(Buffer.from('text'), 'binary');
    expect(signature.length).toBeGreaterThan(100);
    const late = await failureOf(open(path, new Date('2026-06-02T00:00:00Z')));
    expect(late.message).toMatch(/^.*mirror\.asc: expected a key that can sign, found ".*expired/);
    const early = await failureOf(open(path, new Date('2025-06-02T00:00:00Z')));
    expect(early.message).toMatch(/^.*mirror\.asc: expected a key that can sign, found /);
  });

  it.each([
    ['', '""'],
    ['a\nb', '"a\\nb"'],
    ['x'.repeat(256), '256 bytes, more than 255'],
  ])('has no user id like %j', async (userId, found) => {
    const path = join(await temporaryDirectory(), 'mirror.asc');
    const error = await failureOf(generateSecretKey(path, { ...newKey, userId }));
    expect(error.message).toBe(`user id: expected one line, found ${found}`);
  });

  it('does not expire before it begins', async () => {
    const path = join(await temporaryDirectory(), 'mirror.asc');
    const error = await failureOf(generateSecretKey(path, { ...newKey, expires: newKey.created }));
    expect(error.message).toMatch(/^expiry: expected a time within 136 years after 2026-01-01/);
  });
});

describe('a secret key', () => {
  it('with another passphrase is not unlocked, and the message names the file alone', async () => {
    const path = join(await temporaryDirectory(), 'mirror.asc');
    await generateSecretKey(path, newKey);
    const wrong = 'incorrect horse';
    const error = await failureOf(open(path, now, new Passphrase(wrong, 'test')));
    expect(error.code).toBe('CONFIG');
    expect(error.message).toBe(`${path}: expected the passphrase of the key, found another one`);
    expect(inspect(error, { depth: 20, showHidden: true })).not.toContain(wrong);
  });

  it('is read in its binary form, too', async () => {
    const folder = await temporaryDirectory();
    const { fingerprint } = await generateSecretKey(join(folder, 'mirror.asc'), newKey);
    const key = await readPrivateKey({ armoredKey: await readFile(join(folder, 'mirror.asc'), 'utf8') });
    await writeFile(join(folder, 'mirror.gpg'), key.write());
    expect((await open(join(folder, 'mirror.gpg'))).publicKey.fingerprint).toBe(fingerprint);
  });

  it('is not shown by what holds it unlocked', async () => {
    const folder = await temporaryDirectory();
    const path = join(folder, 'mirror.asc');
    const { privateKey } = await generateKey({
      userIDs: { name: 'x' },
      type: 'ecc',
      curve: 'ed25519Legacy',
      format: 'object',
    });
    await writeFile(path, privateKey.armor());
    const { seed } = (privateKey.keyPacket as SecretKeyPacket).privateParams as { seed: Uint8Array };
    const shown = inspect(await openUnasked(path), {
      depth: 20,
      showHidden: true,
      maxArrayLength: null,
      getters: true,
    });
    expect(shown).toContain('fingerprint');
    expect(shown).not.toContain('PrivateKey');
    expect(shown).not.toContain(inspect(seed, { maxArrayLength: null }).slice(20, 60));
  });

  it.each([
    ['text', 'nothing of the kind'],
    ['bytes', Buffer.from([0xc5, 0x03, 1, 2, 3])],
    ['nothing', ''],
  ])('of %s is refused by the name of its file', async (_, content) => {
    const path = join(await temporaryDirectory(), 'mirror.asc');
    await writeFile(path, content);
    const error = await failureOf(open(path));
    expect(error.code).toBe('FORMAT');
    expect(error.message).toMatch(/^\S+\/mirror\.asc: expected one secret OpenPGP key, found /);
    expect(error.message).not.toContain('\n');
  });

  it('that is a public one, too large, or not there is refused', async () => {
    const folder = await temporaryDirectory();
    const publicKey = await generateSecretKey(join(folder, 'mirror.asc'), newKey);
    const path = join(folder, 'KEY.asc');
    await writeFile(path, publicKey.armored);
    expect((await failureOf(open(path))).code).toBe('FORMAT');
    await writeFile(path, Buffer.alloc(1024 * 1024 + 1));
    expect((await failureOf(open(path))).message).toMatch(/found 1048577 bytes$/);
    expect((await failureOf(open(join(folder, 'none')))).code).toBe('NOT_FOUND');
  });

  it.each([
    ['RSA with 2048 bits', { type: 'rsa', rsaBits: 2048 }],
    ['ecdsa on nistP256', { type: 'ecc', curve: 'nistP256' }],
    ['ed25519', { type: 'curve25519' }],
    ['version 6', { type: 'curve25519', config: { v6Keys: true } }],
  ] as const)('of %s is refused', async (found, options) => {
    const path = join(await temporaryDirectory(), 'mirror.asc');
    const { privateKey } = await generateKey({ ...options, userIDs: { name: 'x' }, format: 'object' });
    await writeFile(path, privateKey.armor());
    const error = await failureOf(openUnasked(path));
    expect(error.code).toBe('CONFIG');
    expect(error.message).toBe(
      `${path}: expected a version 4 key of RSA with 3072 bits or more, or of ed25519 as EdDSA, found ${found}`,
    );
  });

  it('signs no more than 64 MiB', async () => {
    const path = join(await temporaryDirectory(), 'mirror.asc');
    await generateSecretKey(path, newKey);
    const signer = await open(path);
    const error = await failureOf(signer.sign(Buffer.alloc(MAX_SIGNED_BYTES + 1), 'binary'));
    expect(error.message).toBe('signature: expected at most 67108864 bytes to sign, found 67108865');
  });
});

describe.skipIf(!haveTools('gpg', 'gpg-agent', 'gpgconf'))("a secret key of gpg's", () => {
  const home = new GnupgHome();

  async function exported(userId: string, what?: string): Promise<string> {
    const path = join(await temporaryDirectory(), 'mirror.gpg');
    await writeFile(path, home.exportSecretKey(userId, secret, what));
    await chmod(path, 0o600);
    return path;
  }

  it.each(['ed25519', 'rsa3072'])('of %s is unlocked and signs', async (algorithm) => {
    const fingerprint = home.makeKey(`Whole ${algorithm}`, algorithm, secret);
    const signer = await open(await exported(fingerprint), new Date());
    expect(signer.publicKey.fingerprint).toBe(fingerprint);
    const signature = await signer.sign(Buffer.from('text'), 'binary');
    const key = await parsePublicKey(signer.publicKey.binary, 'test');
    expect(await findSignatureFault(signature, 'binary', Buffer.from('text'), key, new Date())).toBeNull();
  });

  it('signs by its subkey where the primary key stayed elsewhere, but not where the subkey did', async () => {
    const fingerprint = home.makeKey('Offline', 'ed25519', secret, 'cert');
    home.run(['--passphrase-fd', '0', '--quick-add-key', fingerprint, 'ed25519', 'sign'], `${secret}\n`);
    const signer = await open(await exported(fingerprint, '--export-secret-subkeys'), new Date());
    const signature = await signer.sign(Buffer.from('text'), 'binary');
    const key = await parsePublicKey(home.run(['--export', fingerprint]), 'test');
    expect(await findSignatureFault(signature, 'binary', Buffer.from('text'), key, new Date())).toBeNull();

    const stub = home.makeKey('Stub', 'ed25519', secret);
    home.run(['--passphrase-fd', '0', '--quick-add-key', stub, 'cv25519', 'encr'], `${secret}\n`);
    const error = await failureOf(open(await exported(stub, '--export-secret-subkeys'), new Date()));
    expect(error.message).toMatch(/mirror\.gpg: expected the secret key that signs, found a stub of it$/);
  });

  it('made by us is imported by gpg, which signs with it', async () => {
    const path = join(await temporaryDirectory(), 'mirror.asc');
    const { fingerprint } = await generateSecretKey(path, newKey);
    home.run(['--import'], await readFile(path));
    home.run(['--passphrase-fd', '0', '--local-user', fingerprint, '--detach-sign'], `${secret}\n`);
  });
});
