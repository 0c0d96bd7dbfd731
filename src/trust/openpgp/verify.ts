import { createMessage, enums, type Key, readSignature, type SignaturePacket, verify } from 'openpgp';
import { describeValue } from '../../metadata/describe-value.js';
import { STRICT_CONFIG } from './config.js';
import type { SignatureForm } from './signer.js';

/** A detached signature has some hundred bytes. */
export const MAX_SIGNATURE_BYTES = 64 * 1024;

const STRONG_HASHES: ReadonlySet<enums.hash> = new Set([enums.hash.sha256, enums.hash.sha384, enums.hash.sha512]);

/**
 * What is wrong with a detached signature, as a noun phrase; null when it is one signature over just these bytes, by
 * `key`, by SHA-256 or better, and not made after `now`.
 */
export async function findSignatureFault(
  signature: Uint8Array,
  form: SignatureForm,
  bytes: Uint8Array,
  key: Key,
  now: Date,
): Promise<string | null> {
  if (signature.byteLength > MAX_SIGNATURE_BYTES) return `more than ${MAX_SIGNATURE_BYTES} bytes`;
  try {
    const parsed = await parseSignature(signature, form);
    const [packet] = parsed.packets as readonly SignaturePacket[];
    if (packet === undefined || parsed.packets.length > 1) return `${parsed.packets.length} signatures`;
    if (packet.signatureType !== enums.signature.binary)
      return 'a signature of another type than over a binary document';
    if (packet.hashAlgorithm === null || !STRONG_HASHES.has(packet.hashAlgorithm)) return 'a hash weaker than SHA-256';
    const { signatures } = await verify({
      message: await createMessage({ binary: bytes }),
      signature: parsed,
      verificationKeys: key,
      format: 'binary',
      date: now,
      config: STRICT_CONFIG,
    });
    await Promise.all(signatures.map(({ verified }) => verified));
    return null;
  } catch (error) {
    // The library has no other way to say that a signature is not good.
    return describeValue(error instanceof Error ? error.message : error);
  }
}

function parseSignature(bytes: Uint8Array, form: SignatureForm) {
  return form === 'binary'
    ? readSignature({ binarySignature: bytes, config: STRICT_CONFIG })
    : readSignature({ armoredSignature: Buffer.from(bytes).toString('latin1'), config: STRICT_CONFIG });
}
