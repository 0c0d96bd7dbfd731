import { CommanderError } from 'commander';
import { EXIT, type ExitCode, exitCodeOf } from './exit-codes.js';
import { failureLines, toFailure } from './failure.js';
import { OUTPUT_LOST } from './interrupts.js';
import type { Invocation, OutputFlags } from './invocation.js';
import { isDirectory } from './is-directory.js';
import { refuseMisspelled } from './misspelled.js';
import { createProgram } from './program.js';
import { type RdiffExitCode, rdiffExitCodeOf } from './rdiff-exit-codes.js';
import { inOurWords, isRdiffLine } from './rdiff-line.js';
import { errorLine } from './render/json.js';
import { createRenderer, paletteFor } from './render/renderer.js';
import type { Streams } from './render/streams.js';

/**
 * Runs one command line, `argv` without node and script, and answers with the exit code; it never throws. An abort of
 * `signal` stops the work, and its reason is what the user is told.
 */
export async function run(
  argv: readonly string[],
  streams: Streams,
  signal: AbortSignal,
): Promise<ExitCode | RdiffExitCode> {
  const codeOf = isRdiffLine(argv) ? rdiffExitCodeOf : exitCodeOf;
  try {
    const parsed = parseLine(argv, streams);
    return typeof parsed === 'number' ? parsed : await perform(parsed, streams, signal);
  } catch (error) {
    const failure = toFailure(error, signal);
    if (failure === OUTPUT_LOST) return codeOf(failure);
    // Read by hand: a line that is wrong has no parsed flags, and a program that reads JSON still wants its last line.
    const flags: OutputFlags = { json: argv.includes('--json'), color: !argv.includes('--no-color') };
    if (flags.json === true) streams.stdout.write(errorLine(failure));
    const lines = failureLines(failure, paletteFor(streams.stderr, flags, streams.env));
    streams.stderr.write(lines.map((line) => `${line}\n`).join(''));
    return codeOf(failure);
  }
}

/** Understands the line; an exit code when that was all, as for help. Throws USAGE or commander's errors. */
function parseLine(argv: readonly string[], { stdout, stderr }: Streams): Invocation | ExitCode {
  let invocation: Invocation | undefined;
  const program = createProgram(
    (understood) => {
      invocation = understood;
    },
    { out: (text) => stdout.write(text), err: (text) => stderr.write(text) },
    argv[0],
  );
  if (argv.length === 0) {
    program.outputHelp({ error: true });
    return EXIT.usage;
  }
  refuseMisspelled(
    argv,
    program.commands.map((command) => command.name()),
    isDirectory,
  );
  try {
    program.parse(isRdiffLine(argv) ? inOurWords(argv) : argv, { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return EXIT.done;
    throw error;
  }
  return invocation ?? EXIT.usage;
}

async function perform(
  { output, task }: Invocation,
  streams: Streams,
  signal: AbortSignal,
): Promise<ExitCode | RdiffExitCode> {
  const renderer = await createRenderer(output, streams);
  try {
    return await task({ signal, onEvent: (event) => renderer.onEvent(event), stdout: streams.stdout });
  } finally {
    renderer.close();
  }
}
