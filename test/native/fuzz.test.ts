import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { requireSanitizers } from './require-sanitizers.js';

const run = promisify(execFile);
const script = fileURLToPath(new URL('../../native/fuzz/run.mjs', import.meta.url));

test.for(['delta', 'signature'])(
  'the fuzzer tries the %s core and finds nothing in a few seconds',
  async (core, context) => {
    await requireSanitizers(context, 'clang', 'fuzzer,address,undefined');
    const { stdout } = await run(process.execPath, [script, '--target', core, '--seconds', '2']);
    expect(stdout).toMatch(
      /\n[1-9]\d{2,} executions, coverage [1-9]\d{2,} of \d+ edges, \d+ features\nfound nothing\n$/,
    );
  },
);
