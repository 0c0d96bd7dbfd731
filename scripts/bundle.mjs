// Joins the compiled modules of the command line and of its worker threads into few files, dist/program/: a process
// then loads a third as many, and starts in two thirds of the time. The libraries stay where npm put them.
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

const bundle = await rolldown({
  input: {
    main: join(root, 'dist', 'cli', 'main.js'),
    // The pool looks for it beside itself.
    entry: join(root, 'dist', 'workers', 'entry.js'),
  },
  platform: 'node',
  external: Object.keys(dependencies),
});
// As deep below the root as what they are made of, which is how they find package.json and the WebAssembly modules.
await bundle.write({ dir: join(root, 'dist', 'program'), format: 'esm' });
await bundle.close();
