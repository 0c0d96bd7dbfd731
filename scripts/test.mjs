// `npm test [-- ARGUMENTS OF VITEST]`: compiles src/ once, because the worker pool and the command line are tested as
// compiled code, then runs all tests. The last line of the output is the number of tests passed, failed and skipped.
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { countsLine, runVitest } from './vitest.mjs';

const build = spawnSync(process.execPath, [join(dirname(fileURLToPath(import.meta.url)), 'build.mjs')], {
  stdio: 'inherit',
});
const counts = build.status === 0 ? await runVitest(process.argv.slice(2)) : { passed: 0, failed: 1, skipped: 0 };
if (build.status !== 0) console.error('src/ does not compile: no test was run');
console.log(countsLine(counts));
process.exitCode = counts.failed > 0 ? 1 : 0;
