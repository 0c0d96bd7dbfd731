// `npm run bench`: what we cost, beside the tools that people use instead. Tables go to stdout, the rest to stderr.
import { mkdirSync, statSync, writeFileSync } from 'node:fs';
import { machineLine } from './machine.mjs';
import { benches } from './parts.mjs';
import { requireBuild } from './program.mjs';
import { markdownBlock, plainBlock } from './report.mjs';
import { parseRequest, UsageError, usage } from './request.mjs';
import { targetsBlock } from './targets/target.mjs';
import { targetsOf } from './targets/targets.mjs';

/** @typedef {import('./request.mjs').Request} Request */
/** @typedef {import('./report.mjs').Say} Say */

try {
  process.exitCode = await main();
} catch (error) {
  process.exitCode = failed(error);
}

async function main() {
  const request = parseRequest(process.argv.slice(2));
  if (request.bench === 'help') {
    console.log(usage);
    return 0;
  }
  const bench = benchOf(request);
  requireBuild();
  // Before the work, not after it.
  for (const file of request.files) requireInput(file, request.bench);
  mkdirSync(request.cache, { recursive: true });
  return await runParts(bench.parts, request, startReport(request));
}

/** @param {Request} request */
function benchOf({ bench: name, files }) {
  const bench = benches.get(name);
  if (bench === undefined) {
    throw new UsageError(`expected one of the benches ${[...benches.keys()].join(', ')}, found '${name}'`);
  }
  if (bench.files.includes(files.length)) return bench;
  throw new UsageError(`${name}: expected ${bench.files.join(' or ')} files, found ${files.length}`);
}

/**
 * A directory is what `publish` takes, and a file with something in it what all others do.
 * @param {string} path
 * @param {string} bench
 */
function requireInput(path, bench) {
  const stats = statSync(path, { throwIfNoEntry: false });
  const wanted = bench === 'publish' ? 'a mirror' : 'a file that is not empty';
  if (stats === undefined) throw new UsageError(`${path}: expected ${wanted}, found nothing`);
  if (bench === 'publish' ? stats.isDirectory() : stats.isFile() && stats.size > 0) return;
  const found = stats.isDirectory() ? 'a directory' : `a file of ${stats.size} bytes`;
  throw new UsageError(`${path}: expected ${wanted}, found ${found}`);
}

/**
 * One part after the other: hours of work are not lost because one of them failed. Returns the exit code.
 * @param {readonly import('./parts.mjs').Part[]} parts
 * @param {Request} request
 * @param {Say} say
 */
async function runParts(parts, request, say) {
  let exitCode = 0;
  /** @type {import('./parts.mjs').Figures} */
  const figures = {};
  for (const part of parts) {
    try {
      Object.assign(figures, await part(request, say));
    } catch (error) {
      exitCode = failed(error);
    }
    if (request.json !== undefined) {
      const all = { ...figures, targets: targetsOf(figures) };
      writeFileSync(request.json, `${JSON.stringify(all, null, 2)}\n`);
    }
  }
  const targets = targetsOf(figures);
  if (targets.length > 0) say(targetsBlock(targets));
  return exitCode;
}

/**
 * Prints the machine, then block by block; the page is written anew with each, for a long run may end early.
 * @param {Request} request
 * @returns {Say}
 */
function startReport({ markdown }) {
  const page = [`${machineLine()}\n`];
  console.log(page[0]);
  return (block) => {
    console.log(plainBlock(block));
    page.push(markdownBlock(block));
    if (markdown !== undefined) writeFileSync(markdown, page.join('\n'));
  };
}

/** @param {unknown} error */
function failed(error) {
  console.error(`bench: ${error instanceof Error ? error.message : error}`);
  if (!(error instanceof UsageError)) return 1;
  console.error('hint: npm run bench -- --help shows how it is called');
  return 2;
}
