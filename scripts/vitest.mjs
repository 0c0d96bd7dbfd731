// Runs vitest once and counts what it did: its own display goes to the terminal, its JSON report to a temporary file.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
/** The program that is vitest. */
export const vitest = join(dirname(createRequire(import.meta.url).resolve('vitest/package.json')), 'vitest.mjs');

/**
 * What one run of vitest came to. A file that could not be loaded, a test that never ended and a crash of vitest
 * itself each count as a failure, so `failed` is 0 only when all went well.
 * @typedef {{passed: number, failed: number, skipped: number}} Counts
 */

/**
 * Runs vitest with `args` and the extra environment `env`.
 * @param {readonly string[]} args
 * @param {Readonly<Record<string, string>>} [env]
 * @returns {Promise<Counts>}
 */
export async function runVitest(args, env = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'update-repository-report-'));
  try {
    const report = join(folder, 'report.json');
    const reporters = ['default', 'json', join(root, 'scripts', 'overdue.mjs')].map((name) => `--reporter=${name}`);
    const ending = await run([vitest, 'run', ...reporters, `--outputFile.json=${report}`, ...args], {
      ...env,
      OVERDUE_FOLDER: folder,
    });
    const results = readReport(report);
    for (const line of failureLines(results)) console.error(line);
    return withCrash(countReport(results), ending);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * @typedef {{status: string, fullName: string}} TestResult
 * @typedef {{name: string, status: string, assertionResults: TestResult[]}} FileResult
 * @typedef {{testResults: FileResult[]}} Report
 */

/**
 * Sums up a report of vitest's JSON reporter; null, where none was written, gives zeros.
 * @param {Report | null} report
 * @returns {Counts}
 */
export function countReport(report) {
  const counts = { passed: 0, failed: 0, skipped: 0 };
  for (const file of report?.testResults ?? []) {
    for (const test of file.assertionResults) counts[kindOf(test.status)] += 1;
    if (failedAsWhole(file)) counts.failed += 1;
  }
  return counts;
}

/**
 * Whether a file failed outside of its tests, or died before it told which it has (vitest calls that 'passed').
 * @param {FileResult} file
 */
function failedAsWhole({ status, assertionResults: tests }) {
  return tests.length === 0 || (status === 'failed' && !tests.some((test) => kindOf(test.status) === 'failed'));
}

/**
 * Names what did not pass, a line each: vitest itself does not name the test that was running when its process died.
 * @param {Report | null} report
 */
function failureLines(report) {
  return (report?.testResults ?? []).flatMap((file) => {
    const name = relative(root, file.name);
    if (failedAsWhole(file)) return [`did not pass: ${name}`];
    return file.assertionResults
      .filter((test) => kindOf(test.status) === 'failed')
      .map((test) => `did not pass (${test.status}): ${name}: ${test.fullName}`);
  });
}

/**
 * The counts as one line: `N passed, N failed`, and `, N skipped` when there are any.
 * @param {Counts} counts
 */
export function countsLine({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
}

/** @param {string} status */
function kindOf(status) {
  if (status === 'passed') return 'passed';
  return status === 'skipped' || status === 'todo' ? 'skipped' : 'failed';
}

/**
 * Adds the failure that no test shows: vitest ended badly, or ran nothing at all.
 * @param {Counts} counts
 * @param {string} ending
 */
function withCrash(counts, ending) {
  if (counts.failed > 0) return counts;
  if (ending !== 'exit code 0') console.error(`no test failed, but vitest ended with ${ending}: see above`);
  else if (counts.passed === 0) console.error('no test was run');
  else return counts;
  return { ...counts, failed: 1 };
}

/** @param {string} file */
function readReport(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    console.error(`vitest left no report: ${error instanceof Error ? error.message : error}`);
    return null;
  }
}

/**
 * @param {readonly string[]} args
 * @param {Readonly<Record<string, string>>} env
 * @returns {Promise<string>} how it ended, in words
 */
function run(args, env) {
  // A Ctrl-C reaches vitest too; this process has to outlive it to remove the report and say the counts.
  process.on('SIGINT', waitForChild);
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { cwd: root, stdio: 'inherit', env: { ...process.env, ...env } });
    child.on('error', reject);
    child.on('close', (code, signal) => {
      process.off('SIGINT', waitForChild);
      resolve(signal === null ? `exit code ${code}` : `signal ${signal}`);
    });
  });
}

function waitForChild() {
  console.error('interrupted: waiting for vitest to end');
}
