import { existsSync, lstatSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { type CliResult, runCli } from '../cli/run.js';
import { temporaryDirectory, temporaryDirectoryOfSuite } from '../support/temporary-directory.js';
import { haveTools } from '../support/tools.js';
import { type FaultyServer, startFaultyServer } from './support/faulty-server.js';
import {
  type BuiltMirror,
  buildMirrorOf,
  currentBytes,
  deltaPathOf,
  deviceWith,
  filesOf,
  updateTo,
  versionIn,
} from './support/updates.js';

/** The URLs beside the mirror cannot be reached. */
const PATIENCE = { attempts: 2, firstPauseMs: 1 };

describe.skipIf(!haveTools('cksum'))('the command line', () => {
  const dir = temporaryDirectoryOfSuite();
  let mirror: BuiltMirror;
  let files: ReadonlyMap<string, Buffer>;

  beforeAll(async () => {
    mirror = await buildMirrorOf(4, dir, 'neighbours', 300_000);
    files = filesOf(mirror);
  });

  const image = (index: number) => String(mirror.images[index]);
  const version = (index: number) => versionIn(image(index));

  /** A device with one of the images, a server that has all, and the command between them. */
  async function deviceAt(index: number) {
    const device = await deviceWith(join(await temporaryDirectory(), 'device'), image(index));
    const server = await startFaultyServer({ files, random: () => 0.5 });
    const update = (...args: string[]) => runCli(['update', '--connection', 'unmetered', ...args, server.url, device]);
    return { device, server, update };
  }

  const expectCurrent = (device: string, index: number) =>
    expect(currentBytes(device).equals(readFileSync(image(index))), `current is ${index}`).toBe(true);

  describe('update', () => {
    test('runs both hooks, each with the images in its environment', async () => {
      const { device, update } = await deviceAt(2);
      const words = '$UPDATE_REPOSITORY_VERSION after $UPDATE_REPOSITORY_PREVIOUS_VERSION';
      const { code, stderr } = await update(
        ...['--pre-activate', `test "$(readlink current)" = ${basename(image(2))} && echo "pre ${words}" >> hooks`],
        ...['--post-activate', `test "$(readlink current)" = ${basename(image(3))} && echo "post ${words}" >> hooks`],
      );
      expect(code, stderr).toBe(0);
      expect(readFileSync(join(device, 'hooks'), 'utf8')).toBe(
        ['pre', 'post'].map((name) => `${name} ${version(3)} after ${version(2)}\n`).join(''),
      );
    });

    test('keeps the passphrase of keys from hooks, although it needs none itself', async () => {
      const { device, server } = await deviceAt(2);
      const look = 'echo "$UPDATE_REPOSITORY_VERSION <$UPDATE_REPOSITORY_PASSPHRASE>" > hook';
      const env = { UPDATE_REPOSITORY_PASSPHRASE: 'secret' };
      const { code, stderr } = await runCli(['update', '--pre-activate', look, server.url, device], env);
      expect(code, stderr).toBe(0);
      expect(readFileSync(join(device, 'hook'), 'utf8')).toBe(`${version(3)} <>\n`);
    });

    test('leaves the old image current when pre-activate fails, and fetches nothing again', async () => {
      const { device, server, update } = await deviceAt(2);
      const { code, stderr } = await update(
        '--pre-activate',
        'echo not today >&2; exit 7',
        '--post-activate',
        'touch no',
      );
      expect(code).toBe(1);
      expect(stderr).toContain('not today');
      expect(stderr).toMatch(/pre-activate.*7/);
      expectCurrent(device, 2);
      expect(existsSync(join(device, 'no'))).toBe(false);
      server.served.length = 0;
      expect((await update('--post-activate', 'touch yes')).code).toBe(0);
      expectCurrent(device, 3);
      expect(existsSync(join(device, 'yes'))).toBe(true);
      expect(filesServed(server)).toEqual([]);
    });

    test('says that post-activate failed, and the new image stays current', async () => {
      const { device, update } = await deviceAt(2);
      const { code, stderr } = await update('--post-activate', 'exit 9');
      expect(code).toBe(0);
      expect(stderr).toContain('the new image stays current');
      expectCurrent(device, 3);
    });

    test('--check exits with 10 while there is something new, tells of it once, and changes nothing', async () => {
      const { device, server, update } = await deviceAt(2);
      const notify = [
        '--notify',
        `echo "$UPDATE_REPOSITORY_VERSION $UPDATE_REPOSITORY_BYTES" >> ${join(device, 'told')}`,
      ];
      const told = () => readFileSync(join(device, 'told'), 'utf8').split('\n').slice(0, -1);
      const deltaBytes = files.get(deltaPathOf(image(2), image(3)))?.length;
      for (const _ of ['first', 'again']) {
        const { code, stdout, stderr } = await update('--check', ...notify);
        expect(code, stderr).toBe(10);
        expect(stdout + stderr).toContain(version(3));
        expect(told()).toEqual([`${version(3)} ${deltaBytes}`]);
      }
      expect((await update('--check', '--notify-again', ...notify)).code).toBe(10);
      expect(told()).toHaveLength(2);
      expect(filesServed(server)).toEqual([]);
      expectCurrent(device, 2);
      expect((await update()).code).toBe(0);
      expect((await update('--check', ...notify)).code).toBe(0);
      expect(told()).toHaveLength(2);
    });

    test('--plan shows the chosen way and others, as a table and as JSON, and exits with 10', async () => {
      const { device, server, update } = await deviceAt(1);
      const { code, stdout, stderr } = await update('--plan');
      expect(code, stderr).toBe(10);
      const table = stdout + stderr;
      expect(table).toMatch(/FROM +HOPS +DOWNLOAD +DISK +TIME +WHY/);
      expect(table).toMatch(/^\* /m);
      expect(table).toContain('whole image');
      expect(table).toMatch(/^reckoned with 3\.8 MiB a second \(assumed\)$/m);
      const json = await runCli(['--json', 'update', '--plan', server.url, device]);
      expect(json.code).toBe(10);
      const [plan] = eventsOf(json, 'path-plan');
      expect(plan).toMatchObject({ dryRun: true, wanted: version(3) });
      const ways = plan.paths.map(({ hops }: { hops: { kind: string }[] }) => hops.map(({ kind }) => kind).join());
      expect(ways).toEqual(expect.arrayContaining(['image', 'delta,delta']));
      expect(filesServed(server)).toEqual([]);
      expectCurrent(device, 1);
      expect((await update()).code).toBe(0);
      expect((await update('--plan')).code).toBe(0);
    });

    test.each(['never', 'ask'])(
      '--fallback %s fetches no whole image without a terminal to ask at',
      async (fallback) => {
        const { device, server, update } = await deviceAt(2);
        server.files.delete(deltaPathOf(image(2), image(3)));
        withoutDeltas(server);
        const { code, stderr } = await update('--fallback', fallback);
        expect(code, stderr).toBe(2);
        expect(stderr).toContain('expected a way');
        expect(filesServed(server)).toEqual([]);
        expectCurrent(device, 2);
        expect((await update('--fallback', 'full')).code).toBe(0);
        expectCurrent(device, 3);
      },
    );

    test('never goes below the floor', async () => {
      const { device, server, update } = await deviceAt(2);
      const { code, stderr } = await update('--target', version(0), '--allow-downgrade', '--floor', version(1));
      expect(code).toBe(2);
      expect(stderr).toContain(`not below the floor ${version(1)}`);
      expect(filesServed(server)).toEqual([]);
      expect((await update('--target', version(0))).code).toBe(2);
      expectCurrent(device, 2);
      expect((await update('--target', version(1), '--allow-downgrade', '--floor', version(1))).code).toBe(0);
      expectCurrent(device, 1);
    });

    test('stops at every barrier', async () => {
      const { device, update } = await deviceAt(0);
      for (const index of [1, 2, 3]) {
        expect((await update('--barrier', version(2), '--barrier', version(1))).code).toBe(0);
        expectCurrent(device, index);
      }
    });

    test('--keep says how many images stay', async () => {
      const { device, update } = await deviceAt(0);
      const images = () => readdirSync(device).filter((name) => name.endsWith('.img'));
      for (const [index, keep, left] of [
        [1, '4', 2],
        [2, '4', 3],
        [3, '2', 2],
      ] as const) {
        expect((await update('--target', version(index), '--keep', keep)).code).toBe(0);
        expect(images()).toHaveLength(left);
      }
      expect(images()).toEqual([2, 3].map((index) => basename(image(index))));
    });

    test('--keep-deltas keeps what it went by', async () => {
      const { device, update } = await deviceAt(1);
      expect((await update('--keep-deltas', '--fallback', 'never')).code).toBe(0);
      const paths = [deltaPathOf(image(1), image(2)), deltaPathOf(image(2), image(3))];
      expect(readdirSync(join(device, 'rdiffs')).sort()).toEqual(paths.map((path) => basename(path)).sort());
      for (const path of paths) expect(readFileSync(join(device, path)).equals(files.get(path)!)).toBe(true);
    });
  });

  describe('a delta that the index lists and that is gone', () => {
    test('makes it read the index again, once, and go by what is there', async () => {
      const { device, server } = await deviceAt(2);
      const delta = deltaPathOf(image(2), image(3));
      server.files.delete(delta);
      const { summary } = await updateTo(version(3), device, { urls: [server.url], patience: PATIENCE });
      expectCurrent(device, 3);
      const urls = server.served.map(({ url }) => url);
      expect(urls.filter((url) => url === '/index.json')).toHaveLength(2);
      expect(urls.filter((url) => url.endsWith('.img'))).toHaveLength(1);
      expect(summary.fetchedBytes).toBe(summary.plannedBytes);
    });

    test('is no matter where the index that is read again has other images', async () => {
      const { device, server } = await deviceAt(2);
      server.files.delete(deltaPathOf(image(2), image(3)));
      // The newest image was withdrawn in between.
      const [metaPath = '', meta] = [...files].find(([name]) => name.startsWith('meta/')) ?? [];
      const without = JSON.parse(String(meta), (key, value) =>
        key === 'images' && Array.isArray(value) ? value.filter(({ version: one }) => one !== version(3)) : value,
      );
      server.faultOf = (n) => {
        if (n === 2) server.files.set(metaPath, Buffer.from(JSON.stringify(without)));
        return null;
      };
      const source = { urls: [server.url], patience: PATIENCE };
      const { summary } = await updateTo(version(3), device, source, { policy: { target: { kind: 'latest' } } });
      expectCurrent(device, 2);
      expect(summary).toMatchObject({ changed: false, to: version(2) });
    });
  });

  describe('rollback', () => {
    test('makes the previous image current, with its hooks, and goes to and fro', async () => {
      const { device, update } = await deviceAt(2);
      expect((await update()).code).toBe(0);
      const { code, stderr } = await runCli(['rollback', '--pre-activate', 'exit 3', device]);
      expect(code).toBe(1);
      expect(stderr).toContain('pre-activate');
      expectCurrent(device, 3);
      const back = await runCli(['--json', 'rollback', '--post-activate', 'touch post', device]);
      expect(back.code, back.stderr).toBe(0);
      expect(eventsOf(back, 'update-summary')[0]).toMatchObject({ from: version(3), to: version(2), changed: true });
      expectCurrent(device, 2);
      expect(existsSync(join(device, 'post'))).toBe(true);
      expect((await runCli(['rollback', device])).code).toBe(0);
      expectCurrent(device, 3);
    });

    test('says that there is nothing to go back to', async () => {
      const { device } = await deviceAt(2);
      const { code, stderr } = await runCli(['rollback', device]);
      expect(code).toBe(2);
      expect(stderr).toContain('previous');
      expectCurrent(device, 2);
      expect(lstatSync(join(device, 'current')).isSymbolicLink()).toBe(true);
    });
  });

  /** The mirror lists no delta any more. */
  function withoutDeltas(server: FaultyServer): void {
    for (const [path, text] of files) {
      if (!path.startsWith('meta/')) continue;
      const bare = JSON.parse(text.toString(), (key, value) => (key === 'diffs' ? [] : value));
      server.files.set(path, Buffer.from(JSON.stringify(bare)));
    }
  }
});

/** Images and deltas that were asked for. */
function filesServed({ served }: FaultyServer): string[] {
  return served.map(({ url }) => url).filter((url) => /\.(img|rdiff)$/.test(url));
}

function eventsOf({ stdout }: Pick<CliResult, 'stdout'>, type: string) {
  const lines = stdout.trim().split('\n');
  return lines.map((line) => JSON.parse(line)).filter((event) => event.type === type);
}
