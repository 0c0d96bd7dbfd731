// Joins the compiled modules of the command line and of its worker threads into few files, dist/program/, which are
// CommonJS: a process then loads a third as many, by the quicker of the two loaders, and starts in half the time. The
// libraries stay where npm put them, but for the one that every command needs.
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

/** The modules inside of a library are its own, too: a second copy of them would have other classes. */
const outside = Object.keys(dependencies).filter((name) => name !== 'commander');

const bundle = await rolldown({
  input: {
    main: join(root, 'dist', 'cli', 'main.js'),
    // The pool looks for it beside itself.
    entry: join(root, 'dist', 'workers', 'entry.js'),
  },
  platform: 'node',
  external: (id) => outside.some((name) => id === name || id.startsWith(`${name}/`)),
});
// As deep below the root as what they are made of, which is how they find package.json and the WebAssembly modules.
const program = join(root, 'dist', 'program');
// A script that V8 has kept cannot `import()`.
await bundle.write({ dir: program, format: 'cjs', dynamicImportInCjs: false });
await bundle.close();
writeFileSync(join(program, 'package.json'), '{ "type": "commonjs" }\n');
