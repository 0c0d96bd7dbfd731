#!/usr/bin/env node
require('./load-program.js').load('main.js');
