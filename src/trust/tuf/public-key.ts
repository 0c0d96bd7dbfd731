import { createHash, createPublicKey, type KeyObject, verify } from 'node:crypto';
import { parseSha256Hex } from '../../metadata/brands.js';
import { type JsonNode, jsonString, wrongJson } from '../../metadata/json-node.js';
import { canonicalJson } from './canonical-json.js';
import type { KeyId, TufKey } from './documents.js';
import { members } from './members.js';

/** The id of a public key (TUF specification, section 4.2). */
export function keyIdOf(key: TufKey): KeyId {
  return parseSha256Hex(createHash('sha256').update(canonicalJson(key)).digest('hex'), 'a key id');
}

/** The public half of a key as TUF writes it; null for a kind of key that is not signed with here. */
export function tufKeyOf(key: KeyObject): TufKey | null {
  const publicKey = key.type === 'public' ? key : createPublicKey(key);
  const { crv, x } = publicKey.export({ format: 'jwk' });
  if (publicKey.asymmetricKeyType === 'ed25519' && x !== undefined) {
    const hex = Buffer.from(x, 'base64url').toString('hex');
    return { keytype: 'ed25519', scheme: 'ed25519', keyval: { public: hex } };
  }
  if (publicKey.asymmetricKeyType === 'ec' && crv === 'P-256') {
    const pem = publicKey.export({ format: 'pem', type: 'spki' }).toString();
    return { keytype: 'ecdsa', scheme: 'ecdsa-sha2-nistp256', keyval: { public: pem } };
  }
  return null;
}

/** Whether `signature`, in hex digits, is one of `key` over `bytes`. */
export function isSignatureOf(key: TufKey, bytes: Uint8Array, signature: string): boolean {
  const digest = key.keytype === 'ed25519' ? null : 'sha256';
  return verify(digest, bytes, keyObjectOf(key), Buffer.from(signature, 'hex'));
}

/** Reads a public key of foreign origin, which has to be of a kind that we sign with and written as we write it. */
export function parseTufKey(node: JsonNode): TufKey {
  const { keytype, scheme, keyval } = members(node, ['keytype', 'scheme', 'keyval']);
  const { public: text } = members(keyval, ['public']);
  const key = {
    keytype: jsonString(keytype, 'ed25519 or ecdsa', (type) => type === 'ed25519' || type === 'ecdsa'),
    scheme: jsonString(scheme, 'a scheme of ours', () => true),
    keyval: { public: jsonString(text, 'a public key', (pem) => pem.length <= 1_000) },
  };
  const read = readKey(key.keytype, key.keyval.public);
  if (read === null || canonicalJson(read) !== canonicalJson(key)) {
    throw wrongJson(node, 'an ed25519 key in hex digits or a P-256 key as PEM, each with its scheme', 'another key');
  }
  return read;
}

function readKey(keytype: string, text: string): TufKey | null {
  try {
    return tufKeyOf(keytype === 'ed25519' ? ed25519Of(text) : createPublicKey(text));
  } catch {
    // Whatever the bytes are, they are no key.
    return null;
  }
}

function keyObjectOf(key: TufKey): KeyObject {
  return key.keytype === 'ed25519' ? ed25519Of(key.keyval.public) : createPublicKey(key.keyval.public);
}

function ed25519Of(hex: string): KeyObject {
  const x = Buffer.from(hex, 'hex').toString('base64url');
  return createPublicKey({ format: 'jwk', key: { kty: 'OKP', crv: 'Ed25519', x } });
}
