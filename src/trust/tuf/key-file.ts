import { createCipheriv, createDecipheriv, randomBytes, scrypt } from 'node:crypto';
import { promisify } from 'node:util';
import { UpdateRepositoryError } from '../../errors.js';
import { isSha256Hex, SHA256_FORM } from '../../metadata/brands.js';
import { claimOnce, type JsonNode, jsonItems, jsonString, parseJson, wrongJson } from '../../metadata/json-node.js';
import { canonicalJson } from './canonical-json.js';
import type { KeyId, TufKey } from './documents.js';
import { members } from './members.js';
import { keyIdOf, parseTufKey } from './public-key.js';
import { isKeyRole, KEY_ROLES, type KeyRole } from './role-names.js';
import { SigningKey } from './signing-key.js';

/*
 * A key file, our own format:
 *
 *     { "format": 1, "keyid": "<64 hex digits>", "roles": ["snapshot", …], "key": { as in TUF metadata },
 *       "private": { "kdf": "scrypt", "n": 131072, "r": 8, "p": 1, "salt", "cipher": "aes-256-gcm", "nonce", "tag",
 *                    "ciphertext" } }
 *
 * `private` is the key as PKCS#8, encrypted by a key that scrypt makes of a passphrase; salt, nonce, tag and ciphertext
 * are hex digits. `n` is a power of two, from 2^14 to 2^20. The other members are authenticated with it. A file of a key
 * that is kept elsewhere has no `private`.
 */

/** What a key file tells without a passphrase. */
export interface KeyFile {
  readonly file: string;
  readonly id: KeyId;
  readonly publicKey: TufKey;
  /** What the key is for. */
  readonly roles: readonly KeyRole[];
  /** Null for a key whose private half is kept elsewhere. */
  readonly sealed: SealedKey | null;
}

/** A private key that a passphrase opens; all but the numbers are hex digits. */
export interface SealedKey {
  readonly n: number;
  readonly salt: string;
  readonly nonce: string;
  readonly tag: string;
  readonly ciphertext: string;
}

/** Larger than any key file. */
export const MAX_KEY_FILE_BYTES = 16_384;

const FORMAT = 1;
const KDF = { kdf: 'scrypt', r: 8, p: 1 } as const;
/** scrypt's cost, by which time and memory grow: half a second and 128 MiB. */
const DEFAULT_N = 2 ** 17;
/** What takes a gigabyte is no longer the file of somebody who wants to be safe. */
const KNOWN_N = Array.from({ length: 7 }, (_, index) => 2 ** (14 + index));
const CIPHER = 'aes-256-gcm';
const SALT_BYTES = 16;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const MAX_PKCS8_BYTES = 1_024;
const stretch = promisify<string, Buffer, number, object, Buffer>(scrypt);

/** The text of a file of `key`, encrypted; takes 128 MiB of memory and about half a second, or what scrypt's `n` says. */
export async function sealKeyFile(
  key: SigningKey,
  roles: readonly KeyRole[],
  passphrase: string,
  n = DEFAULT_N,
): Promise<string> {
  const salt = randomBytes(SALT_BYTES);
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(CIPHER, await secretOf(passphrase, salt, n), nonce);
  cipher.setAAD(boundTo(key.publicKey, roles));
  const ciphertext = key.usePkcs8((der) => Buffer.concat([cipher.update(der), cipher.final()]));
  const secret = { salt, nonce, tag: cipher.getAuthTag(), ciphertext };
  const hex = Object.fromEntries(Object.entries(secret).map(([name, bytes]) => [name, bytes.toString('hex')]));
  return render(key.publicKey, roles, { private: { ...KDF, n, cipher: CIPHER, ...hex } });
}

/** The text of a file that holds the public half of a key alone. */
export function renderPublicKeyFile(key: TufKey, roles: readonly KeyRole[]): string {
  return render(key, roles, {});
}

/** Reads a key file; `file` opens the messages. Throws FORMAT with the path of the member that is wrong. */
export function parseKeyFile(text: string, file: string): KeyFile {
  const nodes = members(parseJson(text, { file, code: 'FORMAT' }), ['format', 'keyid', 'roles', 'key'], ['private']);
  if (nodes.format.value !== FORMAT) throw wrongJson(nodes.format, `the format ${FORMAT} that this program knows`);
  const publicKey = parseTufKey(nodes.key);
  const id = keyIdOf(publicKey);
  if (jsonString(nodes.keyid, SHA256_FORM, isSha256Hex) !== id)
    throw wrongJson(nodes.keyid, `the id of its key, ${id}`);
  const sealed = nodes.private.value === undefined ? null : parseSealed(nodes.private);
  return { file, id, publicKey, roles: parseRoles(nodes.roles), sealed };
}

/**
 * The private key of a file, with as much memory and time as {@link sealKeyFile}.
 *
 * @throws UpdateRepositoryError CONFIG when the passphrase is wrong, the file was changed or has no private key.
 */
export async function openKeyFile(keyFile: KeyFile, passphrase: string): Promise<SigningKey> {
  const { file, sealed, publicKey, roles, id } = keyFile;
  if (sealed === null) {
    throw new UpdateRepositoryError('CONFIG', `${file}: expected a private key, found the public half alone`, {
      data: { file, keyid: id },
      hint: 'sign where its private key is kept',
    });
  }
  const bytes = (hex: string) => Buffer.from(hex, 'hex');
  const secret = await secretOf(passphrase, bytes(sealed.salt), sealed.n);
  const decipher = createDecipheriv(CIPHER, secret, bytes(sealed.nonce), { authTagLength: TAG_BYTES });
  decipher.setAAD(boundTo(publicKey, roles));
  decipher.setAuthTag(bytes(sealed.tag));
  const der = decipher.update(bytes(sealed.ciphertext));
  try {
    decipher.final();
    const key = SigningKey.fromPkcs8(der, file);
    if (key.id === id) return key;
  } catch {
    // Nothing of what was decrypted belongs into an error.
  } finally {
    der.fill(0);
  }
  throw new UpdateRepositoryError('CONFIG', `${file}: expected its passphrase, found another one or a damaged file`, {
    data: { file, keyid: id },
  });
}

function render(key: TufKey, roles: readonly KeyRole[], secret: object): string {
  return `${JSON.stringify({ format: FORMAT, keyid: keyIdOf(key), roles, key, ...secret }, null, 2)}\n`;
}

/** A file whose roles were changed does not open. */
function boundTo(key: TufKey, roles: readonly KeyRole[]): Buffer {
  return Buffer.from(canonicalJson({ format: FORMAT, keyid: keyIdOf(key), roles }));
}

function secretOf(passphrase: string, salt: Buffer, n: number): Promise<Buffer> {
  const { r, p } = KDF;
  return stretch(passphrase, salt, 32, { N: n, r, p, maxmem: 2 * 128 * n * r }); // it takes half of that and a little more
}

function parseRoles(node: JsonNode): KeyRole[] {
  const taken = new Map<string, string>();
  return jsonItems(node, KEY_ROLES.length).map((item) => {
    const role = jsonString(item, `one of ${KEY_ROLES.join(', ')}`, isKeyRole);
    claimOnce(taken, role, item, 'every role once');
    return role;
  });
}

function parseSealed(node: JsonNode): SealedKey {
  const { kdf, n, r, p, cipher, ...nodes } = members(node, [
    ...(['kdf', 'n', 'r', 'p', 'salt'] as const),
    ...(['cipher', 'nonce', 'tag', 'ciphertext'] as const),
  ]);
  const fixed = [
    [kdf, KDF.kdf],
    [r, KDF.r],
    [p, KDF.p],
    [cipher, CIPHER],
  ] as const;
  for (const [item, expected] of fixed) if (item.value !== expected) throw wrongJson(item, String(expected));
  const known = KNOWN_N.find((value) => value === n.value);
  if (known === undefined) throw wrongJson(n, `one of ${KNOWN_N.join(', ')}`);
  return {
    n: known,
    salt: parseHex(nodes.salt, SALT_BYTES),
    nonce: parseHex(nodes.nonce, NONCE_BYTES),
    tag: parseHex(nodes.tag, TAG_BYTES),
    ciphertext: jsonString(nodes.ciphertext, 'hex digits', (text) => isHex(text) && text.length <= 2 * MAX_PKCS8_BYTES),
  };
}

function parseHex(node: JsonNode, byteCount: number): string {
  return jsonString(node, `${2 * byteCount} hex digits`, (text) => isHex(text) && text.length === 2 * byteCount);
}

function isHex(text: string): boolean {
  return /^(?:[0-9a-f]{2})+$/.test(text);
}
