import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { generateSecretKey } from '../../../src/trust/openpgp/generate-key.js';
import { openKeySigner } from '../../../src/trust/openpgp/key-signer.js';
import { parsePublicKey } from '../../../src/trust/openpgp/public-key.js';
import { isSignature, type SignedLists, signaturesBeside, signLists } from '../../../src/trust/openpgp/sign-lists.js';
import type { SignatureForm, Signer } from '../../../src/trust/openpgp/signer.js';
import { findSignatureFault } from '../../../src/trust/openpgp/verify.js';
import { Passphrase } from '../../../src/trust/passphrase.js';
import { temporaryDirectory, temporaryDirectoryOfSuite } from '../../support/temporary-directory.js';
import { requireTools } from '../../support/tools.js';
import { flipped, isGoodForGpgv } from './gnupg.js';

const texts = new Map([
  ['meta/acme-sid.json', '{"images":[]}\n'],
  ['CKSUMS', '1 2 a.img\n'],
  ['SHA256SUMS', `${'0'.repeat(64)}  a.img\n`],
  ['rdiffs/SHA256SUMS', `${'0'.repeat(64)}  a.rdiff\n`],
  ['index.json', '{}\n'],
]);
const sums = ['SHA256SUMS.gpg', 'SHA256SUMS.asc', 'rdiffs/SHA256SUMS.gpg', 'rdiffs/SHA256SUMS.asc'];
const all = ['KEY.gpg', 'meta/acme-sid.json.asc', 'CKSUMS.asc', ...sums];
const now = new Date('2026-05-01T12:00:00Z');

/** Counts what it signs. */
class CountingSigner implements Signer {
  readonly publicKey;
  readonly #signer: Signer;
  readonly forms: SignatureForm[] = [];

  constructor(signer: Signer) {
    this.publicKey = signer.publicKey;
    this.#signer = signer;
  }

  sign(bytes: Uint8Array, form: SignatureForm): Promise<Uint8Array> {
    this.forms.push(form);
    return this.#signer.sign(bytes, form);
  }
}

describe('the lists of a mirror', () => {
  const directory = temporaryDirectoryOfSuite();
  let signer: CountingSigner;
  let other: CountingSigner;

  beforeAll(async () => {
    [signer, other] = await Promise.all([newSigner('one'), newSigner('other')]);
  });

  async function newSigner(name: string): Promise<CountingSigner> {
    const path = join(directory, `${name}.asc`);
    const passphrase = new Passphrase('secret', 'test');
    const created = new Date('2026-01-01T00:00:00Z');
    await generateSecretKey(path, { algorithm: 'ed25519', userId: name, created, expires: null, passphrase });
    return new CountingSigner(await openKeySigner({ path, askPassphrase: async () => passphrase, now: () => now }));
  }

  /** Signs a mirror that has `existing`; what it has afterwards. */
  async function sign(existing: ReadonlyMap<string, Uint8Array>, by = signer, over = texts, at = now) {
    const signed = await signLists(over, existing, by, at);
    return { signed, mirror: new Map([...existing, ...signed.write]) };
  }

  const written = ({ write }: SignedLists): string[] => [...write.keys()];

  it('are signed in the forms that gpgv and systemd-sysupdate look for, and the key lies beside them', async () => {
    const { signed, mirror } = await sign(new Map());
    expect(written(signed)).toEqual(all);
    expect(signed.kept).toEqual([]);
    expect(mirror.get('KEY.gpg')).toEqual(signer.publicKey.binary);
    const key = await parsePublicKey(mirror.get('KEY.gpg') ?? new Uint8Array(), 'test');
    for (const [path, text] of texts) {
      for (const { path: signaturePath, form } of signaturesBeside(path)) {
        const signature = mirror.get(signaturePath) ?? new Uint8Array();
        expect(await findSignatureFault(signature, form, Buffer.from(text), key, now)).toBeNull();
        expect(isSignature(signaturePath)).toBe(true);
      }
    }
    expect(signaturesBeside('index.json')).toEqual([]);
    expect(signaturesBeside('meta/acme-sid.json.asc')).toEqual([]);
    expect(['KEY.gpg', 'index.json.asc', 'CKSUMS.gpg', 'SHA256SUMS'].filter(isSignature)).toEqual([]);
  });

  it('are good for gpgv, all of them', async (context) => {
    requireTools(context, 'gpgv');
    const folder = await temporaryDirectory();
    const { mirror } = await sign(new Map());
    const keyring = mirror.get('KEY.gpg') ?? new Uint8Array();
    for (const [path, text] of texts) {
      for (const signature of signaturesBeside(path).map((beside) => mirror.get(beside.path) ?? new Uint8Array())) {
        expect(isGoodForGpgv(folder, { data: Buffer.from(text), signature, keyring })).toBe(true);
      }
    }
  });

  it('that did not change are not signed again', async () => {
    const { mirror } = await sign(new Map());
    const before = signer.forms.length;
    const { signed } = await sign(mirror);
    expect(written(signed)).toEqual([]);
    expect(signed.kept).toEqual(all);
    const later = await sign(mirror, signer, texts, new Date('2036-01-01T00:00:00Z'));
    expect(written(later.signed)).toEqual([]);
    expect(signer.forms.length).toBe(before);
  });

  it('are signed again where their bytes changed', async () => {
    const { mirror } = await sign(new Map());
    const { signed } = await sign(mirror, signer, new Map([...texts, ['SHA256SUMS', `${'1'.repeat(64)}  a.img\n`]]));
    expect(written(signed)).toEqual(['SHA256SUMS.gpg', 'SHA256SUMS.asc']);
    expect(signed.kept).toEqual(all.filter((path) => !path.startsWith('SHA256SUMS')));
  });

  it('are all signed again by another key', async () => {
    const { mirror } = await sign(new Map());
    const { signed } = await sign(mirror, other);
    expect(written(signed)).toEqual(all);
    expect(signed.write.get('KEY.gpg')).toEqual(other.publicKey.binary);
  });

  it('are signed again where a signature is damaged, of another file, of the other form, or of tomorrow', async () => {
    const { mirror } = await sign(new Map());
    const bytesOf = (path: string): Uint8Array => mirror.get(path) ?? expect.unreachable(path);
    const damages: readonly (readonly [string, Uint8Array])[] = [
      ['SHA256SUMS.gpg', flipped(bytesOf('SHA256SUMS.gpg'), 90)],
      ['SHA256SUMS.gpg', bytesOf('SHA256SUMS.asc')],
      ['SHA256SUMS.gpg', new Uint8Array()],
      ['SHA256SUMS.asc', bytesOf('CKSUMS.asc')],
      ['CKSUMS.asc', Buffer.alloc(65_537)],
      ['KEY.gpg', other.publicKey.binary],
    ];
    for (const [path, bytes] of damages) {
      const { signed } = await sign(new Map([...mirror, [path, bytes]]));
      expect(written(signed)).toEqual([path]);
    }
    const { signed } = await sign(mirror, signer, texts, new Date('2026-04-30T12:00:00Z'));
    expect(written(signed)).toEqual(all.slice(1));
  });
});
