// Writes the manual page, in man(7) macros, from the definitions of the command line: node scripts/man.mjs [FILE].
// It needs dist/, so it runs after the compiler. The same definitions give the same bytes: the page bears no date.
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { EXIT, EXIT_MEANINGS } from '../dist/cli/exit-codes.js';
import { createProgram } from '../dist/cli/program.js';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const target = process.argv[2] ?? join(root, 'man', 'update-repository.1');
mkdirSync(dirname(target), { recursive: true });
writeFileSync(target, manualPage());

function manualPage() {
  let written = '';
  const collect = (text) => {
    written += text;
  };
  const program = createProgram(() => undefined, { out: collect, err: collect });
  const helpOf = (command) => {
    written = '';
    command.outputHelp();
    return written;
  };
  const lines = [
    `.TH UPDATE\\-REPOSITORY 1 "" "update\\-repository ${roff(program.version())}" "User Commands"`,
    '.SH NAME',
    `update\\-repository \\- ${roff(lowerFirst(program.description()).replace(/\.$/, ''))}`,
    '.SH SYNOPSIS',
    ...synopsis(program),
    '.SH DESCRIPTION',
    'A line that begins with a directory builds the mirror of its images; any other line begins with a command.',
    'The result of a command goes to standard output, everything else to standard error.',
    '.SH OPTIONS OF EVERY COMMAND',
    ...program.options.flatMap(optionEntry),
    '.SH COMMANDS',
    ...program.commands.flatMap((command) => commandSection(command, helpOf(command))),
    '.SH EXIT STATUS',
    ...Object.entries(EXIT).flatMap(([name, code]) => ['.TP', `\\fB${code}\\fR`, roff(EXIT_MEANINGS[name])]),
    '.SH ENVIRONMENT',
    '.TP',
    '\\fBNO_COLOR\\fR',
    'When set and not empty, nothing is printed in color.',
    '.TP',
    '\\fBFORCE_COLOR\\fR',
    'Print in color to files and pipes too; 0 turns colors off.',
    '.TP',
    '\\fBUPDATE_REPOSITORY_PASSPHRASE\\fR',
    'The passphrase of the keys that sign, where no --passphrase-fd is given.'.replaceAll('-', '\\-'),
    '.SH EXAMPLES',
    ...verbatim(exampleIn(helpOf(program))),
    '.SH SEE ALSO',
    '.BR rdiff (1),',
    '.BR sha256sum (1),',
    '.BR rsync (1)',
  ];
  return `${lines.join('\n')}\n`;
}

function synopsis(program) {
  const calls = [
    '[options] <images> [mirror]',
    ...program.commands
      .filter((command) => command.name() !== 'build')
      .map((command) => `${command.name()} ${command.usage()}`),
  ];
  return calls.flatMap((call, index) => [...(index > 0 ? ['.br'] : []), `\\fBupdate\\-repository\\fR ${roff(call)}`]);
}

function commandSection(command, help) {
  return [
    `.SS ${roff(`${command.name()} ${command.usage()}`)}`,
    roff(command.description()),
    ...command.registeredArguments.flatMap((argument) => [
      '.TP',
      `\\fI${roff(argument.name())}\\fR`,
      roff(argument.description),
    ]),
    ...command.options.flatMap(optionEntry),
    ...command.commands.flatMap((action) => subcommandSection(command, action)),
    ...verbatim(help.slice(command.helpInformation().length).trim().split('\n')),
  ];
}

function subcommandSection(command, action) {
  return [
    '.PP',
    `\\fB${roff(`${command.name()} ${action.name()}`)}\\fR ${roff(action.usage())}: ${roff(action.description())}`,
    ...action.options.flatMap(optionEntry),
  ];
}

function optionEntry(option) {
  const choices = option.argChoices === undefined ? [] : [`one of ${option.argChoices.join(', ')}`];
  const value = option.defaultValueDescription ?? option.defaultValue;
  const standard = value === undefined || option.negate ? [] : [`default: ${value}`];
  const facts = [...choices, ...standard];
  const text = facts.length === 0 ? option.description : `${option.description} (${facts.join('; ')})`;
  return ['.TP', `\\fB${roff(option.flags)}\\fR`, roff(text)];
}

/** The lines under `Examples:`, which commander knows as a part of the help only. */
function exampleIn(help) {
  const [, block = ''] = /^Examples:\n((?: .*\n)+)/m.exec(help) ?? [];
  return block.split('\n').filter((line) => line !== '');
}

function verbatim(lines) {
  return ['.PP', '.nf', ...lines.map(roff), '.fi'];
}

/** Backslashes and dashes mean something to troff, and so does a line that begins with a dot or an apostrophe. */
function roff(text) {
  return text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replace(/^(?=[.'])/, '\\&');
}

function lowerFirst(text) {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
