// `npm run soak [-- --seed S --kills N --runs N --publishes N --jobs N] [FILE…]`: the long form of every suite that reads
// SOAK_SEED, SOAK_RUNS (cases of a usual property, in proportion more or fewer of another), SOAK_KILLS (interrupted builds)
// or SOAK_PUBLISHES (with readers), each in a vitest of its own and without time limits, as many at once as there are
// processors, or `--jobs`. The seed is printed: giving it again repeats a failure.
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { countsLine, runVitest } from './vitest.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seed: { type: 'string' },
    kills: { type: 'string' },
    runs: { type: 'string' },
    publishes: { type: 'string' },
    jobs: { type: 'string' },
  },
});
const jobs = Number(wholeNumber('jobs', values.jobs ?? String(availableParallelism())));
const soak = {
  SOAK_SEED: wholeNumber('seed', values.seed ?? String(Date.now() % 2 ** 31)),
  SOAK_RUNS: wholeNumber('runs', values.runs ?? '20000'),
  SOAK_KILLS: wholeNumber('kills', values.kills ?? '200'),
  SOAK_PUBLISHES: wholeNumber('publishes', values.publishes ?? '100'),
};
const build = spawnSync(process.execPath, [join(root, 'scripts', 'build.mjs')], { stdio: 'inherit' });
process.exitCode = build.status === 0 ? await soakAll(positionals.length > 0 ? positionals : soakSuites()) : 1;

/**
 * @param {readonly string[]} suites test files, relative to the project
 * @returns {Promise<number>} the exit code
 */
async function soakAll(suites) {
  console.log(
    Object.entries(soak)
      .map((entry) => entry.join('='))
      .join(' '),
  );
  /** @type {string[]} */
  const lines = [];
  let failed = 0;
  const waiting = suites.values();
  const soakNext = async () => {
    for (const suite of waiting) {
      const started = performance.now();
      const counts = await runVitest([suite, '--testTimeout=0', '--hookTimeout=0'], soak);
      lines.push(`${suite}: ${countsLine(counts)} (${Math.round((performance.now() - started) / 1000)} s)`);
      failed += counts.failed;
    }
  };
  await Promise.all(Array.from({ length: Math.max(1, jobs) }, soakNext));
  for (const line of lines) console.log(line);
  console.log(`${suites.length} suites, ${failed} failed, SOAK_SEED=${soak.SOAK_SEED}`);
  return failed > 0 || suites.length === 0 ? 1 : 0;
}

/** The test files that know how to run for longer: those that read a SOAK_ variable, or import what reads one. */
function soakSuites() {
  const files = readdirSync(join(root, 'test'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => join('test', name));
  const texts = new Map(files.map((file) => [file, readFileSync(join(root, file), 'utf8')]));
  const soaking = new Set(files.filter((file) => texts.get(file)?.includes('SOAK_')));
  // A set hands out what is added while it is walked, so this follows imports of imports too.
  for (const imported of soaking) {
    for (const [file, text] of texts) if (importsOf(file, text).includes(imported)) soaking.add(file);
  }
  return [...soaking].filter((file) => file.endsWith('.test.ts')).sort();
}

/**
 * The project's own files that a test file imports.
 * @param {string} file
 * @param {string} text
 */
function importsOf(file, text) {
  return [...text.matchAll(/ from '(\.[^']+)\.js'/g)].map(([, path]) => join(dirname(file), `${path}.ts`));
}

/**
 * @param {string} option
 * @param {string} text
 */
function wholeNumber(option, text) {
  if (/^\d{1,10}$/.test(text)) return text;
  console.error(`--${option}: expected a whole number, found '${text}'`);
  process.exit(2);
}
