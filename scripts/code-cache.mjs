// Writes dist/program/main.cache, see bin/load-program.js: what V8 has compiled after the program has shown its help, which
// is all that a line goes through before its command begins.
import { writeFileSync } from 'node:fs';
import { cachePath, compile, run } from '../bin/load-program.js';

const script = compile();
process.argv.splice(2, Number.POSITIVE_INFINITY, '--help');
process.on('exit', () => writeFileSync(cachePath, script.createCachedData()));
run(script);
