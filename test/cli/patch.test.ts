import { execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, mkdirSync, openSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { makeDelta } from '../delta/support/engine.js';
import { pseudoRandomBytes } from '../support/pseudo-random.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { requireTools } from '../support/tools.js';
import { finishedCli, projectRoot, runCli, startCli } from './run.js';

const base = pseudoRandomBytes('cli patch', 3_000_000);
const target = Buffer.concat([base.subarray(1_000_000), Buffer.from('fresh'), base.subarray(0, 999_000)]);
const sha256 = createHash('sha256').update(target).digest('hex');

async function workshop() {
  const dir = await temporaryDirectory();
  const { basePath, deltaPath } = makeDelta(dir, base, target);
  const targetPath = join(dir, 'new.img');
  return { dir, basePath, deltaPath, targetPath, args: ['patch', basePath, deltaPath, targetPath] };
}

/** A delta of 310 bytes that makes a target of 300 GB of a base of 3,000,000 bytes a copy. */
async function endlessWorkshop() {
  const { dir, basePath, targetPath } = await workshop();
  const deltaPath = join(dir, 'endless.rdiff');
  const copies = Array<Buffer>(100_000).fill(Buffer.from('4700002dc6c0', 'hex'));
  writeFileSync(deltaPath, Buffer.concat([Buffer.from('72730236', 'hex'), ...copies, Buffer.of(0)]));
  return { dir, args: ['patch', basePath, deltaPath, targetPath], basePath, deltaPath };
}

describe('patch', () => {
  it('makes the target, and says so', async () => {
    const { dir, args, basePath, deltaPath, targetPath } = await workshop();
    const before = readdirSync(dir);
    const { stdout, stderr, code } = await runCli([...args, '--sha256', sha256.toUpperCase()]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^.*\/new\.img: 2\.9 MiB, made from .* and .*, \d+ ms\n$/);
    expect(stdout).toContain(`made from ${basePath} and ${deltaPath}, `);
    expect(stderr).toMatch(/^\[1\] patch .*\/new\.img: 2\.9 MiB, from .*, \d+ ms\n$/);
    expect(readFileSync(targetPath).equals(target)).toBe(true);
    expect(readdirSync(dir).sort()).toEqual([...before, 'new.img'].sort());
  });

  it('with --json tells the job and the summary, a line each', async () => {
    const { args, basePath, deltaPath, targetPath } = await workshop();
    const { stdout, stderr, code } = await runCli(['--json', ...args]);
    expect({ stderr, code }).toEqual({ stderr: '', code: 0 });
    const events = stdout
      .trimEnd()
      .split('\n')
      .map((line): unknown => JSON.parse(line));
    expect(events.at(0)).toEqual({
      type: 'job-started',
      job: 1,
      kind: 'patch',
      path: targetPath,
      totalBytes: base.length,
    });
    expect(events.at(-2)).toMatchObject({ type: 'job-finished', job: 1, kind: 'patch', sizeBytes: target.length });
    expect(events.at(-1)).toEqual({
      type: 'patch-summary',
      base: basePath,
      delta: deltaPath,
      target: targetPath,
      targetBytes: target.length,
      durationMs: expect.any(Number),
    });
  });

  it('makes what rdiff patch makes', async (context) => {
    requireTools(context, 'rdiff');
    const { dir, args, basePath, deltaPath, targetPath } = await workshop();
    expect((await runCli(['-q', ...args])).code).toBe(0);
    execFileSync('rdiff', ['patch', basePath, deltaPath, join(dir, 'theirs')]);
    expect(readFileSync(targetPath).equals(readFileSync(join(dir, 'theirs')))).toBe(true);
  });

  it('does not replace a file unless it is told to', async () => {
    const { args, targetPath } = await workshop();
    writeFileSync(targetPath, 'old');
    const { stderr, code } = await runCli(args);
    expect({ stderr, code }).toEqual({
      stderr: `update-repository: ${targetPath}: expected no such file, found one\nhint: choose another name, or replace it with --force\n`,
      code: 2,
    });
    expect(readFileSync(targetPath, 'utf8')).toBe('old');
    expect((await runCli(['-q', ...args, '-f'])).code).toBe(0);
    expect(readFileSync(targetPath).equals(target)).toBe(true);
  });

  it('replaces no directory and no device, whatever it is told', async () => {
    const { dir, args } = await workshop();
    mkdirSync(join(dir, 'folder'));
    symlinkSync('/dev/null', join(dir, 'null'));
    const folder = await runCli([...args.slice(0, 3), join(dir, 'folder'), '-f']);
    expect(folder).toMatchObject({ code: 2, stdout: '' });
    expect(folder.stderr).toContain('/folder: expected no such file or a regular one, found a directory\n');
    expect((await runCli([...args.slice(0, 3), join(dir, 'null'), '-f'])).code).toBe(2);
  });

  it('with another sha256 leaves no file and exits with 3', async () => {
    const { dir, args } = await workshop();
    const before = readdirSync(dir);
    const { stderr, code } = await runCli(['-q', ...args, '--sha256', sha256.replace(/./, 'f')]);
    expect(code).toBe(3);
    expect(stderr).toContain(`, found ${sha256}\n`);
    expect(readdirSync(dir)).toEqual(before);
  });

  it('of a damaged delta leaves no file, tells the place and exits with 3', async () => {
    const { dir, args, deltaPath } = await workshop();
    writeFileSync(deltaPath, readFileSync(deltaPath).subarray(0, -1));
    const before = readdirSync(dir);
    const { stdout, stderr, code } = await runCli(['--json', ...args]);
    expect(code).toBe(3);
    expect(stderr).toMatch(/: at byte \d+ of the delta: expected its end command, found the end of the data\nhint: /);
    const types = stdout
      .trimEnd()
      .split('\n')
      .map((line) => (JSON.parse(line) as { type: string }).type);
    expect(types.slice(-2)).toEqual(['job-failed', 'error']);
    expect(readdirSync(dir)).toEqual(before);
  });

  it.each([
    [['--sha256', 'abc'], "option --sha256: expected a sha256 of 64 hex digits, found 'abc'"],
    [['--forse'], "unknown option '--forse' (did you mean --force?)"],
  ])('refuses %j', async (flags, message) => {
    const { args } = await workshop();
    expect(await runCli([...args, ...flags])).toMatchObject({ code: 2, stderr: `update-repository: ${message}\n` });
  });

  it.each(['SIGINT', 'SIGTERM'] as const)('stopped by %s leaves nothing, also within a long copy', async (signal) => {
    const { dir, args } = await endlessWorkshop();
    const before = readdirSync(dir);
    const child = startCli(['--json', ...args]);
    child.stdout.setEncoding('utf8');
    child.stdout.on('data', (chunk: string) => {
      if (chunk.includes('"job-progress"') && !child.killed) child.kill(signal);
    });
    const { stderr, code } = await finishedCli(child);
    expect({ stderr, code }).toEqual({ stderr: `update-repository: interrupted by ${signal}\n`, code: 130 });
    expect(readdirSync(dir)).toEqual(before);
  });
});

describe('patch to standard output', () => {
  it('writes the target there and nothing else', async () => {
    const { dir, basePath, deltaPath } = await workshop();
    const file = openSync(join(dir, 'out'), 'w');
    const program = join(projectRoot, 'bin', 'update-repository.js');
    const child = spawn(process.execPath, [program, 'patch', basePath, deltaPath, '-'], {
      stdio: ['ignore', file, 'ignore'],
    });
    expect(await once(child, 'close')).toEqual([0, null]);
    closeSync(file);
    expect(readFileSync(join(dir, 'out')).equals(target)).toBe(true);
  });

  it('waits for a slow reader', async () => {
    const { basePath, deltaPath } = await workshop();
    const child = startCli(['-q', 'patch', basePath, deltaPath, '-']);
    const pieces: Buffer[] = [];
    for await (const piece of child.stdout) {
      pieces.push(piece);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    expect(Buffer.concat(pieces).equals(target)).toBe(true);
  });

  it('ends without a word when nobody reads any more', async () => {
    const { basePath, deltaPath } = await endlessWorkshop();
    const child = startCli(['-q', 'patch', basePath, deltaPath, '-']);
    await once(child.stdout, 'data');
    child.stdout.destroy();
    let stderr = '';
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      stderr += chunk;
    });
    const [code] = await once(child, 'close');
    expect({ stderr, code }).toEqual({ stderr: '', code: 130 });
  });

  it('says when the disk behind it is full', async () => {
    const { basePath, deltaPath } = await workshop();
    const full = openSync('/dev/full', 'w');
    const program = join(projectRoot, 'bin', 'update-repository.js');
    const child = spawn(process.execPath, [program, '-q', 'patch', basePath, deltaPath, '-'], {
      stdio: ['ignore', full, 'pipe'],
    });
    let stderr = '';
    child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
      stderr += chunk;
    });
    const [code] = await once(child, 'close');
    closeSync(full);
    expect(stderr).toMatch(/^update-repository: standard output: cannot write: no space left on device\n/);
    expect(code).toBe(6);
  });

  it('has no room for --json there', async () => {
    const { basePath, deltaPath } = await workshop();
    const { stderr, code } = await runCli(['--json', 'patch', basePath, deltaPath, '-']);
    expect(code).toBe(2);
    expect(stderr).toBe("update-repository: option '--json' cannot be used with '-': both want standard output\n");
  });
});
