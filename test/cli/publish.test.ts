import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { makeMirrors } from '../publish/support/mirrors.js';
import { readClaims } from '../support/mirror-claims.js';
import { temporaryDirectoryOfSuite } from '../support/temporary-directory.js';
import { haveTools } from '../support/tools.js';
import { finishedCli, runCli, startCli } from './run.js';

describe.skipIf(!haveTools('mksquashfs', 'cksum'))('update-repository publish', () => {
  const folder = temporaryDirectoryOfSuite();
  const www = join(folder, 'www');
  let mirrors: string[] = [];

  beforeAll(async () => {
    mirrors = await makeMirrors(folder);
  });

  test('stores a mirror, then nothing, says so, and goes back', async () => {
    const [first = '', second = ''] = mirrors;
    const dry = await runCli(['publish', '--dry-run', first, www]);
    expect(dry.code).toBe(10);
    expect(dry.stdout).toMatch(/^upload +puavo-os-one\S+\.img +missing +1\.\d MiB$/m);
    expect(existsSync(www)).toBe(false);

    const stored = await runCli(['publish', first, `file://${www}`]);
    expect(stored).toMatchObject({ code: 0 });
    expect(stored.stdout).toMatch(
      /^file:\/\/.*: \d+ objects \(.* MiB\) stored, 0 objects there already, generation 1, /,
    );
    expect(readClaims(www).broken).toEqual([]);
    const again = await runCli(['publish', first, www]);
    expect(again.stdout).toMatch(/: up to date, \d+ objects there already, generation 1, /);

    const before = readFileSync(join(www, 'CKSUMS'), 'utf8');
    expect(await runCli(['publish', '--quiet', second, www])).toMatchObject({ code: 0 });
    expect(readFileSync(join(www, 'CKSUMS'), 'utf8')).not.toBe(before);
    expect(await runCli(['publish', '--rollback', www])).toMatchObject({ code: 0 });
    expect(readFileSync(join(www, 'CKSUMS'), 'utf8')).toBe(before);
    expect(readClaims(www).broken).toEqual([]);
  });

  test('publishes to several places at once, and verify and prune know them', async () => {
    const [mirror = ''] = mirrors;
    const places = ['a', 'b'].map((name) => join(folder, 'places', name));
    expect(await runCli(['publish', '--quiet', '--verify', 'full', mirror, ...places])).toMatchObject({ code: 0 });
    for (const place of places) {
      expect(await runCli(['verify', '--deep', '--quiet', place])).toMatchObject({ code: 0, stderr: '' });
      const pruned = await runCli(['prune', '--grace', '0s', `file://${place}`]);
      expect(pruned).toMatchObject({ code: 0, stdout: `file://${place}: 0 files removed (0 B)\n` });
    }
  });

  test('tries each target although others fail, tells each failure in a line, and exits with the code of the first', async () => {
    const [mirror = ''] = mirrors;
    const [one, two] = ['one', 'two'].map((name) => join(folder, 'some-fail', name));
    const nobody = 'http://127.0.0.1:9/x';
    const file = join(folder, 'a-file');
    writeFileSync(file, '');
    const line = ['publish', mirror, String(one), nobody, `${file}/below`, String(two)];
    const { code, stdout, stderr } = await runCli(line);
    expect(code).toBe(5);
    for (const place of [one, two]) {
      expect(stdout).toMatch(new RegExp(`^file://${place}: \\d+ objects .* stored`, 'm'));
      expect(readClaims(String(place)).broken).toEqual([]);
    }
    const lines = stderr.split('\n').filter((line) => /^(?:error|update-repository): /.test(line));
    expect(lines).toEqual([
      expect.stringMatching(/^error: http:\/\/127\.0\.0\.1:9\/x\/?: .*expected an answer, found /),
      expect.stringMatching(new RegExp(`^error: file://${file}/below: ${file}/below/\\S+: cannot .*: not a directory`)),
      `update-repository: 2 of 4 targets failed: ${nobody}, file://${file}/below; done: file://${one}, file://${two}`,
    ]);

    const json = await runCli(['--json', ...line]);
    expect(json.code).toBe(5);
    const events: { type: string; target?: string; error?: { code: string; data: object } }[] = json.stdout
      .trimEnd()
      .split('\n')
      .map((text) => JSON.parse(text));
    const last = events.pop();
    expect(last).toMatchObject({
      type: 'error',
      error: { code: 'NETWORK', data: { failed: [nobody, expect.anything()] } },
    });
    for (const event of events) expect(event.target, JSON.stringify(event)).toMatch(/^(?:file|http):\/\//);
    expect(events.flatMap(({ type, error }) => (type === 'target-failed' ? error?.code : []))).toEqual([
      'NETWORK',
      'IO',
    ]);
  });

  test('tries no further target after an interruption', async () => {
    const places = ['one', 'two'].map((name) => join(folder, 'interrupted', name));
    const child = startCli(['--json', 'publish', '--bwlimit', '500K', String(mirrors[0]), ...places]);
    child.stdout.once('data', () => child.kill('SIGINT'));
    const { code, stderr } = await finishedCli(child);
    expect([code, stderr]).toEqual([130, 'update-repository: interrupted by SIGINT\n']);
    expect(existsSync(String(places[1]))).toBe(false);
  });

  test('runs a command for what is new, and fails where it fails', async () => {
    const target = join(folder, 'after');
    const line = (command: string) => ['publish', '--quiet', '--after', command, String(mirrors[0]), target];
    const note = join(folder, 'note');
    const words = '$UPDATE_REPOSITORY_TARGET $UPDATE_REPOSITORY_GENERATION <$UPDATE_REPOSITORY_PASSPHRASE>';
    const command = `echo "${words}" >> ${note}`;
    const env = { UPDATE_REPOSITORY_PASSPHRASE: 'secret' };
    for (let time = 0; time < 2; time += 1) {
      expect(await runCli(line(command), env)).toMatchObject({ code: 0, stdout: '' });
    }
    expect(readFileSync(note, 'utf8')).toBe(`file://${target} 1 <>\n`);
    rmSync(target, { recursive: true });
    const failed = await runCli(line('echo no luck; exit 7'));
    expect(failed.code).toBe(1);
    expect(failed.stderr).toMatch(/^no luck\n.*published, but .*: expected success, found exit code 7\n$/s);
  });

  test.each([
    [['publish', 'M'], 2, 'expected where it is to be published, found nothing'],
    [['publish', 'M', 'gopher://x/y'], 2, 'gopher://x/y: expected a place to publish to'],
    [['publish', 'M', 'word'], 2, 'word: expected a place to publish to'],
    [['publish', '/not/there', '/tmp/x'], 2, '/not/there: expected'],
    [['publish', '--rollback', 'file:///not/there/either'], 2, 'expected a generation to go back to, found none'],
    [['prune', 'file:///not/there/either'], 2, 'expected a mirror that was published, found none'],
  ] as const)('%j exits with %d', async (line, code, message) => {
    const result = await runCli(line.map((word) => (word === 'M' ? String(mirrors[0]) : word)));
    expect(result.code).toBe(code);
    expect(result.stderr).toContain(message);
  });

  test('refuses a mirror without a base URL, saying how to set it', async () => {
    const mirror = join(folder, 'no-base-url');
    expect(await runCli(['--quiet', join(folder, 'images-0'), mirror])).toMatchObject({ code: 0 });
    const { code, stderr } = await runCli(['publish', mirror, www]);
    expect(code).toBe(2);
    expect(stderr).toContain(
      'expected a base URL in its indexes, found none\nhint: build it again with --base-url URL',
    );
  });

  test('refuses a mirror whose files are not as its indexes say, and leaves the target as it was', async () => {
    const target = join(folder, 'kept');
    expect(await runCli(['publish', '--quiet', String(mirrors[0]), target])).toMatchObject({ code: 0 });
    const before = readFileSync(join(target, 'CKSUMS'), 'utf8');
    const spoilt = join(folder, 'spoilt');
    const [image = ''] = await spoiltMirror(spoilt);
    for (const [bytes, code, message] of [
      [Buffer.alloc(1_500_000, 1), 3, `${image}: expected \\d+ bytes, as the indexes say, found 1500000`],
      [
        Buffer.alloc(Number(readFileSync(join(spoilt, 'size'), 'utf8')), 1),
        1,
        `${image}: expected \\d+ bytes with sha256`,
      ],
    ] as const) {
      rmSync(join(spoilt, image));
      writeFileSync(join(spoilt, image), bytes);
      const result = await runCli(['publish', '--quiet', spoilt, target]);
      expect(result.code, result.stderr).toBe(code);
      expect(result.stderr).toMatch(new RegExp(message));
      expect(readFileSync(join(target, 'CKSUMS'), 'utf8')).toBe(before);
      expect(readClaims(target).broken).toEqual([]);
    }
  });

  /** A mirror of its own, the name of an image in it that `kept` has not, and its size in a file `size`. */
  async function spoiltMirror(mirror: string): Promise<string[]> {
    expect(
      await runCli(['--quiet', '--link', 'copy', '--base-url', 'https://x.example', join(folder, 'images-1'), mirror]),
    ).toMatchObject({ code: 0 });
    const names = [...readClaims(mirror).named.keys()].filter((name) => name.endsWith('.img')).sort();
    const newest = names.filter((name) => !existsSync(join(folder, 'kept', name)));
    writeFileSync(join(mirror, 'size'), String(readFileSync(join(mirror, String(newest[0]))).length));
    return newest;
  }
});
