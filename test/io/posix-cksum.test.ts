import { execFileSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { javaScriptCksumCore, sharedCksumCore, webAssemblyCksumCore } from '../../src/io/cksum-core.js';
import { PosixCksum } from '../../src/io/posix-cksum.js';
import { propertyRuns } from '../delta/support/properties.js';
import { pseudoRandomBytes } from '../support/pseudo-random.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { requireTools } from '../support/tools.js';

const inWebAssembly = webAssemblyCksumCore();
const cores = [
  ['WebAssembly', inWebAssembly ?? expect.unreachable('no dist/io/cksum-core.wasm, or Node cannot run it')],
  ['TypeScript', javaScriptCksumCore()],
] as const;

/** Sizes about those at which something else is done: a word, a block, the history, the room. */
const sizes = [1, 3, 4, 5, 15, 16, 17, 559, 560, 561, 3163, 3164, 3165, 12023, 12024, 12025, 262143, 262144, 262145];

describe.each(cores)('with the core in %s', (_, core) => {
  it('prints what POSIX says of nothing and of "123456789"', () => {
    expect(new PosixCksum(core).digest()).toBe('4294967295');
    expect(new PosixCksum(core).update(Buffer.from('123456789')).digest()).toBe('930766865');
  });

  it('agrees with cksum on any bytes, in whatever pieces they come', (context) => {
    requireTools(context, 'cksum');
    const cuts = fc.array(fc.integer({ min: 0, max: 20_000 }), { maxLength: 6 });
    fc.assert(
      fc.property(fc.nat(), cuts, (seed, lengths) => {
        const parts = lengths.map((length, part) => pseudoRandomBytes(`${seed}/${part}`, length));
        const ours = new PosixCksum(core);
        for (const part of parts) ours.update(part);
        expect(ours.digest()).toBe(cksumOf(Buffer.concat(parts)));
      }),
      propertyRuns(60),
    );
  });

  it.for([...sizes, 600_001])('agrees with cksum on %i bytes', (size, context) => {
    requireTools(context, 'cksum');
    const bytes = pseudoRandomBytes(`cksum of ${size}`, size);
    expect(new PosixCksum(core).update(bytes).digest()).toBe(cksumOf(bytes));
  });

  it('keeps two checksums apart that are made at the same time', (context) => {
    requireTools(context, 'cksum');
    const bytes = pseudoRandomBytes('two at a time', 100_000);
    const [one, other] = [new PosixCksum(core), new PosixCksum(core)];
    for (let at = 0; at < bytes.length; at += 1000) {
      one.update(bytes.subarray(at, at + 1000));
      other.update(bytes.subarray(0, 1000));
    }
    expect(one.digest()).toBe(cksumOf(bytes));
    expect(other.digest()).toBe(cksumOf(Buffer.concat(Array(100).fill(bytes.subarray(0, 1000)))));
  });
});

it('moves the same bytes to the same places with either core', () => {
  const lengths = fc.integer({ min: 0, max: 40_000 });
  fc.assert(
    fc.property(fc.string(), lengths, (seed, length) => {
      const bytes = pseudoRandomBytes(seed, cores[0][1].bytes.length);
      for (const [, core] of cores) {
        core.bytes.set(bytes);
        core.move(length);
      }
      expect(Buffer.compare(cores[0][1].bytes, cores[1][1].bytes)).toBe(0);
    }),
    propertyRuns(40),
  );
});

it('does without WebAssembly where there is no module, or one that Node does not take', async () => {
  const broken = join(await temporaryDirectory(), 'cksum-core.wasm');
  await writeFile(broken, 'no module');
  expect(webAssemblyCksumCore([pathToFileURL('/nonexistent/cksum-core.wasm')])).toBeUndefined();
  expect(webAssemblyCksumCore([pathToFileURL(broken)])).toBeUndefined();
});

it('gives all checksums of a thread one core', () => {
  expect(sharedCksumCore()).toBe(sharedCksumCore());
});

function cksumOf(input: Uint8Array): string | undefined {
  return execFileSync('cksum', { input, encoding: 'utf8' }).split(' ')[0];
}
