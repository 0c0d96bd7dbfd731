import { execFile } from 'node:child_process';
import { copyFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { projectRoot } from '../cli/run.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { haveTools } from '../support/tools.js';

const run = promisify(execFile);

const units = join(projectRoot, 'systemd');
const service = join(units, 'update-repository.service');
const timer = join(units, 'update-repository.timer');

/** Of `systemd-analyze security`, in tenths: 100 is a service without any protection. */
const MOST_EXPOSURE = 30;

/** What systemd says against the units, with `change` made to their text; it exits with 0 for much that it ignores. */
async function complaints(change: (unit: string) => string = (unit) => unit): Promise<string[]> {
  const dir = await temporaryDirectory();
  for (const unit of [service, timer]) {
    // systemd looks for the program where it gets installed; here it is in the project.
    const program = join(projectRoot, 'bin', 'update-repository.js');
    const text = (await readFile(unit, 'utf8')).replace('ExecStart=update-repository ', `ExecStart=${program} `);
    await writeFile(join(dir, unit.slice(units.length + 1)), change(text));
  }
  const env = { ...process.env, SYSTEMD_UNIT_PATH: `${dir}:` };
  const args = ['verify', '--man=no', join(dir, 'update-repository.service'), join(dir, 'update-repository.timer')];
  const said = await run('systemd-analyze', args, { env }).catch((failure: unknown) => {
    if (failure instanceof Error && 'stderr' in failure) return { stderr: `${failure.stderr}\nit failed` };
    throw failure;
  });
  return said.stderr.split('\n').filter((line) => /update-repository|it failed/.test(line));
}

describe.skipIf(!haveTools('systemd-analyze'))('the units for systemd', () => {
  it('are what systemd understands', async () => {
    expect(await complaints()).toEqual([]);
  });

  it.each([
    ['ProtectSystem=strict', 'ProtectSystem=strictly'],
    ['RandomizedDelaySec=45min', 'RandomizedDelay=45min'],
    ['OnCalendar=hourly', 'OnCalendar=now and then'],
    ['Type=oneshot', 'Type=once'],
  ])('would be found wrong with %s changed to %s', async (from, to) => {
    expect(await complaints((unit) => unit.replace(from, to))).not.toEqual([]);
  });

  it('expose little of the device', async () => {
    const args = ['security', '--offline=true', '--no-pager', `--threshold=${MOST_EXPOSURE}`];
    const { stdout } = await run('systemd-analyze', [...args, service]);
    expect(stdout).toMatch(/Overall exposure level for update-repository\.service: \d\.\d OK/);
    const open = join(await temporaryDirectory(), 'update-repository.service');
    await copyFile(service, open);
    await writeFile(open, (await readFile(service, 'utf8')).replace(/^(Protect|System|Capability).*$/gm, ''));
    await expect(run('systemd-analyze', [...args, open])).rejects.toMatchObject({ code: 1 });
  });

  it('begin once an hour', async () => {
    const [, when = ''] = /^OnCalendar=(.*)$/m.exec(await readFile(timer, 'utf8')) ?? [];
    const { stdout } = await run('systemd-analyze', ['calendar', when]);
    expect(stdout).toMatch(/Normalized form: \*-\*-\* \*:00:00/);
  });
});

describe('the service', () => {
  it('uses the variables that the example of its configuration sets, and no others', async () => {
    const example = await readFile(join(units, 'client.conf.example'), 'utf8');
    const lines = example.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    const [, command = ''] = /^ExecStart=(.*)$/m.exec(await readFile(service, 'utf8')) ?? [];
    const used = [...command.matchAll(/\$\{?(\w+)\}?/g)].map(([, name]) => name);
    expect(lines.map((line) => line.split('=')[0]).sort()).toEqual(used.sort());
  });

  it('may write to the directory that the example names', async () => {
    const example = await readFile(join(units, 'client.conf.example'), 'utf8');
    const [, directory] = /^DIR=(.*)$/m.exec(example) ?? [];
    expect(await readFile(service, 'utf8')).toContain(`\nReadWritePaths=-${directory}\n`);
  });

  it('is in the package', async () => {
    const { files } = JSON.parse(await readFile(join(projectRoot, 'package.json'), 'utf8'));
    expect(files).toContain('systemd');
  });
});
