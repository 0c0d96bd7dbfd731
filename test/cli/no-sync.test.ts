import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { pseudoRandomBytes } from '../support/pseudo-random.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { haveTools } from '../support/tools.js';
import { observeCli } from '../support/traced-cli.js';

describe.skipIf(!haveTools('strace'))('--no-sync', () => {
  it('is all that keeps delta and patch from waiting for the disk', async () => {
    const dir = await temporaryDirectory();
    const place = (name: string) => join(dir, name);
    const [base, target, delta, made, log] = [
      place('base'),
      place('target'),
      place('delta'),
      place('made'),
      place('log'),
    ];
    const bytes = pseudoRandomBytes('a base', 3_000_000);
    writeFileSync(base, bytes);
    writeFileSync(target, Buffer.concat([bytes.subarray(1_000), Buffer.from('an end')]));
    const syncs = async (...args: readonly string[]) => {
      await observeCli(log, ['--quiet', ...args, '--force']);
      return readFileSync(log, 'utf8').match(/ fsync\(/g)?.length ?? 0;
    };
    // The file, and the directory that it gets its name in.
    expect(await syncs('delta', base, target, delta)).toBe(2);
    expect(await syncs('delta', '--no-sync', base, target, delta)).toBe(0);
    expect(await syncs('patch', base, delta, made)).toBe(2);
    expect(await syncs('patch', '--no-sync', base, delta, made)).toBe(0);
  });
});
