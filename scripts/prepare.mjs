// npm runs this after `npm ci` in a checkout, and before it packs. It builds; in an installation without the
// development dependencies there is nothing to build with, so dist/ has to be there already.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

if (hasCompiler()) {
  const build = spawnSync(process.execPath, [join(root, 'scripts', 'build.mjs')], { stdio: 'inherit' });
  process.exit(build.status ?? 1);
}
if (!existsSync(join(root, 'dist', 'program', 'main.js'))) {
  console.error(
    'update-repository: dist/ is missing and typescript is not installed: run npm ci with its dev dependencies',
  );
  process.exit(1);
}

function hasCompiler() {
  try {
    createRequire(import.meta.url).resolve('typescript/package.json');
    return true;
  } catch {
    return false;
  }
}
