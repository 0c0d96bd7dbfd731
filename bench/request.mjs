import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { thisProgram } from './program.mjs';

/** How the benches are called. */
export const usage = `usage: npm run bench --                   every bench on a corpus but build, publish, client and trust
       npm run bench -- delta [OLD NEW]  deltas of two files, or of the corpus, beside rdiff, xdelta3 and zstd
       npm run bench -- signature FILE   signatures beside rdiff's
       npm run bench -- digests FILE     our digests beside node:crypto's
       npm run bench -- shapes           inputs that are as easy or as hard as can be
       npm run bench -- memory           peak memory of deltas and of a build
       npm run bench -- build            a build beside the old producer's commands
       npm run bench -- publish MIRROR   a mirror into a directory and into S3, beside rclone
       npm run bench -- client [OLD NEW] a delta applied as it comes, beside rdiff and cp
       npm run bench -- trust            10,000 files signed and verified, beside a list signed by gpg
options: --runs N        take the medians of so many runs (default: 5; build, publish, client and trust 3; memory is run once)
         --cache DIR     make and keep files here (default: update-repository-bench in the temporary directory)
         --json FILE     write all figures
         --markdown FILE write the tables for a Markdown page
         --program FILE  measure this bin/update-repository.js in place of this checkout's
         --effort E      delta: --delta-effort of ours (default: the program's own choice, or the corpus')
         --no-xdelta     delta: leave out xdelta3, which takes minutes
         --size MB[,MB]  shapes: MiB of base and of target (default: 512); memory: of bases (default: 1000,9000)
         --images DIR    build: these images instead of a corpus of real packages
         --help          show this`;

/**
 * `runs`, `sizes`, `effort` and `images` are undefined where the bench itself chooses.
 * @typedef {{
 *   bench: string, files: string[], cache: string, program: string, runs: number | undefined,
 *   sizes: number[] | undefined, effort: import('./corpus/pairs.mjs').Effort | undefined, xdelta: boolean,
 *   images: string | undefined, json: string | undefined, markdown: string | undefined,
 * }} Request
 */

/** A command line that is wrong; the message says in what. */
export class UsageError extends Error {}

/**
 * Understands a command line. The bench without a name is `all`, and `help` the one that is asked for by `--help`.
 * @param {readonly string[]} argv
 * @returns {Request}
 * @throws UsageError
 */
export function parseRequest(argv) {
  const { values, positionals } = parseLine(argv);
  const [bench = 'all', ...files] = positionals;
  if (bench === 'all' && values.size !== undefined) {
    throw new UsageError('--size: expected shapes or memory in front of it, found neither');
  }
  return {
    bench: values.help ? 'help' : bench,
    files: files.map((file) => resolve(file)),
    cache: resolve(values.cache),
    program: resolve(values.program),
    runs: values.runs === undefined ? undefined : countOf('--runs', values.runs),
    sizes: values.size?.split(',').map((size) => countOf('--size', size)),
    effort: effortOf(values.effort),
    xdelta: !values['no-xdelta'],
    images: values.images,
    json: values.json,
    markdown: values.markdown,
  };
}

/**
 * @param {string} option
 * @param {string} text
 */
function countOf(option, text) {
  const count = Number(text);
  if (Number.isInteger(count) && count >= 1) return count;
  throw new UsageError(`${option}: expected a whole number from 1 on, found '${text}'`);
}

/** @param {string | undefined} text */
function effortOf(text) {
  const effort = /** @type {const} */ (['fast', 'normal', 'max']).find((known) => known === text);
  if (effort !== undefined || text === undefined) return effort;
  throw new UsageError(`--effort: expected fast, normal or max, found '${text}'`);
}

/** @param {readonly string[]} argv */
function parseLine(argv) {
  try {
    return parseOptions([...argv]);
  } catch (error) {
    // The first sentence says what is wrong, the others how to call a file so.
    throw new UsageError(String(error instanceof Error ? error.message.split('. ')[0] : error));
  }
}

/** @param {string[]} args */
function parseOptions(args) {
  return parseArgs({
    args,
    allowPositionals: true,
    options: {
      help: { type: 'boolean', short: 'h', default: false },
      runs: { type: 'string' },
      cache: { type: 'string', default: join(tmpdir(), 'update-repository-bench') },
      json: { type: 'string' },
      markdown: { type: 'string' },
      program: { type: 'string', default: thisProgram },
      effort: { type: 'string' },
      'no-xdelta': { type: 'boolean', default: false },
      size: { type: 'string' },
      images: { type: 'string' },
    },
  });
}
