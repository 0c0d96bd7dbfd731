// `npm run bench`: what we cost, beside the tools that people use instead. Tables go to stdout, the rest to stderr.
import { mkdirSync, statSync, writeFileSync } from 'node:fs';
import { machineLine } from './machine.mjs';
import { benches } from './parts.mjs';
import { requireBuild } from './program.mjs';
import { markdownBlock, plainBlock } from './report.mjs';
import { parseRequest, usage } from './request.mjs';
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
  const bench = benches.get(request?.bench ?? '');
  if (request === undefined || bench === undefined || !bench.files.includes(request.files.length)) {
    console.error(usage);
    return 2;
  }
  requireBuild();
  for (const file of request.files) statSync(file); // before the work, not after it
  mkdirSync(request.cache, { recursive: true });
  return await runParts(bench.parts, request, startReport(request));
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
  return 1;
}
