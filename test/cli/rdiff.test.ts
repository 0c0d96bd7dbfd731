import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { buffer, text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import { pseudoRandomBytes } from '../support/pseudo-random.js';
import { temporaryDirectory, temporaryDirectoryOfSuite } from '../support/temporary-directory.js';
import { haveTools } from '../support/tools.js';
import { projectRoot, runCli } from './run.js';

const program = join(projectRoot, 'bin', 'update-repository.js');
const base = pseudoRandomBytes('cli rdiff', 100_000);
const target = Buffer.concat([base.subarray(40_000), Buffer.from('something new'), base.subarray(0, 40_000)]);

interface Ended {
  readonly code: number | null;
  readonly stdout: Buffer;
  readonly stderr: string;
}

/** Runs our rdiff, or Debian's, in `cwd`. */
async function rdiff(
  which: 'ours' | 'theirs',
  cwd: string,
  args: readonly string[],
  input: Uint8Array = Buffer.of(),
): Promise<Ended> {
  const [command, line] = which === 'ours' ? [process.execPath, [program, 'rdiff', ...args]] : ['rdiff', args];
  const child = spawn(command, line, { cwd });
  child.stdin.on('error', () => undefined);
  child.stdin.end(input);
  const [stdout, stderr] = await Promise.all([buffer(child.stdout), buffer(child.stderr), once(child, 'close')]);
  return { code: child.exitCode, stdout, stderr: stderr.toString() };
}

/** A fresh folder with a base, a target, and what Debian's rdiff would make of them. */
async function workshop(): Promise<string> {
  const dir = await temporaryDirectory();
  fillWorkshop(dir);
  return dir;
}

function fillWorkshop(dir: string): void {
  writeFileSync(join(dir, 'base'), base);
  writeFileSync(join(dir, 'target'), target);
  writeFileSync(join(dir, 'empty'), '');
  writeFileSync(join(dir, 'signature'), made.signature);
  writeFileSync(join(dir, 'delta'), made.delta);
}

/** What our own steps make, once for all tests. */
const made = { signature: Buffer.of(), delta: Buffer.of() };
const suiteDir = temporaryDirectoryOfSuite();

beforeAll(async () => {
  writeFileSync(join(suiteDir, 'base'), base);
  writeFileSync(join(suiteDir, 'target'), target);
  await rdiff('ours', suiteDir, ['signature', 'base', 'signature']);
  await rdiff('ours', suiteDir, ['delta', 'signature', 'target', 'delta']);
  made.signature = readFileSync(join(suiteDir, 'signature'));
  made.delta = readFileSync(join(suiteDir, 'delta'));
});

describe('rdiff signature, delta and patch', () => {
  it('lead from names to files, without a word', async () => {
    const dir = await workshop();
    for (const args of [
      ['signature', 'base', 's'],
      ['delta', 's', 'target', 'd'],
      ['patch', 'base', 'd', 't'],
    ]) {
      const { code, stdout, stderr } = await rdiff('ours', dir, args);
      expect({ code, out: stdout.length, stderr }).toEqual({ code: 0, out: 0, stderr: '' });
    }
    expect(readFileSync(join(dir, 't')).equals(target)).toBe(true);
    expect(readFileSync(join(dir, 'd')).length).toBeLessThan(1000);
  });

  it('take standard input and output for names that are left out, and for -', async () => {
    const dir = await workshop();
    for (const names of [[], ['-'], ['-', '-']]) {
      const { stdout } = await rdiff('ours', dir, ['-b', '256', 'signature', ...names], base);
      expect(stdout.equals(made.signature)).toBe(true);
    }
    for (const names of [[], ['-'], ['-', '-']]) {
      const { stdout } = await rdiff('ours', dir, ['delta', 'signature', ...names], target);
      expect(stdout.equals(made.delta)).toBe(true);
      const patch = await rdiff('ours', dir, ['patch', 'base', ...names], made.delta);
      expect(patch.stdout.equals(target)).toBe(true);
    }
    const piped = await rdiff('ours', dir, ['delta', '-', 'target'], made.signature);
    expect(piped.stdout.equals(made.delta)).toBe(true);
  });

  it('pass large results through pipes, however little is read or written at once', async () => {
    const dir = await workshop();
    const large = pseudoRandomBytes('large', 3_000_000);
    const { stdout } = await rdiff('ours', dir, ['-O', '1000', '-I=777', 'delta', 'signature'], large);
    expect((await rdiff('ours', dir, ['-O', '4096', 'patch', 'base'], stdout)).stdout.equals(large)).toBe(true);
  });

  it('write numbers as C does, and options anywhere', async () => {
    const dir = await workshop();
    for (const args of [
      ['-b', '0x40', 'signature', 'base'],
      ['-b=64', 'sig', 'base'],
      ['signature', '-b64', 'base'],
      ['signature', 'base', '--block-size=0100'],
    ]) {
      const { stdout } = await rdiff('ours', dir, args);
      expect(stdout.subarray(0, 12).toString('hex')).toBe('727301470000004000000020');
    }
  });

  it('say what they do with -v, what it came to with -s, and warn of sums that are too short', async () => {
    const dir = await workshop();
    const told = await rdiff('ours', dir, ['-vs', '-S', '2', 'signature', 'base', 's']);
    expect(told.stderr.split('\n')).toEqual([
      'warning: base: strong sums of 2 bytes may lead to a wrong delta: expected at least 6 for this file',
      'note: base: making its signature, rabinkarp and blake2, 256 bytes a block, 2 bytes a strong sum',
      'note: signature: 391 blocks of 256 bytes, 100000 bytes in, 2358 bytes out',
      '',
    ]);
    const delta = await rdiff('ours', dir, ['--statistics', 'delta', 'signature', 'target', 'd']);
    expect(delta.stderr).toMatch(
      /^note: delta: 2 copies of \d+ bytes, 3 literals of \d+ bytes, 100013 bytes in, .*\n$/,
    );
    const patch = await rdiff('ours', dir, ['-s', '-v', 'patch', 'base', 'delta', 't']);
    expect(patch.stderr).toBe('note: base: applying the delta delta to it\nnote: patch: 100013 bytes out\n');
  });

  it.each(['-V', '--version'])('%s is the version', async (option) => {
    const { stdout, code } = await runCli(['rdiff', option]);
    expect({ stdout, code }).toMatchObject({
      stdout: expect.stringMatching(/^rdiff \(update-repository .+\)\n$/),
      code: 0,
    });
  });

  it.each(['-?', '-h', '--help'])('%s is help', async (option) => {
    const { stdout, code } = await runCli(['rdiff', option]);
    expect({ stdout, code }).toMatchObject({
      stdout: expect.stringMatching(/^Usage: update-repository rdiff /),
      code: 0,
    });
  });

  it('take a file that is called -? where names begin', async () => {
    const dir = await workshop();
    writeFileSync(join(dir, '-?'), base);
    expect((await rdiff('ours', dir, ['-b', '256', 'signature', '--', '-?'])).stdout.equals(made.signature)).toBe(true);
  });

  it.each([
    ['Node has no WebAssembly', [process.execPath, '--jitless']],
    ['there are no addresses for its memory', ['sh', '-c', 'ulimit -v 4000000; exec "$0" "$@"', process.execPath]],
  ])('work where %s, and say that they are slower', async (_, [command = '', ...start]) => {
    const dir = await workshop();
    const run = async (...args: string[]) => {
      const child = spawn(command, [...start, program, ...args], { cwd: dir });
      const [stderr] = await Promise.all([text(child.stderr), once(child, 'close')]);
      expect({ args, code: child.exitCode, stderr }).toMatchObject({ args, code: 0 });
      return stderr;
    };
    expect(await run('rdiff', '-b', '256', 'signature', 'base', 's')).toContain('a slower engine did the work');
    expect(await run('rdiff', 'delta', 's', 'target', 'd')).toContain('a slower engine did the work');
    expect(readFileSync(join(dir, 's')).equals(made.signature)).toBe(true);
    expect(readFileSync(join(dir, 'd')).equals(made.delta)).toBe(true);
    await run('patch', '--quiet', 'base', 'd', 't');
    expect(readFileSync(join(dir, 't')).equals(target)).toBe(true);
  });

  it('--json tells of failures on standard output, and needs a name for the result', async () => {
    const dir = await workshop();
    const failed = await rdiff('ours', dir, ['--json', 'signature', 'nothing', 's']);
    expect(JSON.parse(failed.stdout.toString())).toMatchObject({ type: 'error', error: { code: 'NOT_FOUND' } });
    const mixed = await rdiff('ours', dir, ['--json', 'signature', 'base']);
    expect(mixed.stderr).toBe(
      'update-repository: option --json: expected a name for what signature writes, found none\n',
    );
    expect(mixed.code).toBe(101);
  });
});

describe('the output', () => {
  it('that is there is refused without -f and left alone, and replaced with it, keeping its mode', async () => {
    const dir = await workshop();
    const path = join(dir, 's');
    writeFileSync(path, 'precious');
    chmodSync(path, 0o640);
    const refused = await rdiff('ours', dir, ['signature', 'base', 's']);
    expect(refused.stderr).toBe(
      'update-repository: s: expected no such file, found one\nhint: choose another name, or replace it with --force\n',
    );
    expect(readFileSync(path, 'utf8')).toBe('precious');
    expect((await rdiff('ours', dir, ['-f', 'signature', 'base', 's'])).code).toBe(0);
    expect(readFileSync(path).equals(made.signature)).toBe(true);
    expect(statSync(path).mode & 0o777).toBe(0o640);
  });

  it('may be the basis itself, with -f', async () => {
    const dir = await workshop();
    expect((await rdiff('ours', dir, ['-f', 'patch', 'base', 'delta', 'base'])).code).toBe(0);
    expect(readFileSync(join(dir, 'base')).equals(target)).toBe(true);
  });

  it('of work that fails is not there, and nothing else is', async () => {
    const dir = await workshop();
    writeFileSync(join(dir, 'cut'), made.delta.subarray(0, -1));
    const before = readdirSync(dir);
    for (const args of [
      ['patch', 'base', 'cut', 'out'],
      ['delta', 'base', 'target', 'out'],
      ['signature', 'nothing', 'out'],
      ['signature', '.', 'out'],
    ]) {
      expect((await rdiff('ours', dir, args)).code).not.toBe(0);
      expect(readdirSync(dir)).toEqual(before);
    }
  });

  it('goes where a symbolic link leads, also to a name that is not there yet', async () => {
    const dir = await workshop();
    mkdirSync(join(dir, 'elsewhere'));
    writeFileSync(join(dir, 'elsewhere', 's'), 'old');
    symlinkSync('elsewhere/s', join(dir, 'link'));
    expect((await rdiff('ours', dir, ['-f', 'signature', 'base', 'link'])).code).toBe(0);
    expect(readFileSync(join(dir, 'elsewhere', 's')).equals(made.signature)).toBe(true);
    expect(readdirSync(join(dir, 'elsewhere'))).toEqual(['s']);
  });

  it('may be a device or a pipe, with -f', async () => {
    const dir = await workshop();
    expect((await rdiff('ours', dir, ['-f', 'signature', 'base', '/dev/null'])).code).toBe(0);
    expect(statSync('/dev/null').isCharacterDevice()).toBe(true);
    await promisify(execFile)('mkfifo', [join(dir, 'pipe')]);
    const read = spawn('cat', ['pipe'], { cwd: dir });
    const [bytes, { code }] = await Promise.all([
      buffer(read.stdout),
      rdiff('ours', dir, ['-f', 'signature', 'base', 'pipe']),
    ]);
    expect({ same: bytes.equals(made.signature), code }).toEqual({ same: true, code: 0 });
  });

  it('that nobody reads ends the work without a word', async () => {
    const dir = await workshop();
    const child = spawn(process.execPath, [program, 'rdiff', 'signature', '-b', '1', 'base'], { cwd: dir });
    child.stdout.destroy();
    const [stderr] = await Promise.all([buffer(child.stderr), once(child, 'close')]);
    expect({ stderr: stderr.toString(), code: child.exitCode }).toEqual({ stderr: '', code: 130 });
  });

  it('is gone after an interrupt', async () => {
    const dir = await workshop();
    const child = spawn(process.execPath, [program, 'rdiff', 'delta', 'signature', '/dev/zero', 'out'], { cwd: dir });
    const ended = once(child, 'close');
    const isMade = () => readdirSync(dir).some((name) => name.endsWith('.tmp'));
    while (child.exitCode === null && child.signalCode === null && !isMade())
      await new Promise((wake) => setTimeout(wake, 20));
    child.kill('SIGINT');
    await ended;
    expect(child.exitCode).toBe(130);
    expect(readdirSync(dir).filter((name) => name.includes('out'))).toEqual([]);
  });
});

/** Lines that fail, and what of: each is run by both in a folder of its own, and ends with the same code. */
const FAILURES: readonly (readonly [string, readonly string[]])[] = [
  ['no step', []],
  ['an unknown step', ['sigh', 'base']],
  ['an unknown option', ['--nosuch', 'signature', 'base', 'out']],
  ['an option of the old rdiff', ['-z', 'signature', 'base', 'out']],
  ['a hash that is none', ['-H', 'md5', 'signature', 'base', 'out']],
  ['a rolling sum that is none', ['-R', 'adler', 'signature', 'base', 'out']],
  ['a number that is none', ['-b', '1k', 'signature', 'base', 'out']],
  ['a number that is too large', ['-b', '2147483648', 'signature', 'base', 'out']],
  ['a strong sum that is too long', ['-S', '33', 'signature', 'base', 'out']],
  ['a strong sum that is too long for MD4', ['-H', 'md4', '-S', '17', 'signature', 'base', 'out']],
  ['a strong sum of -2', ['-S', '-2', 'signature', 'base', 'out']],
  ['too many names', ['signature', 'base', 'out', 'more']],
  ['too many names for a patch', ['patch', 'base', 'delta', 'out', 'more']],
  ['no signature', ['delta']],
  ['no basis', ['patch']],
  ['a basis that is not there', ['signature', 'nothing', 'out']],
  ['a folder that is not there', ['signature', 'base', 'nowhere/out']],
  ['an output that is there', ['signature', 'base', 'target']],
  ['an output without a name', ['signature', 'base', '']],
  ['a device without -f', ['signature', 'base', '/dev/null']],
  ['a full device', ['-f', 'signature', 'base', '/dev/full']],
  ['a folder for a basis', ['signature', '.', 'out']],
  ['a folder for an output', ['-f', 'signature', 'base', '.']],
  ['a signature that is not there', ['delta', 'nothing', 'target', 'out']],
  ['a new file that is not there', ['delta', 'signature', 'nothing', 'out']],
  ['an empty signature', ['delta', 'empty', 'target', 'out']],
  ['a delta for a signature', ['delta', 'delta', 'target', 'out']],
  ['a delta that is not there', ['patch', 'base', 'nothing', 'out']],
  ['a basis to patch that is not there', ['patch', 'nothing', 'delta', 'out']],
  ['an empty delta', ['patch', 'base', 'empty', 'out']],
  ['a signature for a delta', ['patch', 'base', 'signature', 'out']],
  ['an empty basis', ['patch', 'empty', 'delta', 'out']],
];

/** Signatures and deltas that are wrong in one way each, in hexadecimal. */
const DAMAGE: readonly (readonly [string, 'delta' | 'patch', string])[] = [
  ['a header that is cut off', 'delta', '7273014700000100'],
  ['a magic of something else', 'delta', '727302360000010000000020'],
  ['blocks of 0 bytes', 'delta', '727301470000000000000020'],
  ['blocks of 4 gigabytes', 'delta', '72730147ffffffff00000020'],
  ['strong sums of 17 bytes of MD4', 'delta', '727301460000010000000011'],
  ['a magic and lengths of something else', 'delta', '727302360000000000000020'],
  ['strong sums of 33 bytes', 'delta', '727301470000010000000021'],
  ['an entry that is cut off', 'delta', '727301470000010000000020aabbccddee'],
  ['no command', 'patch', '72730236'],
  ['no end', 'patch', '727302360161'],
  ['a literal that is cut off', 'patch', '727302360261'],
  ['a copy that is cut off', 'patch', '7273023646'],
  ['a reserved command', 'patch', '7273023655'],
  ['a literal of 0 bytes', 'patch', '72730236410000'],
  ['a copy of 0 bytes', 'patch', '7273023645000000'],
  ['a copy past the end of the basis', 'patch', '72730236540000000000000000000f00000000000000'],
  ['a copy of a negative length', 'patch', '72730236540000000000000000ffffffffffffffff00'],
];

describe.skipIf(!haveTools('rdiff'))('exit codes beside rdiff', () => {
  async function codesOf(args: readonly string[], prepare: (dir: string) => void = () => undefined) {
    const codes: Record<string, number | null> = {};
    for (const which of ['ours', 'theirs'] as const) {
      const dir = await workshop();
      prepare(dir);
      const { code, stderr } = await rdiff(which, dir, args);
      codes[which] = code;
      if (which === 'ours' && code !== 0) expect(stderr).toMatch(/^update-repository: [^\n]+\n(hint: [^\n]+\n)?$/);
    }
    return codes;
  }

  it.each(FAILURES)('%s', async (_, args) => {
    const { ours, theirs } = await codesOf(args);
    expect(ours).toBe(theirs);
    expect(ours).toBeGreaterThanOrEqual(100);
  });

  it.each(DAMAGE)('%s', async (_, step, bytes) => {
    const args = step === 'delta' ? ['delta', 'bad', 'target', 'out'] : ['patch', 'base', 'bad', 'out'];
    const { ours, theirs } = await codesOf(args, (dir) => writeFileSync(join(dir, 'bad'), Buffer.from(bytes, 'hex')));
    expect(ours).toBe(theirs);
    expect(ours).toBeGreaterThanOrEqual(103);
  });

  it.each([
    ['-S', '99'],
    ['-S', '-3'],
    ['-b', '-1'],
    ['-H', 'md5'],
    ['-R', 'adler'],
    ['-H', 'md4', '-S', '20'],
  ])('of a delta and a patch, which heed nothing about signatures: %s %s', async (...options) => {
    expect(await codesOf([...options, 'delta', 'signature', 'target', 'out'])).toEqual({ ours: 0, theirs: 0 });
    expect(await codesOf([...options, 'patch', 'base', 'delta', 'out'])).toEqual({ ours: 0, theirs: 0 });
  });

  it('of what works: each reads what the other wrote', async () => {
    const dir = await workshop();
    const steps = (first: 'ours' | 'theirs', second: 'ours' | 'theirs', name: string) =>
      [
        [first, ['-b', '512', 'signature', 'base', `${name}.s`]],
        [second, ['delta', `${name}.s`, 'target', `${name}.d`]],
        [first, ['patch', 'base', `${name}.d`, `${name}.t`]],
      ] as const;
    for (const [which, args] of [...steps('ours', 'theirs', 'a'), ...steps('theirs', 'ours', 'b')]) {
      expect(await rdiff(which, dir, args)).toMatchObject({ code: 0, stderr: '' });
    }
    for (const name of ['a.t', 'b.t']) expect(readFileSync(join(dir, name)).equals(target)).toBe(true);
    expect(existsSync(join(dir, 'out'))).toBe(false);
  });

  it('a delta with bytes behind its end is refused by us alone', async () => {
    const trailing = (dir: string) => writeFileSync(join(dir, 'bad'), Buffer.from('7273023600ff', 'hex'));
    expect(await codesOf(['patch', 'base', 'bad', 'out'], trailing)).toEqual({ ours: 106, theirs: 0 });
  });
});
