import { exitCodeOf } from './exit-codes.js';
import { failureLines, toFailure } from './failure.js';
import { stopOnLostOutput, stopOnSignals } from './interrupts.js';
import { paletteFor } from './render/renderer.js';
import { run } from './run.js';

const { stdout, stderr, env, argv } = process;
const controller = new AbortController();

stopOnSignals(process, controller, (code) => {
  stderr.write('\n');
  process.exit(code);
});
stopOnLostOutput(stdout, controller, (error) => {
  const failure = toFailure(error, controller.signal);
  stderr.write(`${failureLines(failure, paletteFor(stderr, { color: true }, env)).join('\n')}\n`);
  process.exitCode = exitCodeOf(failure);
});
// When the messages cannot be written either, the exit code is all that is left to say.
stderr.on('error', () => undefined);

// Not awaited here: a module that waits cannot be loaded as CommonJS, which is how the program starts quicker.
void run(argv.slice(2), { stdout, stderr, env }, controller.signal).then((exitCode) => {
  // Lost output is told while the work still runs, and is worse than what the work came to.
  process.exitCode ||= exitCode;
});
