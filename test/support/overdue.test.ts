import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, onTestFinished, test } from 'vitest';
import { vitest } from '../../scripts/vitest.mjs';
import { projectRoot } from '../cli/run.js';
import { temporaryDirectoryOfSuite } from './temporary-directory.js';

const reporter = join(projectRoot, 'scripts', 'overdue.mjs');

describe('a test file from which nothing is heard any more', () => {
  const dir = temporaryDirectoryOfSuite();

  /** Runs test files with a limit of 5 s for each test, and 3 s more to be heard of. */
  async function runTests(name: string, files: Readonly<Record<string, string>>) {
    const folder = join(dir, name);
    const notes = join(folder, 'notes');
    mkdirSync(notes, { recursive: true });
    writeFileSync(
      join(folder, 'vitest.config.mjs'),
      `import { overdueSettings } from ${JSON.stringify(reporter)};
      export default { test: { globals: true, testTimeout: 5000, hookTimeout: 5000, ...overdueSettings } };`,
    );
    for (const [file, source] of Object.entries(files)) writeFileSync(join(folder, `${file}.test.js`), source);
    const report = join(folder, 'report.json');
    const reporters = ['json', reporter].map((one) => `--reporter=${one}`);
    const child = spawn(process.execPath, [vitest, 'run', ...reporters, `--outputFile.json=${report}`], {
      cwd: folder,
      detached: true,
      env: { ...process.env, OVERDUE_FOLDER: notes, OVERDUE_GRACE_MS: '3000' },
    });
    // With the processes of its test files, should it not get as far as to end them.
    onTestFinished(() => endGroup(child.pid));
    const [said] = await Promise.all([text(child.stderr), text(child.stdout), once(child, 'close')]);
    const { testResults } = JSON.parse(readFileSync(report, 'utf8'));
    const statuses = Object.fromEntries(
      testResults
        .flatMap(({ assertionResults }: { assertionResults: object[] }) => assertionResults)
        .map(({ title, status }: { title: string; status: string }) => [title, status]),
    );
    return { said, statuses, code: child.exitCode };
  }

  test('is named with the code that it computes in, and ended; the others run on', async () => {
    const { said, statuses, code } = await runTests('loops', {
      loops: `
        function neverReady() { for (;;) Math.random(); }
        // What vitest tells of its tests takes its time.
        const soon = () => new Promise((done) => setTimeout(done, 2500));
        describe('a suite', () => test('loops', async () => { await soon(); neverReady(); }));
        test('never comes', () => undefined);`,
      other: `test('passes', () => new Promise((done) => setTimeout(done, 100)));`,
    });
    expect(said).toMatch(/^OVERDUE: loops\.test\.js: 'a suite > loops' runs, .* \(R \(running\)\) is ended$/m);
    expect(said).toMatch(/^ +at neverReady \(.*loops\.test\.js:2:/m);
    expect(statuses).toMatchObject({ passes: 'passed', 'never comes': 'pending' });
    expect(code).toBe(1);
  });

  test('is ended also where its process is stopped, in a hook as well as in a test', async () => {
    const { said, code } = await runTests('stands', {
      stands: `
        beforeAll(async () => {
          await new Promise((done) => setTimeout(done, 2500));
          process.kill(process.pid, 'SIGSTOP');
        });
        test('never comes', () => undefined);`,
    });
    expect(said).toMatch(/^OVERDUE: stands\.test\.js: beforeAll of 'stands\.test\.js' runs, .*\(T \(stopped\)\)/m);
    expect(said).toContain('it does not say where it is');
    expect(code).toBe(1);
  });

  test('is ended also while it is loaded', async () => {
    const { said, code } = await runTests('loads', { loads: `for (;;) Math.random();` });
    expect(said).toMatch(/^OVERDUE: loads\.test\.js: is loaded, .* \(R \(running\)\) is ended$/m);
    expect(said).toMatch(/^ +at .*loads\.test\.js:1:/m);
    expect(code).toBe(1);
  });

  test('is nothing that vitest can end by itself', async () => {
    const { said, statuses, code } = await runTests('waits', {
      waits: `
        test('waits for ever', () => new Promise(() => undefined));
        test('passes', () => new Promise((done) => setTimeout(done, 100)));`,
    });
    expect(said).not.toContain('OVERDUE');
    expect(statuses).toEqual({ 'waits for ever': 'failed', passes: 'passed' });
    expect(code).toBe(1);
  });
});

function endGroup(pid: number | undefined): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL');
  } catch (error) {
    expect(error).toMatchObject({ code: 'ESRCH' });
  }
}
