// Compiles the cores to modules in dist/delta/ with the clang from npm, so that npm alone builds them.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runClang, runLLVM } from '@yowasp/clang';

const native = dirname(fileURLToPath(import.meta.url));
const output = join(dirname(native), 'dist', 'delta');

const options = [
  '--target=wasm32-unknown-unknown',
  '-std=c17',
  '-O3',
  '-msimd128',
  '-mbulk-memory',
  '-ffreestanding',
  '-nostdlib',
  '-Wall',
  '-Wextra',
  '-Werror',
  // JavaScript makes the memory and lays it out; the stack lies below everything else.
  '-Wl,--no-entry,--import-memory,--max-memory=4294967296,--stack-first,--strip-all,--export=__heap_base',
];

/** Each module is one translation unit. */
const modules = [
  // Threads share its memory, and JavaScript gives each of them a stack.
  {
    name: 'delta-core',
    options: [...options, '-matomics', '-Wl,--shared-memory,-z,stack-size=16384,--export=__stack_pointer'],
  },
  { name: 'signature-core', options: [...options, '-Wl,-z,stack-size=32768'] },
];

const sources = Object.fromEntries(
  readdirSync(native)
    .filter((name) => /\.[ch]$/.test(name))
    .map((name) => [name, readFileSync(join(native, name), 'utf8')]),
);

mkdirSync(output, { recursive: true });
// Its parts are loaded here, where they can be loaded without a word.
await runLLVM(null, {}, { fetchProgress: () => undefined });
for (const module of modules) await build(module);

async function build({ name, options }) {
  const messages = [];
  try {
    const built = await runClang(['clang', ...options, `${name}.c`, '-o', `${name}.wasm`], sources, {
      stdout: null,
      stderr: (bytes) => bytes && messages.push(Buffer.from(bytes)),
    });
    writeFileSync(join(output, `${name}.wasm`), built[`${name}.wasm`]);
  } catch (error) {
    console.error(Buffer.concat(messages).toString() || error);
    console.error(`native/${name}.c does not compile`);
    process.exit(1);
  }
}
