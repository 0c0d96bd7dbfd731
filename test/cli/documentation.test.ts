import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { EXIT, exitCodeOf } from '../../src/cli/exit-codes.js';
import { createProgram } from '../../src/cli/program.js';
import { type ErrorCode, UpdateRepositoryError } from '../../src/errors.js';
import type { RepositoryEvent } from '../../src/events.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { requireTools } from '../support/tools.js';
import { projectRoot } from './run.js';

const run = promisify(execFile);
const program = createProgram(() => undefined, { out: () => undefined, err: () => undefined });
const everyOption = [program, ...program.commands].flatMap((command) =>
  [command, ...(command === program ? [] : command.commands)].flatMap(({ options }) =>
    options.map((option) => [command.name(), option.long ?? '', option.short ?? ''] as const),
  ),
);

/** Complete by its type: a new event or error code makes this file fail to compile. */
const EVENTS: Readonly<Record<RepositoryEvent['type'] | 'error', true>> = {
  note: true,
  plan: true,
  'job-started': true,
  'job-progress': true,
  'job-finished': true,
  'job-failed': true,
  'index-written': true,
  'file-removed': true,
  problem: true,
  'build-summary': true,
  'verify-summary': true,
  'prune-summary': true,
  'publish-summary': true,
  'target-failed': true,
  'audit-summary': true,
  'delta-summary': true,
  'patch-summary': true,
  'compose-summary': true,
  'bundle-summary': true,
  'update-check': true,
  'update-summary': true,
  'path-plan': true,
  inspection: true,
  'key-list': true,
  'key-summary': true,
  'refresh-summary': true,
  'channel-list': true,
  'channel-summary': true,
  error: true,
};
const ERRORS: Readonly<Record<ErrorCode, true>> = {
  USAGE: true,
  CONFIG: true,
  NAME: true,
  NOT_FOUND: true,
  IO: true,
  NO_SPACE: true,
  CHANGED_WHILE_READ: true,
  NAME_REUSED: true,
  VERIFICATION: true,
  FORMAT: true,
  DELTA_TOO_LARGE: true,
  MEMORY: true,
  NETWORK: true,
  STORAGE: true,
  HOOK: true,
  LOCKED: true,
  INTERRUPTED: true,
  INTERNAL: true,
};

describe('docs/cli.md', async () => {
  const text = await readFile(join(projectRoot, 'docs', 'cli.md'), 'utf8');
  const sections = new Map(text.split(/^## /m).map((section) => [section.split('\n')[0], section]));

  it.each(everyOption)('of %s documents %s', (command, long, short) => {
    const section = sections.get(command === program.name() ? 'Options of every command' : command) ?? '';
    const [row] = section.match(new RegExp(`^\\| (\`-.\`, )?\`${long}[\` ].*$`, 'm')) ?? [];
    expect(row).toBeDefined();
    if (short !== '') expect(row).toContain(`\`${short}\``);
  });

  it.each(Object.values(EXIT))('documents exit code %i', (code) => {
    expect(sections.get('Exit codes')).toMatch(new RegExp(`^\\| ${code} \\|`, 'm'));
  });

  it.each(Object.keys(ERRORS) as ErrorCode[])('has the error %s in the row of its exit code', (code) => {
    const exit = exitCodeOf(new UpdateRepositoryError(code, ''));
    expect(sections.get('Exit codes')).toMatch(new RegExp(`^\\| ${exit} \\|.*\`${code}\``, 'm'));
  });

  it.each(Object.keys(EVENTS))('documents the event %s', (type) => {
    expect(sections.get('JSON lines')).toMatch(new RegExp(`^\\| \`${type}\` \\|`, 'm'));
  });
});

describe('the manual page', () => {
  async function manualPage(): Promise<string> {
    const path = join(await temporaryDirectory(), 'page.1');
    await run(process.execPath, [join(projectRoot, 'scripts', 'man.mjs'), path]);
    return path;
  }

  it('has every command, option and exit code, and is the same each time', async () => {
    const page = await readFile(await manualPage(), 'utf8');
    for (const command of program.commands) expect(page).toContain(`.SS ${command.name().replaceAll('-', '\\-')} `);
    for (const [, long] of everyOption) expect(page).toContain(long.replaceAll('-', '\\-'));
    for (const code of Object.values(EXIT)) expect(page).toContain(`\\fB${code}\\fR`);
    expect(await readFile(await manualPage(), 'utf8')).toBe(page);
  });

  it('is what troff accepts without a warning', async (context) => {
    requireTools(context, 'groff');
    const { stderr } = await run('groff', ['-man', '-ww', '-z', '-Tutf8', await manualPage()]);
    expect(stderr).toBe('');
  });
});
