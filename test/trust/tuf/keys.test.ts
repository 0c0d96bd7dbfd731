import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { Key } from '@tufjs/models';
import { describe, expect, it } from 'vitest';
import { readKeyDirectory, saveKey, savePublicKey } from '../../../src/trust/tuf/key-directory.js';
import { openKeyFile, parseKeyFile, renderPublicKeyFile, sealKeyFile } from '../../../src/trust/tuf/key-file.js';
import { KeyRing } from '../../../src/trust/tuf/key-ring.js';
import { isSignatureOf } from '../../../src/trust/tuf/public-key.js';
import { SigningKey } from '../../../src/trust/tuf/signing-key.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';

const PASSPHRASE = 'correct horse battery staple';

/** A key with its PEM and all spellings of its secret that could leak. */
async function keyWithSecrets(type: 'ed25519' | 'ecdsa') {
  const made = SigningKey.generate(type);
  const { pem, secrets } = made.usePkcs8((der) => {
    const base64 = der.toString('base64');
    // The last bytes of an ed25519 key are the secret, and the middle ones of a P-256 key.
    const secret = type === 'ed25519' ? der.subarray(-32) : der.subarray(36, 68);
    return {
      pem: `-----BEGIN PRIVATE KEY-----\n${base64}\n-----END PRIVATE KEY-----\n`,
      secrets: [secret.toString('hex'), secret.toString('base64'), secret.toString('base64url'), base64.slice(-40)],
    };
  });
  return { made, pem, secrets };
}

describe.each(['ed25519', 'ecdsa'] as const)('a key of type %s', (type) => {
  it('signs what it and tuf-js verify', () => {
    const key = SigningKey.generate(type);
    const bytes = Buffer.from('some bytes');
    const signature = key.sign(bytes);
    expect(isSignatureOf(key.publicKey, bytes, signature)).toBe(true);
    expect(isSignatureOf(key.publicKey, Buffer.from('other bytes'), signature)).toBe(false);
    expect(isSignatureOf(SigningKey.generate(type).publicKey, bytes, signature)).toBe(false);
    expect(Key.fromJSON(key.id, { ...key.publicKey }).toJSON()).toEqual(key.publicKey);
  });

  it('comes from a PEM, and a PEM of anything else is refused without a word of it', async () => {
    const { made, pem, secrets } = await keyWithSecrets(type);
    expect(SigningKey.fromPem(pem, 'TUF_KEY').id).toBe(made.id);
    const broken = pem.replace('MC4C', 'XXXX').replace('MIGH', 'XXXX');
    const error = await Promise.resolve()
      .then(() => SigningKey.fromPem(broken, 'TUF_KEY'))
      .catch((error: unknown) => error);
    expect(error).toMatchObject({ code: 'CONFIG', message: expect.stringMatching(/^TUF_KEY: expected a private key/) });
    for (const secret of secrets) expect(inspect(error, { depth: 9, showHidden: true })).not.toContain(secret);
  });

  it('shows its public half alone, however it is looked at', async () => {
    const { pem, secrets } = await keyWithSecrets(type);
    const key = SigningKey.fromPem(pem, 'TUF_KEY');
    const looks = [
      inspect(key, { depth: 9, showHidden: true }),
      inspect({ keys: [key] }, { depth: 9, customInspect: false, showHidden: true }),
      JSON.stringify({ key }),
      String(key),
      JSON.stringify({ ...key }),
      JSON.stringify(Object.getOwnPropertyNames(key)),
    ];
    for (const look of looks) {
      for (const secret of secrets) expect(look).not.toContain(secret);
      expect(look).not.toMatch(/private/i);
    }
  });

  it('is kept encrypted in a file of its own, and comes back by its passphrase alone', async () => {
    const { pem, secrets } = await keyWithSecrets(type);
    const key = SigningKey.fromPem(pem, 'TUF_KEY');
    const directory = join(await temporaryDirectory(), 'keys');
    const path = await saveKey(directory, key, ['snapshot', 'timestamp'], PASSPHRASE);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(statSync(directory).mode & 0o777).toBe(0o700);
    expect(readdirSync(directory)).toEqual([`${key.id}.json`]);
    for (const secret of secrets) expect(readFileSync(path, 'utf8')).not.toContain(secret);
    const [file] = await readKeyDirectory(directory);
    expect(file).toMatchObject({ id: key.id, roles: ['snapshot', 'timestamp'], publicKey: key.publicKey });
    const opened = await openKeyFile(file!, PASSPHRASE);
    expect(isSignatureOf(key.publicKey, Buffer.from('x'), opened.sign(Buffer.from('x')))).toBe(true);
    await expect(openKeyFile(file!, `${PASSPHRASE} `)).rejects.toMatchObject({
      code: 'CONFIG',
      message: `${path}: expected its passphrase, found another one or a damaged file`,
    });
  });
});

describe('a key file', () => {
  it('does not open when a digit of it, or a role, is another one', async () => {
    const key = SigningKey.generate('ed25519');
    const text = await sealKeyFile(key, ['snapshot'], PASSPHRASE);
    const { private: secret, ...rest } = JSON.parse(text);
    const flip = (hex: string) => hex.replace(/.$/, (digit) => (digit === '0' ? '1' : '0'));
    for (const member of ['salt', 'nonce', 'tag', 'ciphertext']) {
      const changed = { ...rest, private: { ...secret, [member]: flip(secret[member]) } };
      const file = parseKeyFile(JSON.stringify(changed), 'a.json');
      await expect(openKeyFile(file, PASSPHRASE), member).rejects.toMatchObject({ code: 'CONFIG' });
    }
    const file = parseKeyFile(JSON.stringify({ ...rest, roles: ['root'], private: secret }), 'a.json');
    await expect(openKeyFile(file, PASSPHRASE)).rejects.toMatchObject({ code: 'CONFIG' });
  });

  it('tells what a guess at its passphrase costs, and opens by that alone', async () => {
    const key = SigningKey.generate('ed25519');
    const file = JSON.parse(await sealKeyFile(key, ['snapshot'], PASSPHRASE, 2 ** 14));
    expect(file.private.n).toBe(2 ** 14);
    expect((await openKeyFile(parseKeyFile(JSON.stringify(file), 'a.json'), PASSPHRASE)).id).toBe(key.id);
    const other = { ...file, private: { ...file.private, n: 2 ** 15 } };
    await expect(openKeyFile(parseKeyFile(JSON.stringify(other), 'a.json'), PASSPHRASE)).rejects.toMatchObject({
      code: 'CONFIG',
    });
    expect(JSON.parse(await sealKeyFile(key, ['snapshot'], PASSPHRASE)).private.n).toBe(2 ** 17);
  });

  it('is refused when its public half, its id or a number is another one', async () => {
    const [key, other] = [SigningKey.generate('ed25519'), SigningKey.generate('ecdsa')];
    const file = JSON.parse(await sealKeyFile(key, ['snapshot'], PASSPHRASE));
    const refusals: [object, RegExp][] = [
      [{ keyid: other.id }, /keyid: expected the id of its key/],
      [{ key: other.publicKey }, /keyid: expected the id of its key/],
      [{ key: { ...key.publicKey, keytype: 'ecdsa' } }, /key: expected an ed25519 key/],
      [{ key: { ...key.publicKey, keyval: { public: 'ab' } } }, /key: expected an ed25519 key/],
      [{ format: 2 }, /format: expected/],
      [{ roles: ['boss'] }, /roles\[0\]: expected one of root, targets/],
      [{ roles: ['root', 'root'] }, /roles\[1\]: expected every role once/],
      [{ more: 1 }, /more: expected no such member/],
      [{ private: { ...file.private, n: 2 ** 13 } }, /n: expected one of 16384, 32768, /],
      [{ private: { ...file.private, n: 2 ** 17 + 1 } }, /n: expected one of 16384, 32768, .*, 1048576, found 131073/],
      [{ private: { ...file.private, n: 2 ** 30 } }, /n: expected one of 16384, 32768, /],
      [{ private: { ...file.private, tag: 'abcd' } }, /tag: expected 32 hex digits/],
    ];
    for (const [change, message] of refusals) {
      const text = JSON.stringify({ ...file, ...change });
      expect(() => parseKeyFile(text, 'a.json'), String(message)).toThrow(message);
    }
  });

  it('may hold the public half alone, which does not open', async () => {
    const directory = await temporaryDirectory();
    const key = SigningKey.generate('ecdsa');
    const path = await savePublicKey(directory, key.publicKey, ['root']);
    const [file] = await readKeyDirectory(directory);
    expect(file?.sealed).toBeNull();
    await expect(openKeyFile(file!, PASSPHRASE)).rejects.toThrow(`${path}: expected a private key, found the public`);
  });
});

describe('a directory of keys', () => {
  it('leaves other files alone, and refuses a key under the id of another', async () => {
    const directory = await temporaryDirectory();
    const [key, other] = [SigningKey.generate('ed25519'), SigningKey.generate('ed25519')];
    writeFileSync(join(directory, 'README'), 'keys');
    expect(await readKeyDirectory(directory)).toEqual([]);
    writeFileSync(join(directory, `${other.id}.json`), renderPublicKeyFile(key.publicKey, ['root']));
    await expect(readKeyDirectory(directory)).rejects.toThrow(`expected the key that it is named by, found ${key.id}`);
    await expect(readKeyDirectory(join(directory, 'none'))).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('may be one key alone, by the path of its file', async () => {
    const directory = await temporaryDirectory();
    const [key, other] = [SigningKey.generate('ed25519'), SigningKey.generate('ed25519')];
    for (const made of [key, other]) await savePublicKey(directory, made.publicKey, ['timestamp']);
    const file = join(directory, `${key.id}.json`);
    expect((await readKeyDirectory(file)).map(({ id }) => id)).toEqual([key.id]);
    expect((await KeyRing.open(file, null)).files.map(({ id }) => id)).toEqual([key.id]);
    rmSync(file);
    await expect(readKeyDirectory(file)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });
});
