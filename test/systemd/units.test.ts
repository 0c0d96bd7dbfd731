import { execFile } from 'node:child_process';
import { copyFile, readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { projectRoot, runCli } from '../cli/run.js';
import { startFaultyServer } from '../client/support/faulty-server.js';
import { SignedMirror } from '../client/support/signed-mirror.js';
import { buildMirrorOf, deviceWith, filesOf } from '../client/support/updates.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { haveTools } from '../support/tools.js';

const run = promisify(execFile);

const units = join(projectRoot, 'systemd');
/** The device's, and the mirror's. */
const NAMES = ['update-repository', 'update-repository-refresh'];

function unitPath(name: string, kind: 'service' | 'timer'): string {
  return join(units, `${name}.${kind}`);
}

/** Of `systemd-analyze security`, in tenths: 100 is a service without any protection. */
const MOST_EXPOSURE = 30;

/** What systemd says against the units of a name, with `change` made to their text; it exits with 0 for much that it ignores. */
async function complaints(name: string, change: (unit: string) => string = (unit) => unit): Promise<string[]> {
  const dir = await temporaryDirectory();
  const paths = [unitPath(name, 'service'), unitPath(name, 'timer')];
  for (const unit of paths) {
    // systemd looks for the program where it gets installed; here it is in the project.
    const program = join(projectRoot, 'bin', 'update-repository.js');
    const text = (await readFile(unit, 'utf8')).replace('ExecStart=update-repository ', `ExecStart=${program} `);
    await writeFile(join(dir, basename(unit)), change(text));
  }
  const env = { ...process.env, SYSTEMD_UNIT_PATH: `${dir}:` };
  const args = ['verify', '--man=no', ...paths.map((path) => join(dir, basename(path)))];
  const said = await run('systemd-analyze', args, { env }).catch((failure: unknown) => {
    if (failure instanceof Error && 'stderr' in failure) return { stderr: `${failure.stderr}\nit failed` };
    throw failure;
  });
  return said.stderr.split('\n').filter((line) => /update-repository|it failed/.test(line));
}

const CHANGES = [
  ['ProtectSystem=strict', 'ProtectSystem=strictly'],
  ['RandomizedDelaySec=', 'RandomizedDelay='],
  ['OnCalendar=', 'OnCalendar=now and then '],
  ['Type=oneshot', 'Type=once'],
] as const;

describe.skipIf(!haveTools('systemd-analyze'))('the units for systemd', () => {
  it.each(NAMES)('%s are what systemd understands', async (name) => {
    expect(await complaints(name)).toEqual([]);
  });

  it.each(NAMES.flatMap((name) => CHANGES.map(([from, to]) => [name, from, to] as const)))(
    '%s would be found wrong with %s changed to %s',
    async (name, from, to) => {
      expect(await complaints(name, (unit) => unit.replace(from, to))).not.toEqual([]);
    },
  );

  it.each(NAMES)('%s expose little of the machine', async (name) => {
    const args = ['security', '--offline=true', '--no-pager', `--threshold=${MOST_EXPOSURE}`];
    const { stdout } = await run('systemd-analyze', [...args, unitPath(name, 'service')]);
    expect(stdout).toMatch(/Overall exposure level for update-repository[a-z-]*\.service: \d\.\d OK/);
    const open = join(await temporaryDirectory(), `${name}.service`);
    await copyFile(unitPath(name, 'service'), open);
    await writeFile(open, (await readFile(open, 'utf8')).replace(/^(Protect|System|Capability).*$/gm, ''));
    await expect(run('systemd-analyze', [...args, open])).rejects.toMatchObject({ code: 1 });
  });

  it.each([
    ['update-repository', /Normalized form: \*-\*-\* \*:00:00/],
    ['update-repository-refresh', /Normalized form: \*-\*-\* 00:00:00/],
  ])('%s begin as often as they say', async (name, normalized) => {
    const [, when = ''] = /^OnCalendar=(.*)$/m.exec(await readFile(unitPath(name, 'timer'), 'utf8')) ?? [];
    const { stdout } = await run('systemd-analyze', ['calendar', when]);
    expect(stdout).toMatch(normalized);
  });
});

describe.each([
  ['update-repository', 'client.conf.example', 'DIR'],
  ['update-repository-refresh', 'refresh.conf.example', 'MIRROR'],
] as const)('%s.service', (name, example, directory) => {
  it('uses the variables that the example of its configuration sets, and no others', async () => {
    const text = await readFile(join(units, example), 'utf8');
    const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    const [, command = ''] = /^ExecStart=(.*)$/m.exec(await readFile(unitPath(name, 'service'), 'utf8')) ?? [];
    const used = [...command.matchAll(/\$\{?(\w+)\}?/g)].map(([, variable]) => variable);
    expect(lines.map((line) => line.split('=')[0]).sort()).toEqual(used.sort());
  });

  it('may write to the directory that the example names', async () => {
    const text = await readFile(join(units, example), 'utf8');
    const [, named] = new RegExp(`^${directory}=(.*)$`, 'm').exec(text) ?? [];
    expect(await readFile(unitPath(name, 'service'), 'utf8')).toContain(`\nReadWritePaths=-${named}\n`);
  });
});

describe('the units', () => {
  it('takes nothing but what a root vouches for by the options that the example shows for that', async () => {
    const example = await readFile(join(units, 'client.conf.example'), 'utf8');
    const [, shown = ''] = /OPTIONS="(.*--trust .*)"/.exec(example) ?? [];
    const [, trusted = ''] = / *--trust (\S+)/.exec(shown) ?? [];
    const dir = await temporaryDirectory();
    const mirror = await SignedMirror.make(filesOf(await buildMirrorOf(1, dir, 'none', 20_000)), 1);
    const server = await startFaultyServer({ files: mirror.files, random: () => 0.5 });
    const device = await deviceWith(join(dir, 'device'), null);
    const root = join(dir, 'root.json');
    await writeFile(root, mirror.files.get('metadata/1.root.json') ?? '');
    // As systemd does: $OPTIONS becomes words at blanks, the others one word each.
    const options = shown.replace(trusted, root).split(/\s+/);
    expect(await runCli(['update', ...options, server.url, device])).toMatchObject({ code: 0, stderr: '' });
    for (const path of server.files.keys()) if (path.startsWith('metadata/')) server.files.delete(path);
    const refused = await runCli(['update', ...options, server.url, device]);
    expect(refused).toMatchObject({ code: 3, stderr: expect.stringContaining('signed metadata') });
  });

  it('are in the package', async () => {
    const { files } = JSON.parse(await readFile(join(projectRoot, 'package.json'), 'utf8'));
    expect(files).toContain('systemd');
  });
});
