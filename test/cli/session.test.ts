import { once } from 'node:events';
import { appendFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { makeRawImages } from '../support/raw-images.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { finishedCli, runCli, startCli } from './run.js';

const STAMPS = ['2022-01-17-120001', '2022-01-20-173248', '2022-02-20-101500'];

/** A directory with a few images, small unless said otherwise. */
async function images(sizeBytes = 300_000): Promise<string> {
  const dir = join(await temporaryDirectory(), 'images');
  await makeRawImages({ dir, stem: 'puavo-os-acme-buster', arch: 'amd64', stamps: STAMPS, seed: 'cli', sizeBytes });
  return dir;
}

describe('from images to a mirror and back', () => {
  it('dry run, build, nothing to do, verify, damage, prune: each with its exit code', async () => {
    const dir = await images();
    const mirror = join(dir, 'mirror');

    const planned = await runCli(['--dry-run', dir]);
    expect(planned.code).toBe(10);
    expect(planned.stdout).toMatch(
      /^ACTION +FILE +FROM OR WHY +SIZE\n(?:link .*\n){3}(?:delta .*\n){3}(?:write-index .*\n)+/,
    );
    expect(planned.stdout).toContain(`\n${mirror}: nothing was changed, this was a dry run\n`);
    expect(await readdir(dir)).toHaveLength(3);

    const built = await runCli([dir]);
    expect(built.code).toBe(0);
    expect(built.stdout).toMatch(
      /^SERIES .*\npuavo-os-acme-buster-amd64 +3 .*\n\n.*: updated, 3 images read, 3 deltas made, .*\n$/,
    );
    expect(built.stderr).toContain('note: delta policy neighbours: the default\n');
    expect(built.stderr).toMatch(/^\[6\/6\] delta rdiffs\/.*, .* % of the image, /m);

    const again = await runCli(['--dry-run', dir]);
    expect(again).toMatchObject({ code: 0, stdout: `${mirror}: up to date, nothing to do\n` });

    const verified = await runCli(['verify', '--deep', mirror]);
    expect(verified.code).toBe(0);
    expect(verified.stdout).toMatch(/: nothing wrong in 6 files, .*, 3 deltas applied, .*\n$/);

    const delta = (await readdir(join(mirror, 'rdiffs'))).find((name) => name.endsWith('.rdiff')) ?? '';
    await appendFile(join(mirror, 'rdiffs', delta), 'x');
    const damaged = await runCli(['verify', '--quiet', mirror]);
    expect(damaged).toMatchObject({ code: 3, stdout: '' });
    expect(damaged.stderr).toContain(`error: rdiffs/${delta}: `);

    const fewer = await runCli(['--deltas', 'none', '--prune', '--grace', '0', '--quiet', dir]);
    expect(fewer).toMatchObject({ code: 0, stdout: '' });
    expect(await runCli(['prune', '--grace', '0', '--dry-run', mirror])).toMatchObject({ code: 0 });
  });

  it('prints every event as a JSON line with --json, the summary last, and nothing on stderr', async () => {
    const { stdout, stderr, code } = await runCli(['--json', await images()]);
    const events = stdout
      .trimEnd()
      .split('\n')
      .map((line): { type: string } => JSON.parse(line));
    expect({ stderr, code }).toEqual({ stderr: '', code: 0 });
    expect(events.at(-1)).toMatchObject({ type: 'build-summary', changed: true, examined: 3, deltasMade: 3 });
    expect(new Set(events.map(({ type }) => type))).toEqual(
      new Set([
        'note',
        'plan',
        'job-started',
        'job-finished',
        'index-written',
        'build-summary',
        ...someProgress(events),
      ]),
    );
  });

  it('takes the options of the old wrapper', async () => {
    const dir = await images();
    const args = ['-n', '-p', '/no/such/tree', '-r', 'https://images.example.org/', '--dry-run', dir];
    const { stderr, stdout, code } = await runCli(args);
    expect(code).toBe(10);
    expect(stdout.match(/^delta /gm)).toHaveLength(6);
    expect(stderr).toContain('note: --no-files is deprecated: configuration is never written, with or without it\n');
    expect(stderr).toContain('note: /no/such/tree/config/images: no such directory: ');
    expect(stderr).toContain('note: delta policy puavo: the default with --puavo-os or --repository\n');
  });
});

describe('a build that is stopped', () => {
  it.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
    'by %s ends with 130 and one line, and the next one completes it',
    async (signal) => {
      const dir = await images(8_000_000);
      const child = startCli(['--json', '--deltas', 'all', dir]);
      child.stdout.setEncoding('utf8');
      let output = '';
      child.stdout.on('data', (chunk: string) => {
        output += chunk;
        if (output.includes('"job-started"') && !child.killed) child.kill(signal);
      });
      const { stderr, code } = await finishedCli(child);
      expect({ stderr, code }).toEqual({ stderr: `update-repository: interrupted by ${signal}\n`, code: 130 });
      expect(JSON.parse(output.trimEnd().split('\n').at(-1) ?? '')).toMatchObject({
        type: 'error',
        error: { code: 'INTERRUPTED' },
      });
      expect(await runCli(['-q', '--deltas', 'none', dir])).toMatchObject({ code: 0 });
      expect(await runCli(['verify', '-q', join(dir, 'mirror')])).toMatchObject({ code: 0, stderr: '' });
    },
  );

  it('because nobody reads its output any more, ends without a word', async () => {
    const child = startCli(['--json', await images(8_000_000)]);
    await once(child.stdout, 'data');
    child.stdout.destroy();
    let stderr = '';
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      stderr += chunk;
    });
    const [code] = await once(child, 'close');
    expect({ stderr, code }).toEqual({ stderr: '', code: 130 });
  });
});

/** A small build may be over before its first progress is reported. */
function someProgress(events: readonly { readonly type: string }[]): string[] {
  return events.some(({ type }) => type === 'job-progress') ? ['job-progress'] : [];
}
