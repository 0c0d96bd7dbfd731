import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Where this checkout lies. */
export const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** The command line of this checkout. */
export const thisProgram = join(root, 'bin', 'update-repository.js');

/** Throws where the project was not compiled, for then there is nothing to measure. */
export function requireBuild() {
  if (!existsSync(join(root, 'dist', 'program', 'main.js')))
    throw new Error('dist/ is missing: run npm run build first');
}

/**
 * A command that runs our program.
 * @param {string} program
 * @param {readonly string[]} args
 */
export function ours(program, ...args) {
  return [process.execPath, program, ...args];
}
