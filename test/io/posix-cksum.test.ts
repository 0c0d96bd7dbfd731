import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { PosixCksum } from '../../src/io/posix-cksum.js';
import { requireTools } from '../support/tools.js';

it('prints what POSIX says of nothing and of "123456789"', () => {
  expect(new PosixCksum().digest()).toBe('4294967295');
  expect(new PosixCksum().update(Buffer.from('123456789')).digest()).toBe('930766865');
});

it('agrees with cksum on any bytes, in whatever pieces they come', (context) => {
  requireTools(context, 'cksum');
  const pieces = fc.array(fc.uint8Array({ maxLength: 5000 }), { maxLength: 6 });
  fc.assert(
    fc.property(pieces, (parts) => {
      const ours = new PosixCksum();
      for (const part of parts) ours.update(part);
      const [theirs] = execFileSync('cksum', { input: Buffer.concat(parts), encoding: 'utf8' }).split(' ');
      expect(ours.digest()).toBe(theirs);
    }),
    { numRuns: 60 },
  );
});

it('agrees with cksum where the length takes three bytes', (context) => {
  requireTools(context, 'cksum');
  const bytes = Buffer.alloc(70_001, 'squashfs');
  const [theirs] = execFileSync('cksum', { input: bytes, encoding: 'utf8' }).split(' ');
  expect(new PosixCksum().update(bytes).digest()).toBe(theirs);
});
