// `npm run fuzz [-- --seconds N --seed S --target delta|signature] [INPUT…]`: the cores under a coverage-guided fuzzer
// (libFuzzer, of Debian's clang) with sanitizers, each for 60 seconds. Inputs are decisions of a trial: see
// native/test/delta-trial.h and signature-trial.h. An input that fails is kept in native/fuzz/out/, and the exit code is
// 1; given as an argument, with its target, it is run again. The edges that are counted are also those to what a
// sanitizer does when it has found something, so less than half of them is all of a core.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const SEED_INPUTS = 256;
const INPUT_BYTES_MAX = 1024;
/** With which libFuzzer ends after a Ctrl-C. */
const INTERRUPTED = 72;

/** What is fuzzed: the core's sources, which guide the fuzzer, and the trials around them, which do not. */
const TARGETS = {
  delta: {
    core: ['delta-core.c', 'test/simd/simd-core.c'],
    trials: ['test/base.c', 'fuzz/delta-fuzzer.c'],
  },
  signature: { core: ['signature-core.c'], trials: ['fuzz/signature-fuzzer.c'] },
};

const native = dirname(dirname(fileURLToPath(import.meta.url)));
const findings = join(native, 'fuzz', 'out');

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { seconds: { type: 'string' }, seed: { type: 'string' }, target: { type: 'string' } },
});
const seconds = wholeNumber('seconds', values.seconds ?? '60');
const seed = wholeNumber('seed', values.seed ?? String(1 + (Date.now() % 2 ** 31)));
const targets = Object.entries(TARGETS).filter(([name]) => name === (values.target ?? name));
if (targets.length === 0) usage(`--target: expected delta or signature, found '${values.target}'`);
if (targets.length > 1 && positionals.length > 0) usage('an input belongs to one target: say which with --target');

const folder = mkdtempSync(join(tmpdir(), 'update-repository-fuzz-'));
// What interrupts this reaches the fuzzer, too, which ends then.
process.on('SIGINT', () => undefined);
try {
  process.exitCode = 0;
  for (const [name, { core, trials }] of targets) {
    const fuzzer = build(name, core, trials);
    process.exitCode = positionals.length > 0 ? runInputs(fuzzer, positionals) : await fuzz(name, fuzzer);
    if (process.exitCode !== 0) break;
  }
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 2;
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/**
 * @param {string} name
 * @param {readonly string[]} core
 * @param {readonly string[]} trials
 * @returns {string} the program
 */
function build(name, core, trials) {
  const checks = ['-fsanitize=address,undefined', '-fno-sanitize-recover=all'];
  // Inputs decide what is made, and are compared with nothing: looking for what they are compared with is in vain.
  const guided = [...checks, '-fsanitize=fuzzer-no-link', '-fno-sanitize-coverage=trace-cmp'];
  const objects = [
    ...core.map((source) => compile(source, guided)),
    ...trials.map((source) => compile(source, checks)),
  ];
  const program = join(folder, name);
  clang([...checks, '-fsanitize=fuzzer', ...objects, '-o', program]);
  return program;
}

/**
 * @param {string} source
 * @param {readonly string[]} options
 * @returns {string} the object file
 */
function compile(source, options) {
  const object = join(folder, `${source.replaceAll('/', '-')}.o`);
  clang([
    '-std=c17',
    '-O2',
    '-g',
    '-Wall',
    '-Wextra',
    '-Werror',
    '-Itest/simd',
    ...options,
    '-c',
    source,
    '-o',
    object,
  ]);
  return object;
}

/** @param {readonly string[]} args */
function clang(args) {
  const { status, error } = spawnSync('clang', args, { cwd: native, stdio: 'inherit' });
  if (status === 0) return;
  throw new Error(error ? `clang cannot be run: ${error.message}` : 'the fuzzer does not compile');
}

/**
 * @param {string} fuzzer
 * @param {readonly string[]} inputs
 * @returns {number} the exit code
 */
function runInputs(fuzzer, inputs) {
  return spawnSync(fuzzer, inputs, { stdio: 'inherit' }).status === 0 ? 0 : 1;
}

/**
 * @param {string} name
 * @param {string} fuzzer
 * @returns {Promise<number>} the exit code
 */
async function fuzz(name, fuzzer) {
  const corpus = join(folder, `${name}-corpus`);
  mkdirSync(corpus);
  for (let n = 0; n < SEED_INPUTS; n += 1) writeFileSync(join(corpus, `seed-${n}`), seedInput(n));
  mkdirSync(findings, { recursive: true });
  console.log(`fuzzing the ${name} core for ${seconds} s, --seed ${seed}`);
  const limits = [`-max_total_time=${seconds}`, `-max_len=${INPUT_BYTES_MAX}`, '-timeout=120'];
  const report = ['-print_final_stats=1', `-artifact_prefix=${findings}/${name}-`];
  const child = spawn(fuzzer, [`-seed=${seed}`, ...limits, ...report, corpus], {
    stdio: ['ignore', 'inherit', 'pipe'],
  });
  const ended = new Promise((resolve) => child.on('close', resolve));
  const summary = await follow(child.stderr);
  const code = await ended;
  const { executions, edges, features, instrumented, input } = summary;
  console.log(`${executions} executions, coverage ${edges} of ${instrumented} edges, ${features} features`);
  if (code === 0) console.log('found nothing');
  else if (code === INTERRUPTED) console.log('interrupted, found nothing until then');
  else console.log(`FOUND: ${input === '' ? 'no input was kept' : relative(process.cwd(), input)}`);
  return code === 0 ? 0 : code === INTERRUPTED ? 130 : 1;
}

/**
 * Reads what the fuzzer says: shows what is no progress, and keeps the figures.
 * @param {import('node:stream').Readable} messages
 */
async function follow(messages) {
  const summary = { executions: '0', edges: '0', features: '0', instrumented: '0', input: '' };
  for await (const line of createInterface(messages)) {
    const [, edges, features] = / cov: (\d+) ft: (\d+) /.exec(line) ?? [];
    const [, instrumented] = /\((\d+) inline 8-bit counters\)/.exec(line) ?? [];
    const [, executions] = /^stat::number_of_executed_units: (\d+)/.exec(line) ?? [];
    const [, input] = /Test unit written to (.*)/.exec(line) ?? [];
    Object.assign(summary, edges && { edges, features }, instrumented && { instrumented });
    Object.assign(summary, executions && { executions }, input && { input });
    const isProgress = /^#\d+\t(NEW|REDUCE|RELOAD) |^INFO: |^stat::|Uses: \d+$|Recommended dictionary/.test(line);
    if (!isProgress) console.error(line);
  }
  return summary;
}

/**
 * Bytes that depend on the seed and the number of the input, of various lengths.
 * @param {number} number
 */
function seedInput(number) {
  const hash = createHash('shake256', { outputLength: INPUT_BYTES_MAX }).update(`${seed}/${number}`).digest();
  return hash.subarray(0, 16 + ((number * 37) % 300));
}

/**
 * @param {string} option
 * @param {string} text
 */
function wholeNumber(option, text) {
  if (/^\d{1,10}$/.test(text)) return Number(text);
  return usage(`--${option}: expected a whole number, found '${text}'`);
}

/**
 * @param {string} message
 * @returns {never}
 */
function usage(message) {
  console.error(message);
  process.exit(2);
}
