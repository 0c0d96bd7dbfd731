import { execFileSync } from 'node:child_process';
import { lstatSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { pseudoRandomBytes } from '../support/pseudo-random.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { requireTools } from '../support/tools.js';
import { finishedCli, runCli, startCli } from './run.js';

/** Two files that share most of their content, and a place for the delta. */
async function pair(sizeBytes = 5_000_000) {
  const dir = await temporaryDirectory();
  const [base, target, delta] = ['base.img', 'target.img', 'made.rdiff'].map((name) => join(dir, name));
  if (base === undefined || target === undefined || delta === undefined) throw new Error('three paths');
  const text = pseudoRandomBytes('delta command', sizeBytes);
  writeFileSync(base, text);
  writeFileSync(target, Buffer.concat([text.subarray(1000), pseudoRandomBytes('fresh', 7000), text.subarray(0, 900)]));
  return { dir, base, target, delta };
}

describe('delta', () => {
  it('makes a delta that rdiff patch applies, and says what is in it', async (context) => {
    requireTools(context, 'rdiff');
    const { dir, base, target, delta } = await pair();
    const { code, stdout, stderr } = await runCli(['delta', '--verify', base, target, delta]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/made\.rdiff: .*% of .*target\.img, 2 copies and .* of literals, verified, .*\n$/);
    expect(stderr).toMatch(/^\[1\] delta .*made\.rdiff: .* % of the target, .*\n$/);
    execFileSync('rdiff', ['patch', base, delta, join(dir, 'patched')]);
    expect(readFileSync(join(dir, 'patched')).equals(readFileSync(target))).toBe(true);
    expect(readdirSync(dir).sort()).toEqual(['base.img', 'made.rdiff', 'patched', 'target.img']);
  });

  it('makes the same bytes with any number of threads and either engine', async () => {
    const { base, target, delta } = await pair();
    const made = [];
    for (const options of [
      ['--jobs', '1'],
      ['--jobs', '3'],
      ['--engine', 'js'],
      ['--engine', 'wasm', '--memory', '60M'],
    ]) {
      expect(await runCli(['delta', '-f', ...options, base, target, delta])).toMatchObject({ code: 0 });
      made.push(readFileSync(delta));
    }
    for (const other of made) expect(other.equals(made[0] ?? Buffer.alloc(0))).toBe(true);
  });

  it('ends with all figures as JSON', async () => {
    const { base, target, delta } = await pair(100_000);
    const { stdout } = await runCli(['delta', '--json', '--delta-effort', 'max', base, target, delta]);
    const summary = JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '');
    expect(summary).toMatchObject({
      type: 'delta-summary',
      base,
      target,
      delta,
      baseBytes: 100_000,
      deltaBytes: readFileSync(delta).length,
      copyCommands: 2,
      literalBytes: 7000,
      effort: 'max',
      verified: false,
    });
    expect(summary.copiedBytes + summary.literalBytes).toBe(summary.targetBytes);
  });

  it('leaves an existing file alone, unless it is told to replace it', async () => {
    const { base, target, delta } = await pair(100_000);
    writeFileSync(delta, 'mine');
    const refused = await runCli(['delta', base, target, delta]);
    expect(refused.code).toBe(2);
    expect(refused.stderr).toBe(
      `update-repository: ${delta}: expected no such file, found one\nhint: choose another name, or replace it with --force\n`,
    );
    expect(readFileSync(delta, 'utf8')).toBe('mine');
    expect(await runCli(['delta', '--force', base, target, delta])).toMatchObject({ code: 0 });
    expect(readFileSync(delta).subarray(0, 4).toString('hex')).toBe('72730236');
  });

  it('leaves a file alone that appeared under the name while it worked', async () => {
    const { dir, base, target, delta } = await pair(60_000_000);
    const child = startCli(['delta', '--delta-effort', 'max', '--engine', 'js', '--jobs', '1', base, target, delta]);
    for (let tries = 0; tries < 500 && readdirSync(dir).length < 3; tries += 1) await wait(10);
    writeFileSync(delta, 'mine', { flag: 'wx' });
    expect(await finishedCli(child)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining(`${delta}: expected no such file, found one\n`),
    });
    expect(readFileSync(delta, 'utf8')).toBe('mine');
    expect(readdirSync(dir).sort()).toEqual(['base.img', 'made.rdiff', 'target.img']);
  });

  it.each([
    ['base.img', /base\.img: expected a file that is not read, found .*base\.img\n/],
    ['link.img', /link\.img: expected a file that is not read, found .*target\.img\n/],
    ['dangling', /dangling: expected no such file or a regular one, found a link to nothing\n/],
    ['', /expected the name of a file to write, found ''\n/],
    ['-', /expected the name of a file to write, found '-'\nhint: a file of that name is \.\/-\n/],
  ])("does not write to '%s', also with --force", async (name, message) => {
    const { dir, base, target } = await pair(1000);
    symlinkSync('target.img', join(dir, 'link.img'));
    symlinkSync('nowhere', join(dir, 'dangling'));
    const [before, baseBytes] = [readdirSync(dir), readFileSync(base)];
    const place = name.length > 1 ? join(dir, name) : name;
    const { code, stderr } = await runCli(['delta', '--force', base, target, place]);
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringMatching(message) });
    expect(readdirSync(dir)).toEqual(before);
    expect(readFileSync(base).equals(baseBytes)).toBe(true);
  });

  it('with --force replaces what a link leads to, not the link', async () => {
    const { dir, base, target, delta } = await pair(1000);
    mkdirSync(join(dir, 'elsewhere'));
    writeFileSync(join(dir, 'elsewhere', 'old.rdiff'), 'old');
    symlinkSync('elsewhere/old.rdiff', delta);
    expect(await runCli(['delta', '--force', base, target, delta])).toMatchObject({ code: 0 });
    expect(readdirSync(join(dir, 'elsewhere'))).toEqual(['old.rdiff']);
    expect(
      readFileSync(join(dir, 'elsewhere', 'old.rdiff'))
        .subarray(0, 4)
        .toString('hex'),
    ).toBe('72730236');
    expect(lstatSync(delta).isSymbolicLink()).toBe(true);
  });

  it('says before it works that the directory of the delta is not there', async () => {
    const { dir, base, target } = await pair(100_000);
    const delta = join(dir, 'nowhere', 'a.rdiff');
    const { code, stdout, stderr } = await runCli(['--json', 'delta', base, target, delta]);
    expect(code).toBe(2);
    expect(stderr).toBe(`update-repository: ${delta}: cannot create it: there is no such directory\n`);
    expect(stdout).not.toContain('job-started');
  });

  it('refuses a delta that the memory cannot hold, and names what it needs', async () => {
    const { dir, base, target, delta } = await pair(100_000);
    const { code, stderr } = await runCli(['delta', '--memory', '8M', base, target, delta]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/needs \d+M of memory, and the budget is 8M\nhint: run it with --memory \d+M or more\n$/);
    expect(readdirSync(dir).sort()).toEqual(['base.img', 'target.img']);
  });

  it.each(['base', 'target'] as const)('says it when there is no %s', async (missing) => {
    const files = await pair(1000);
    const line = { ...files, [missing]: join(files.dir, 'not-there.img') };
    const { code, stderr } = await runCli(['delta', line.base, line.target, line.delta]);
    expect(code).toBe(2);
    expect(stderr).toContain('not-there.img');
    expect(readdirSync(files.dir).sort()).toEqual(['base.img', 'target.img']);
  });

  it('leaves nothing behind when it is interrupted', async () => {
    const { dir, base, target, delta } = await pair(60_000_000);
    const child = startCli(['delta', '--delta-effort', 'max', '--engine', 'js', '--jobs', '1', base, target, delta]);
    for (let tries = 0; tries < 500 && readdirSync(dir).length < 3; tries += 1) await wait(10);
    child.kill('SIGINT');
    expect(await finishedCli(child)).toMatchObject({ code: 130 });
    expect(readdirSync(dir).sort()).toEqual(['base.img', 'target.img']);
  });
});
