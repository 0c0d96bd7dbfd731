// Compiles the cores to WebAssembly modules in dist/ with the clang from npm, so that npm alone builds them.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runClang, runLLVM } from '@yowasp/clang';

const native = dirname(fileURLToPath(import.meta.url));
const dist = join(dirname(native), 'dist');

/** Each module is one translation unit. */
const modules = [
  // Threads share its memory, and JavaScript gives each of them a stack.
  {
    source: 'delta-core.c',
    output: join(dist, 'delta', 'delta-core.wasm'),
    options: ['-matomics', '-Wl,--shared-memory,-z,stack-size=16384,--export=__heap_base,--export=__stack_pointer'],
  },
  {
    source: 'signature-core.c',
    output: join(dist, 'delta', 'signature-core.wasm'),
    options: ['-Wl,-z,stack-size=32768,--export=__heap_base'],
  },
  {
    source: 'cksum-core.c',
    output: join(dist, 'io', 'cksum-core.wasm'),
    options: ['-Wl,-z,stack-size=16384'],
  },
];

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
  '-Wl,--no-entry,--import-memory,--max-memory=4294967296,--stack-first,--strip-all',
];

const sources = Object.fromEntries(
  readdirSync(native)
    .filter((name) => /\.[ch]$/.test(name))
    .map((name) => [name, readFileSync(join(native, name), 'utf8')]),
);

// Its parts are loaded here, where they can be loaded without a word.
await runLLVM(null, {}, { fetchProgress: () => undefined });
for (const module of modules) await build(module);

async function build({ source, output, options: ofModule }) {
  const messages = [];
  try {
    const built = await runClang(['clang', ...options, ...ofModule, source, '-o', 'core.wasm'], sources, {
      stdout: null,
      stderr: (bytes) => bytes && messages.push(Buffer.from(bytes)),
    });
    mkdirSync(dirname(output), { recursive: true });
    writeFileSync(output, built['core.wasm']);
  } catch (error) {
    console.error(Buffer.concat(messages).toString() || error);
    console.error(`native/${source} does not compile`);
    process.exit(1);
  }
}
