import type { Key } from 'openpgp';

/** For so long before its end a key is warned of: devices need another one, or its new end, in another way than by the mirror. */
const WARNED_MS = 30 * 86_400_000;

/** When a key ends to sign, where that is soon or past; null where it is not, or the key says of no end. */
export async function endingSoon(key: Key, now: Date): Promise<Date | null> {
  const ends = [await key.getExpirationTime(), await signingSubkeyEnd(key, now)].flatMap((end) =>
    end instanceof Date ? [end] : [],
  );
  const [first] = ends.sort((a, b) => a.getTime() - b.getTime());
  return first !== undefined && first.getTime() - now.getTime() < WARNED_MS ? first : null;
}

/** As OpenPGP's tools write it: UTC, without milliseconds. */
export function formatEnd(end: Date): string {
  return end.toISOString().replace(/\.\d{3}Z$/, 'Z');
}

/** Of the subkey that signs at that time; null where the key itself does, or nothing can any more. */
async function signingSubkeyEnd(key: Key, now: Date) {
  try {
    const signing = await key.getSigningKey(undefined, now);
    return 'mainKey' in signing ? await signing.getExpirationTime(now) : null;
  } catch {
    // The library has no other way to say that none can: by then the key itself has ended, or a signer says so.
    return null;
  }
}
