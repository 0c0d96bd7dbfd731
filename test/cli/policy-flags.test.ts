import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { addPolicyOptions, type PolicyFlags, readPolicy } from '../../src/cli/policy-flags.js';
import { DEFAULT_POLICY } from '../../src/client/policy/policy.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

function flagsOf(args: readonly string[]): PolicyFlags {
  const quiet = { writeOut: () => undefined, writeErr: () => undefined };
  const command = addPolicyOptions(new Command().exitOverride().configureOutput(quiet));
  return command.parse(args, { from: 'user' }).opts<PolicyFlags>();
}

describe('the policy of a command line', () => {
  it('is the default where it says nothing', async () => {
    expect(await readPolicy(flagsOf([]))).toEqual(DEFAULT_POLICY);
  });

  it('has what every option says', async () => {
    const policy = await readPolicy(
      flagsOf([
        ...['--target', 'channel:beta', '--floor', '20250101000000', '--allow-downgrade'],
        ...['--barrier', '20250601000000', '--barrier', '20260101000000', '--fallback', 'never', '--metered', 'never'],
        ...['--connection', 'metered', '--window', '22:00-06:00', '--window', 'sat 00:00-24:00', '--keep', '3'],
        ...['--max-hops', '2', '--make-room', 'never', '--rate-limit', '2M', '--notify', 'https://hooks.example.org/x'],
      ]),
    );
    expect(policy).toEqual({
      target: { kind: 'channel', path: 'channels/beta.json' },
      floor: '20250101000000',
      allowDowngrade: true,
      barriers: ['20250601000000', '20260101000000'],
      fallback: 'never',
      metered: 'never',
      connection: 'metered',
      windows: [expect.objectContaining({ text: '22:00-06:00' }), expect.objectContaining({ text: 'sat 00:00-24:00' })],
      keep: 3,
      makeRoom: 'never',
      maxHops: 2,
      limitBytesPerSecond: 2 * 1024 * 1024,
      downloadBytesPerSecond: null,
      diskBytesPerSecond: null,
      notify: { kind: 'webhook', url: new URL('https://hooks.example.org/x') },
    });
  });

  it('takes versions as they are in the names of images, too', async () => {
    const stamp = '2025-06-01-123456';
    const policy = await readPolicy(flagsOf(['--target', stamp, '--floor', stamp, '--barrier', stamp]));
    const version = '20250601123456';
    expect(policy).toMatchObject({ target: { kind: 'version', version }, floor: version, barriers: [version] });
  });

  it('goes before the members of its file', async () => {
    const path = join(await temporaryDirectory(), 'policy.json');
    await writeFile(path, '{"keep":5,"barriers":["20250601000000"],"fallback":"never"}');
    expect(await readPolicy(flagsOf(['--policy', path, '--keep', '1']))).toEqual({
      ...DEFAULT_POLICY,
      keep: 1,
      barriers: ['20250601000000'],
      fallback: 'never',
    });
  });

  it('names the file that is not there, or is wrong', async () => {
    const path = join(await temporaryDirectory(), 'policy.json');
    await expect(readPolicy(flagsOf(['--policy', path]))).rejects.toMatchObject({
      code: 'NOT_FOUND',
      message: `${path}: expected a policy file, found none`,
    });
    await writeFile(path, '{"keep":"5"}');
    await expect(readPolicy(flagsOf(['--policy', path]))).rejects.toMatchObject({
      code: 'CONFIG',
      message: `${path}: .keep: expected an integer from 0 to 2^53 - 1, found "5"`,
    });
  });

  it.each([
    ['--target', 'newest', 'option --target: expected "latest", a version of 14 digits, or "channel:" and a name'],
    ['--floor', '2025', 'option --floor: expected a version of 14 digits, found "2025"'],
    ['--floor', '2025-06-01', 'option --floor: expected a version of 14 digits, found "2025-06-01"'],
    ['--barrier', 'x', 'option --barrier: expected a version of 14 digits, found "x"'],
    ['--window', '22', 'option --window: expected a time window such as "22:00-06:00"'],
    ['--keep', '0', "option --keep: expected a whole number from 1 on, found '0'"],
    ['--rate-limit', 'fast', 'option --rate-limit: expected a size such as 512M'],
    ['--notify', 'http://hooks.example.org/secret', '(http on this machine only), found another URL'],
    ['--notify', '', 'option --notify: expected a command, or an https URL'],
  ])('%s %s is a mistake of usage', (flag, value, message) => {
    expect(() => flagsOf([flag, value])).toThrow(
      expect.objectContaining({ code: 'USAGE', message: expect.stringContaining(message) }),
    );
  });

  it.each(['--fallback', '--metered', '--connection', '--make-room'])('%s has to be one of its choices', (flag) => {
    expect(() => flagsOf([flag, 'maybe'])).toThrow('Allowed choices are');
  });
});
