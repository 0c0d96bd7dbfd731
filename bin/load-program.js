// V8 takes a third of the program's start to compile it, anew in each process. So `npm run build` keeps what V8 compiled in
// dist/program/main.cache; V8 refuses it where its version or flags are others, and compiles as ever.
const { readFileSync } = require('node:fs');
const Module = require('node:module');
const { dirname, join } = require('node:path');
const { constants, Script } = require('node:vm');

const filename = join(__dirname, '..', 'dist', 'program', 'main.js');
const cachePath = join(dirname(filename), 'main.cache');

/** Compiles the program; with `cachedData`, quicker. */
function compile(cachedData) {
  return new Script(Module.wrap(readFileSync(filename, 'utf8')), {
    filename,
    cachedData,
    importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
  });
}

/** Runs it, as `require` would: its other files require it, too, and are to find it loaded. */
function run(script) {
  const program = new Module(filename);
  require.cache[filename] = program;
  const { exports } = program;
  script
    .runInThisContext()
    .call(exports, exports, Module.createRequire(filename), program, filename, dirname(filename));
  program.loaded = true;
}

function readCache() {
  try {
    return readFileSync(cachePath);
  } catch {
    return undefined;
  }
}

module.exports = { cachePath, compile, readCache, run };
