#!/usr/bin/env node
const { compile, readCache, run } = require('./load-program.js');

run(compile(readCache()));
