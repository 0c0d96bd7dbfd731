import { type Command, Option } from 'commander';
import { formatBytes, parseSize } from '../bytes.js';
import { EXIT, type ExitCode } from '../exit-codes.js';
import { fileSize } from '../file-size.js';
import type { Accept, Session } from '../invocation.js';
import { performJob } from '../job.js';
import { optionValue } from '../option-value.js';
import { requireWritable } from '../output-path.js';

interface ComposeFlags {
  readonly force?: boolean;
  readonly memory: number;
  readonly maxSize?: number;
}

interface ComposePaths {
  readonly first: string;
  readonly second: string;
  readonly delta: string;
}

const DEFAULT_MEMORY_BYTES = 2 ** 30;
const SMALLEST_LIMIT_BYTES = 64 * 2 ** 20;

/** Adds `compose`: makes one delta of two that follow each other. */
export function defineCompose(program: Command, accept: Accept): void {
  const command = program
    .command('compose')
    .summary('make one delta of two that follow each other')
    .description(
      'Make the delta from A to C of one from A to B and one from B to C. No image is read: what the delta makes is ' +
        'to be compared with C by whoever has it.',
    )
    .argument('<first>', 'the delta from A to B')
    .argument('<second>', 'the delta from B to C')
    .argument('<delta>', 'the delta from A to C, to be made')
    .option('-f, --force', 'replace the delta where it is there')
    .addOption(memoryOption())
    .option(
      '--max-size <size>',
      'give up a delta that grows past it (default: twice the size of both, at least 64M)',
      optionValue('--max-size', parseSize),
    )
    .addHelpText(
      'after',
      '\nExample:\n  update-repository compose monday--tuesday.rdiff tuesday--friday.rdiff monday--friday.rdiff\n',
    );

  command.action((first: string, second: string, delta: string, flags: ComposeFlags) =>
    accept(command, (session) => compose({ first, second, delta }, flags, session)),
  );
}

function memoryOption(): Option {
  return new Option('--memory <size>', 'memory for the commands of the first delta, 16 bytes each')
    .argParser(optionValue('--memory', parseSize))
    .default(DEFAULT_MEMORY_BYTES, '1G');
}

async function compose(paths: ComposePaths, flags: ComposeFlags, session: Session): Promise<ExitCode> {
  const { first, second, delta } = paths;
  const force = flags.force ?? false;
  requireWritable(delta, { force, inputs: [first, second] });
  const totalBytes = fileSize(first) + fileSize(second);
  const { composeDeltas } = await import('../../delta/compose.js');
  const request = {
    firstPath: first,
    secondPath: second,
    deltaPath: delta,
    force,
    memoryBytes: flags.memory,
    maxDeltaBytes: flags.maxSize ?? Math.max(2 * totalBytes, SMALLEST_LIMIT_BYTES),
  };
  const made = await performJob({ kind: 'compose', path: delta, totalBytes }, session, async (hooks) => {
    const { deltaBytes, copiedBytes, literalBytes } = await composeDeltas(request, hooks);
    const targetBytes = copiedBytes + literalBytes;
    return { sizeBytes: deltaBytes, targetBytes, detail: `makes ${formatBytes(targetBytes)}` };
  });
  const { sizeBytes: deltaBytes, targetBytes, durationMs } = made;
  session.onEvent({ type: 'compose-summary', ...paths, deltaBytes, targetBytes, durationMs });
  return EXIT.done;
}
