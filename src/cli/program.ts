import { readFileSync } from 'node:fs';
import { Command, Option } from 'commander';
import { UpdateRepositoryError } from '../errors.js';
import { defineAudit } from './commands/audit.js';
import { defineBuild } from './commands/build.js';
import { defineBundle } from './commands/bundle.js';
import { defineChannel } from './commands/channel.js';
import { defineCompose } from './commands/compose.js';
import { defineDelta } from './commands/delta.js';
import { defineInspect } from './commands/inspect.js';
import { defineKey } from './commands/key.js';
import { definePatch } from './commands/patch.js';
import { definePrune } from './commands/prune.js';
import { definePublish } from './commands/publish.js';
import { defineRdiff } from './commands/rdiff.js';
import { defineRefresh } from './commands/refresh.js';
import { defineRollback } from './commands/rollback.js';
import { defineServeConfig } from './commands/serve-config.js';
import { defineUpdate } from './commands/update.js';
import { defineVerify } from './commands/verify.js';
import { EXIT, EXIT_MEANINGS } from './exit-codes.js';
import type { Accept, Invocation, OutputFlags } from './invocation.js';
import { nearest } from './nearest.js';

type Define = (program: Command, accept: Accept) => void;

/** In the order of the help. */
const COMMANDS: ReadonlyMap<string, Define> = new Map<string, Define>([
  ['build', defineBuild],
  ['verify', defineVerify],
  ['audit', defineAudit],
  ['prune', definePrune],
  ['publish', definePublish],
  ['key', defineKey],
  ['refresh', defineRefresh],
  ['channel', defineChannel],
  ['serve-config', defineServeConfig],
  ['update', defineUpdate],
  ['rollback', defineRollback],
  ['delta', defineDelta],
  ['patch', definePatch],
  ['compose', defineCompose],
  ['bundle', defineBundle],
  ['inspect', defineInspect],
  ['rdiff', defineRdiff],
]);

const EXAMPLES = `
Examples:
  update-repository /srv/images                      build or refresh /srv/images/mirror
  update-repository --dry-run /srv/images /srv/www   show what that would do
  update-repository verify --deep /srv/www           check every file, apply every delta
  update-repository help build                       the options of one command

To see which version this is:
  update-repository --version
`;

/**
 * The whole command line as commander knows it. Parsing throws commander's own errors and USAGE, writes help and
 * version through `write`, and hands a good line to `onInvocation`; nothing runs here. The manual page is made from it
 * too. Where `only` is the name of a command, the others are left out: to define all takes a tenth of a short run.
 */
export function createProgram(
  onInvocation: (invocation: Invocation) => void,
  write: { readonly out: (text: string) => void; readonly err: (text: string) => void },
  only?: string,
): Command {
  const program = new Command('update-repository')
    .description('Turn a directory of versioned OS images into a static mirror with deltas.')
    .usage('[options] <images> [mirror]\n       update-repository <command> [options] <mirror>')
    .version(packageVersion(), '--version', 'show the version and exit')
    .helpOption('-h, --help', 'show help and exit')
    .helpCommand(false)
    .exitOverride()
    .configureOutput({ writeOut: write.out, writeErr: write.err, outputError: () => undefined })
    .configureHelp({ showGlobalOptions: true })
    .addHelpText('after', `${EXAMPLES}\n${exitCodeHelp()}`);
  for (const option of outputOptions()) program.addOption(option);

  const accept: Accept = (command, task) => onInvocation({ output: command.optsWithGlobals<OutputFlags>(), task });
  const chosen = COMMANDS.get(only ?? '');
  if (chosen !== undefined) chosen(program, accept);
  else {
    for (const define of COMMANDS.values()) define(program, accept);
    defineHelp(program);
  }
  return program;
}

function outputOptions(): Option[] {
  return [
    new Option('--json', 'print every event as one line of JSON').conflicts('quiet'),
    new Option('-q, --quiet', 'print warnings and errors only'),
    new Option('--no-color', 'print without colors (NO_COLOR and FORCE_COLOR are respected too)'),
  ];
}

function defineHelp(program: Command): void {
  program
    .command('help')
    .summary('show the help of a command')
    .description('Show the help of a command, or of the program.')
    .argument('[command]', 'the command')
    .addHelpText('after', '\nExample:\n  update-repository help verify\n')
    .action((name: string | undefined) => {
      const topic = name === undefined ? program : program.commands.find((command) => command.name() === name);
      if (topic === undefined) throw unknownTopic(program, name ?? '');
      topic.help();
    });
}

function unknownTopic(program: Command, name: string): UpdateRepositoryError {
  const names = program.commands.map((command) => command.name());
  const suggestion = nearest(name, names);
  const rest = suggestion === undefined ? `the commands are ${names.join(', ')}` : `did you mean ${suggestion}?`;
  return new UpdateRepositoryError('USAGE', `unknown command '${name}' (${rest})`);
}

function exitCodeHelp(): string {
  const names = Object.keys(EXIT) as (keyof typeof EXIT)[];
  return ['Exit codes:', ...names.map((name) => `  ${String(EXIT[name]).padEnd(4)} ${EXIT_MEANINGS[name]}`), ''].join(
    '\n',
  );
}

function packageVersion(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  const found: unknown = JSON.parse(text);
  if (typeof found === 'object' && found !== null && 'version' in found) return String(found.version);
  throw new UpdateRepositoryError('INTERNAL', 'package.json: expected a version, found none');
}
