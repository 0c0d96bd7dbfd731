/** What rdiff understands and our command line does not by itself. */
const SYNONYMS: ReadonlyMap<string, string> = new Map([
  ['-?', '--help'],
  ['--version', '-V'],
]);

/** Whether a command line, without node and script, is one of `rdiff`. */
export function isRdiffLine(argv: readonly string[]): boolean {
  return argv.find((argument) => !argument.startsWith('-')) === 'rdiff';
}

/** A line of `rdiff` in our own words: `-?` asks for help, and `--version` for that of rdiff. */
export function inOurWords(argv: readonly string[]): readonly string[] {
  const names = argv.indexOf('--');
  return argv.map((argument, at) => (names !== -1 && at > names ? argument : (SYNONYMS.get(argument) ?? argument)));
}
