import type { Command } from 'commander';
import { UpdateRepositoryError } from '../../errors.js';
import type { Accept, OutputFlags } from '../invocation.js';
import type { RdiffStep } from '../rdiff.js';
import { type RdiffFlags, rdiffOptions } from '../rdiff-options.js';

/** The operands of each step, as rdiff's help shows them, and how many there may be. The last one is the output. */
const STEPS: Readonly<Record<RdiffStep, { readonly operands: string; readonly least: number; readonly most: number }>> =
  {
    signature: { operands: 'signature [basis [signature]]', least: 0, most: 2 },
    delta: { operands: 'delta <signature> [newfile [delta]]', least: 1, most: 3 },
    patch: { operands: 'patch <basis> [delta [newfile]]', least: 1, most: 3 },
  };

const NAMES = ['signature', 'delta', 'patch'] as const satisfies readonly RdiffStep[];

const EPILOGUE = `
Steps:
${NAMES.map((name) => `  update-repository rdiff [options] ${STEPS[name].operands}`).join('\n')}

A name that is left out, or is -, means standard input or output. The basis of a patch has to be a file.

Exit codes are rdiff's:
  0    done
  100  a file cannot be opened, read or written, or the output is there already
  101  the command line is wrong
  102  there is too little memory
  103  a signature or a delta is cut off, or a delta reaches past the end of the basis
  104  a file is no signature, or no delta
  106  a signature or a delta is damaged
  107  a bug in this program
  108  a length is out of range
  130  interrupted by a signal, or nobody was left to read the output

Example:
  update-repository rdiff signature old.img old.sig
  update-repository rdiff delta old.sig new.img new.delta
  update-repository rdiff patch old.img new.delta copy-of-new.img
`;

/** Adds `rdiff`, which takes what Debian's rdiff takes, and writes the same formats. */
export function defineRdiff(program: Command, accept: Accept): void {
  const command = program
    .command('rdiff')
    .summary('make signatures and deltas and apply them, as rdiff does')
    .description(
      'Make a signature of a file, a delta from a signature to a new file, or a file from a basis and a delta.',
    )
    .argument('<step>', 'signature, delta or patch')
    .argument('[files...]', 'the inputs, then the output')
    .version(`rdiff (update-repository ${program.version() ?? ''})`, '-V, --version', 'show the version and exit')
    .addHelpText('after', EPILOGUE);
  for (const option of rdiffOptions()) command.addOption(option);

  command.action((word: string, files: readonly string[], flags: RdiffFlags) => {
    const step = parseStep(word, files);
    refuseMixture(step, files, command.optsWithGlobals<OutputFlags>());
    accept(command, async (session) => {
      const { runRdiff } = await import('../rdiff.js');
      return await runRdiff(step, files, flags, session);
    });
  });
}

function parseStep(word: string, files: readonly string[]): RdiffStep {
  // rdiff takes the beginning of a step for the step.
  const step = NAMES.find((name) => word !== '' && name.startsWith(word));
  if (step === undefined) {
    throw new UpdateRepositoryError('USAGE', `expected signature, delta or patch, found '${word}'`);
  }
  const { operands, least, most } = STEPS[step];
  if (files.length >= least && files.length <= most) return step;
  const problem = files.length < least ? 'a name is missing' : 'too many names';
  throw new UpdateRepositoryError('USAGE', `${problem}: expected rdiff ${operands}`);
}

/** Standard output can bear the result or the lines of JSON. */
function refuseMixture(step: RdiffStep, files: readonly string[], { json }: OutputFlags): void {
  const output = files[STEPS[step].most - 1] ?? '-';
  if (json !== true || output !== '-') return;
  throw new UpdateRepositoryError('USAGE', `option --json: expected a name for what ${step} writes, found none`);
}
