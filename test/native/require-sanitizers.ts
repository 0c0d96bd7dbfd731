import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { requireTools, type Skippable, skipLoudly } from '../support/tools.js';

/** Both kinds of program: the fuzzer's runtime has a main function of its own. */
const SOURCE = 'int main(void) { return 0; }';
const FUZZ_TARGET = 'int LLVMFuzzerTestOneInput(void) { return 0; }';

/** Goes on only when `compiler` is there, and with it the runtime of `sanitizers`: a package of its own, at times. */
export async function requireSanitizers(context: Skippable, compiler: string, sanitizers: string): Promise<void> {
  requireTools(context, compiler);
  const program = join(await temporaryDirectory(), 'empty');
  const source = sanitizers.includes('fuzzer') ? FUZZ_TARGET : SOURCE;
  const options = [`-fsanitize=${sanitizers}`, '-x', 'c', '-', '-o', program];
  const { status } = spawnSync(compiler, options, { input: source });
  if (status !== 0) skipLoudly(context, `${compiler} cannot link with -fsanitize=${sanitizers}`);
}
