// Most of the program's start is V8 compiling it, anew in each process, and Node loading parts of its own that few commands
// need. So `npm run build` keeps what V8 compiled of a file of dist/program beside it, in a file that ends in `.cache`; V8
// refuses it where its version or flags are others, and compiles as ever. And Node's parts are loaded when they are used.
const { readFileSync, writeFileSync } = require('node:fs');
const Module = require('node:module');
const { dirname, join } = require('node:path');
const { Script } = require('node:vm');

const directory = join(__dirname, '..', 'dist', 'program');
const requireOutside = Module.createRequire(join(directory, 'main.js'));
/** The files that are loaded, by their names; those of a circle find each other before they have run. */
const loaded = new Map();

/** Runs a file of the program, as `require` would. */
function load(name) {
  const before = loaded.get(name);
  if (before !== undefined) return before.module.exports;
  const filename = join(directory, name);
  const module = new Module(filename);
  const script = compile(filename);
  loaded.set(name, { module, script });
  script.runInThisContext().call(module.exports, module.exports, requireInside, module, filename, dirname(filename));
  return module.exports;
}

function compile(filename) {
  return new Script(Module.wrap(readFileSync(filename, 'utf8')), { filename, cachedData: readCache(filename) });
}

function readCache(filename) {
  try {
    return readFileSync(`${filename}.cache`);
  } catch {
    return undefined;
  }
}

/** What `require` is to the program's files. */
function requireInside(id) {
  if (id.startsWith('./')) return load(id.slice(2));
  // Reading and writing go by the real thing.
  return id.startsWith('node:') && id !== 'node:fs' ? loadedLater(id) : requireOutside(id);
}

/** A part of Node that is loaded when the first of its members is asked for, each of which has to be asked for by its name. */
function loadedLater(id) {
  let part;
  const get = (_, name) => {
    part ??= requireOutside(id);
    return part[name];
  };
  return new Proxy({}, { get });
}

/** Keeps what V8 has compiled so far of the files that are loaded. */
function writeCaches() {
  for (const [name, { script }] of loaded) {
    writeFileSync(join(directory, `${name}.cache`), script.createCachedData());
  }
}

module.exports = { compile, load, writeCaches };
