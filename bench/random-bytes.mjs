import { createCipheriv } from 'node:crypto';

const zeros = Buffer.alloc(2 ** 20);

/**
 * A MiB that looks random and depends on its arguments alone.
 * @param {number} index
 * @param {number} [version]
 */
export function randomMebibyte(index, version = 0) {
  const nonce = Buffer.alloc(16);
  nonce.writeUInt32BE(index, 0);
  nonce.writeUInt32BE(version, 4);
  return createCipheriv('aes-128-ctr', Buffer.alloc(16, 7), nonce).update(zeros);
}
