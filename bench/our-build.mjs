import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { measure } from './measure.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** What both benches measure: the whole build, with the deltas that the old producer makes, all of them published. */
const flags = ['--deltas', 'puavo', '--max-delta-ratio', '1', '--base-url', 'https://images.example.org', '--quiet'];

/**
 * Builds `mirror` by the command line of this project, and says what it cost.
 * @param {string} imagesDir
 * @param {string} mirror
 */
export function measureOurBuild(imagesDir, mirror) {
  const binary = join(root, 'bin', 'update-repository.js');
  return measure(process.execPath, [binary, imagesDir, mirror, ...flags]);
}

/** Throws where the project was not compiled, for then there is nothing to measure. */
export function requireBuild() {
  if (!existsSync(join(root, 'dist', 'cli', 'main.js'))) throw new Error('dist/ is missing: run npm run build first');
}
