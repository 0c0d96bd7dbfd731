// Compiles src/ and native/ to dist/, bundles the program there, writes the manual page and keeps what V8 makes of the
// program. The old dist/ goes first, so that a renamed source leaves no stale module behind.
import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const typescript = dirname(createRequire(import.meta.url).resolve('typescript/package.json'));
rmSync(join(root, 'dist'), { recursive: true, force: true });
const compiler = spawnSync(
  process.execPath,
  [join(typescript, 'bin', 'tsc'), '-p', join(root, 'tsconfig.build.json')],
  {
    stdio: 'inherit',
  },
);
if (compiler.status !== 0) process.exit(compiler.status ?? 1);
await import('../native/build.mjs');
await import('./man.mjs');
await import('./bundle.mjs');
const { status } = spawnSync(process.execPath, [join(root, 'scripts', 'code-cache.mjs')], {
  stdio: ['ignore', 'ignore', 'inherit'],
});
if (status !== 0) process.exit(status ?? 1);
