// `npm run bench -- build [--images DIR] [--runs N]` and `npm run bench -- memory [--size MB]`, both with
// `--cache DIR` (where images are made and kept) and `--json FILE`. Figures go to stdout.
import { mkdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { benchBuild } from './build.mjs';
import { makeCorpus } from './corpus.mjs';
import { benchMemory } from './memory.mjs';
import { requireBuild } from './our-build.mjs';

const usage =
  'usage: npm run bench -- build [--images DIR] [--runs N] | memory [--size MB]  [--cache DIR] [--json FILE]';

/** @typedef {{cache: string, runs: number, megabytes: number, imagesDir: string | undefined}} Request */
const benches = new Map([
  [
    'build',
    (/** @type {Request} */ { imagesDir, cache, runs }) =>
      benchBuild({ imagesDir: imagesDir ?? makeCorpus(cache), runs }),
  ],
  ['memory', (/** @type {Request} */ { cache, megabytes }) => benchMemory({ cache, sizeBytes: megabytes * 1e6 })],
]);

try {
  process.exitCode = await main();
} catch (error) {
  console.error(`bench: ${error instanceof Error ? error.message : error}`);
  process.exitCode = 1;
}

async function main() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      images: { type: 'string' },
      runs: { type: 'string', default: '3' },
      size: { type: 'string', default: '2000' },
      cache: { type: 'string', default: join(tmpdir(), 'update-repository-bench') },
      json: { type: 'string' },
    },
  });
  const cache = resolve(values.cache);
  const [runs, megabytes] = [Number(values.runs), Number(values.size)];
  const bench = benches.get(positionals.join(' '));
  if (bench === undefined || !Number.isInteger(runs) || runs < 1 || !(megabytes >= 1)) {
    console.error(usage);
    return 2;
  }
  requireBuild();
  mkdirSync(cache, { recursive: true });
  const figures = await bench({ cache, runs, megabytes, imagesDir: values.images });
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(figures, null, 2)}\n`);
  return 0;
}
