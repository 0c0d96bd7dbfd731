import { createCipheriv, createHash } from 'node:crypto';

/**
 * `sizeBytes` bytes that look random and depend on `seed` alone: the key stream of AES-128-CTR, keyed by the seed's
 * sha256. Gigabytes a second, and the same on every machine and Node.
 */
export function pseudoRandomBytes(seed: string, sizeBytes: number): Buffer {
  const key = createHash('sha256').update(seed).digest().subarray(0, 16);
  return createCipheriv('aes-128-ctr', key, Buffer.alloc(16)).update(Buffer.alloc(sizeBytes));
}

/** Numbers of [0, 1), drawn one after the other, that depend on `seed` alone. */
export function pseudoRandomNumbers(seed: string): () => number {
  let pool: Buffer = Buffer.alloc(0);
  let offset = 0;
  let refill = 0;
  return () => {
    if (offset === pool.length) {
      pool = pseudoRandomBytes(`${seed}/${refill++}`, 4096);
      offset = 0;
    }
    offset += 4;
    return pool.readUInt32BE(offset - 4) / 2 ** 32;
  };
}
