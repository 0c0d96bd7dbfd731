import type { AlgorithmInfo, Key, Subkey } from 'openpgp';

const MIN_RSA_BITS = 3072;

/** What a secret key of ours has to be, as gpgv 2.2 verifies it too. */
export const KEY_FORM = `a version 4 key of RSA with ${MIN_RSA_BITS} bits or more, or of ed25519 as EdDSA`;

/** What makes a key, or a subkey that signs, unfit for our signatures, as a noun phrase; null when it is fit. */
export function findKeyFault(key: Key | Subkey): string | null {
  const { version } = key.keyPacket;
  if (version !== 4) return `version ${version}`;
  const info = key.getAlgorithmInfo();
  return isFit(info) ? null : describeAlgorithm(info);
}

function isFit({ algorithm, bits, curve }: AlgorithmInfo): boolean {
  switch (algorithm) {
    case 'rsaEncryptSign':
    case 'rsaSign':
      return bits !== undefined && bits >= MIN_RSA_BITS;
    case 'eddsaLegacy':
      return curve === 'ed25519Legacy';
    default:
      return false;
  }
}

function describeAlgorithm({ algorithm, bits, curve }: AlgorithmInfo): string {
  const name = algorithm.startsWith('rsa') ? 'RSA' : algorithm;
  if (bits !== undefined) return `${name} with ${bits} bits`;
  return curve === undefined ? name : `${name} on ${curve}`;
}
