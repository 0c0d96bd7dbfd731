import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { projectRoot, runCli } from './run.js';

const COMMANDS = ['build', 'verify', 'prune', 'delta', 'patch', 'compose', 'inspect', 'rdiff', 'help'];

describe('help and version', () => {
  it('no arguments: help on stderr, and exit 2', async () => {
    const { stdout, stderr, code } = await runCli([]);
    expect({ stdout, code }).toEqual({ stdout: '', code: 2 });
    expect(stderr).toMatch(/^Usage: update-repository /);
  });

  it('--help: on stdout, with examples and the exit codes', async () => {
    const { stdout, stderr, code } = await runCli(['--help']);
    expect({ stderr, code }).toEqual({ stderr: '', code: 0 });
    expect(stdout).toMatch(/^Usage: update-repository \[options\] <images> \[mirror\]\n/);
    expect(stdout).toContain('\nExamples:\n  update-repository /srv/images ');
    expect(stdout).toMatch(
      /\nExit codes:\n {2}0 .*\n {2}1 .*\n {2}2 .*\n {2}3 .*\n {2}4 .*\n {2}5 .*\n {2}6 .*\n {2}10 .*\n {2}130 /,
    );
    for (const command of COMMANDS) expect(stdout).toMatch(new RegExp(`^  ${command} `, 'm'));
  });

  it.each(COMMANDS)('help %s says what its --help says, with an example', async (command) => {
    const help = await runCli(['help', command]);
    expect(help).toEqual(await runCli([command, '--help']));
    expect(help).toMatchObject({ stderr: '', code: 0 });
    expect(help.stdout).toMatch(/\nExample:\n {2}update-repository /);
    if (command !== 'help')
      for (const option of ['--json', '--quiet', '--no-color']) expect(help.stdout).toContain(option);
  });

  it('help alone is the help of the program', async () => {
    expect(await runCli(['help'])).toEqual(await runCli(['--help']));
  });

  it('--version is the version of the package', async () => {
    const { version } = JSON.parse(await readFile(join(projectRoot, 'package.json'), 'utf8'));
    expect(await runCli(['--version'])).toEqual({ stdout: `${version}\n`, stderr: '', code: 0 });
  });
});

describe('a line that is wrong', () => {
  it.each([
    [['verfy', '/m'], "'verfy' is neither a command nor a directory (did you mean verify?)"],
    [['biuld', '/i', '/m'], "'biuld' is neither a command nor a directory (did you mean build?)"],
    [['vreify', '--deep', '/m'], "'vreify' is neither a command nor a directory (did you mean verify?)"],
    [['--json', 'prun', '/m'], "'prun' is neither a command nor a directory (did you mean prune?)"],
    [['no-such-images'], 'no-such-images: expected the directory with the images, found no such directory'],
    [['./verify'], './verify: expected the directory with the images, found no such directory'],
    [['build', 'verfy'], 'verfy: expected the directory with the images, found no such directory'],
    [['package.json'], 'package.json: expected the directory with the images, found no such directory'],
    [['--dryrun', 'x'], "unknown option '--dryrun' (did you mean --dry-run?)"],
    [['verify', '--depe', 'x'], "unknown option '--depe' (did you mean --deep?)"],
    [['--qiuet', 'x'], "unknown option '--qiuet' (did you mean --quiet?)"],
    [['prune', '--deltas', 'all', 'x'], "unknown option '--deltas'"],
    [['--memory', '12X', 'x'], "option --memory: expected a size such as 512M, 2G or 1.5G, found '12X'"],
    [['--jobs', '0', 'x'], "option --jobs: expected a whole number from 1 on, found '0'"],
    [['--grace', '24', 'x'], "option --grace: expected a duration such as 30m, 24h, 7d or 0, found '24'"],
    [['--max-delta-ratio', '0', 'x'], "option --max-delta-ratio: expected a number above 0 such as 0.8, found '0'"],
    [
      ['-r', 'images.example', 'x'],
      "option --repository: expected an http or https URL such as https://images.example.org, found 'images.example'",
    ],
    [['--json', '-q', 'x'], "option '--json' cannot be used with option '-q, --quiet'"],
    [['help', 'prun'], "unknown command 'prun' (did you mean prune?)"],
    [
      ['help', 'fly'],
      "unknown command 'fly' (the commands are build, verify, audit, prune, publish, key, refresh, channel, serve-config, update, rollback, delta, patch, compose, bundle, inspect, rdiff, help)",
    ],
  ])('%j is one line on stderr and exit 2', async (args, message) => {
    const { stderr, code } = await runCli(args);
    expect({ stderr, code }).toEqual({ stderr: `update-repository: ${message}\n`, code: 2 });
  });

  it.each([['build'], ['verify'], ['prune'], ['patch a b'], ['compose a b'], ['inspect'], ['verify a b'], ['a b c']])(
    '%s has a hint',
    async (line) => {
      const { stdout, stderr, code } = await runCli(line.split(' '));
      expect({ stdout, code }).toEqual({ stdout: '', code: 2 });
      expect(stderr).toMatch(/^update-repository: (missing required argument|too many arguments).*\nhint: .*help.*\n$/);
    },
  );

  it('with --json also ends in an error line on stdout', async () => {
    const { stdout, stderr, code } = await runCli(['--json', 'no-such-images']);
    const message = 'no-such-images: expected the directory with the images, found no such directory';
    expect(JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '')).toEqual({
      type: 'error',
      error: { code: 'USAGE', message, data: { path: 'no-such-images' } },
    });
    expect({ stderr, code }).toEqual({ stderr: `update-repository: ${message}\n`, code: 2 });
  });

  it('is printed without what a name in it would do to the terminal', async () => {
    const { stderr } = await runCli(['no\u001b[31m\nsuch']);
    expect(stderr).toMatch(/^update-repository: no\\x1b\[31m\\x0asuch: .*\n$/);
  });
});

describe('commands on a directory that is no mirror', () => {
  it.each(['verify', 'prune'])('%s says so and exits with 2', async (command) => {
    const { stdout, stderr, code } = await runCli([command, await temporaryDirectory()]);
    expect({ stdout, code }).toEqual({ stdout: '', code: 2 });
    expect(stderr).toMatch(/^update-repository: .*\n/);
  });

  it('an image directory without images is named', async () => {
    const directory = await temporaryDirectory();
    const { stderr, code } = await runCli(['-q', directory]);
    expect(stderr).toContain(`update-repository: ${directory}: `);
    expect(code).toBe(2);
  });
});
