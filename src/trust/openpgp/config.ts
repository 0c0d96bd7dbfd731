import type { PartialConfig } from 'openpgp';

/** What signing gets: a signature depends on the key, the bytes and the time alone. */
export const SIGNING_CONFIG = { nonDeterministicSignaturesViaNotation: false } as const satisfies PartialConfig;

/** What reading a signature gets: packets that are damaged or unknown are refused, not left out. */
export const STRICT_CONFIG = {
  ignoreUnsupportedPackets: false,
  ignoreMalformedPackets: false,
} as const satisfies PartialConfig;
