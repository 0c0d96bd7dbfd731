// Compiles the delta core to dist/delta/delta-core.wasm with the clang from npm, so that npm alone builds it.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runClang, runLLVM } from '@yowasp/clang';

const native = dirname(fileURLToPath(import.meta.url));
const output = join(dirname(native), 'dist', 'delta', 'delta-core.wasm');

const options = [
  '--target=wasm32-unknown-unknown',
  '-std=c17',
  '-O3',
  '-msimd128',
  '-mbulk-memory',
  '-matomics',
  '-ffreestanding',
  '-nostdlib',
  '-Wall',
  '-Wextra',
  '-Werror',
  // JavaScript makes the memory, which threads share, lays it out and gives each of them a stack.
  '-Wl,--no-entry,--import-memory,--shared-memory,--max-memory=4294967296,--stack-first,-z,stack-size=16384,--strip-all',
  '-Wl,--export=__heap_base,--export=__stack_pointer',
];

const sources = Object.fromEntries(
  readdirSync(native)
    .filter((name) => /\.[ch]$/.test(name))
    .map((name) => [name, readFileSync(join(native, name), 'utf8')]),
);

const messages = [];
try {
  // Its parts are loaded here, where they can be loaded without a word.
  await runLLVM(null, {}, { fetchProgress: () => undefined });
  const built = await runClang(['clang', ...options, 'delta-core.c', '-o', 'delta-core.wasm'], sources, {
    stdout: null,
    stderr: (bytes) => bytes && messages.push(Buffer.from(bytes)),
  });
  mkdirSync(dirname(output), { recursive: true });
  writeFileSync(output, built['delta-core.wasm']);
} catch (error) {
  console.error(Buffer.concat(messages).toString() || error);
  console.error('native/delta-core.c does not compile');
  process.exit(1);
}
