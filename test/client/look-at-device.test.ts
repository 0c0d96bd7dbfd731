import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, copyFileSync, linkSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { openPlace } from '../../src/client/session.js';
import { type CliResult, finishedCli, projectRoot, runCli } from '../cli/run.js';
import { mountSmallDisk } from '../support/small-disk.js';
import { temporaryDirectory, temporaryDirectoryOfSuite } from '../support/temporary-directory.js';
import { haveTools, requireTools, type Skippable, skipLoudly } from '../support/tools.js';
import { startFaultyServer } from './support/faulty-server.js';
import {
  type BuiltMirror,
  buildMirrorOf,
  currentBytes,
  deviceWith,
  filesOf,
  updateTo,
  versionIn,
} from './support/updates.js';

const NOBODY = '65534';
const ASKED = ['--check', '--plan'] as const;

describe.skipIf(!haveTools('cksum'))('a device is only looked at', () => {
  const dir = temporaryDirectoryOfSuite();
  let mirror: BuiltMirror;
  let files: ReadonlyMap<string, Buffer>;

  beforeAll(async () => {
    mirror = await buildMirrorOf(3, dir, 'neighbours', 300_000);
    files = filesOf(mirror);
  });

  const image = (index: number) => String(mirror.images[index]);

  /** A device with one of the images, which others may read, and a server that has all. */
  async function deviceAt(index: number) {
    const device = await deviceWith(join(await temporaryDirectory(), 'device'), image(index));
    chmodSync(dirname(device), 0o755);
    return { device, ...(await served()) };
  }

  async function served() {
    const server = await startFaultyServer({ files, random: () => 0.5 });
    return { server, source: { urls: [server.url] } };
  }

  describe('by who may not write it', () => {
    test.for(ASKED)('with %s, who finds what root would find and changes nothing', async (asked, context) => {
      requireNobody(context);
      const { device, server } = await deviceAt(1);
      const before = stateOf(device);
      const found = await asNobody(['--json', 'update', asked, server.url, device]);
      expect(found.code, found.stderr).toBe(10);
      expect(messages(found)).toContainEqual(expect.stringMatching(/permission denied \(it is only looked at/));
      expect(hashed(found)).toEqual([basename(image(1))]);
      expect(stateOf(device)).toEqual(before);
      const asRoot = await runCli(['--json', 'update', asked, server.url, device]);
      expect(answers(found)).toEqual(answers(asRoot));
      expect(answers(found)).toHaveLength(1);
    });

    test('reads no image again that is recorded, and reckons with what is fetched', async (context) => {
      requireNobody(context);
      const { device, server, source } = await deviceAt(0);
      const target = versionIn(image(2));
      // The second request of a file ends the update amid the image.
      const cut = updateTo(target, device, source, {
        onEvent: (event) => {
          if (event.type === 'job-started' && event.kind === 'patch') throw new Error('cut off');
        },
      });
      await expect(cut).rejects.toThrow('cut off');
      const before = stateOf(device);
      const found = await asNobody(['--json', 'update', '--plan', '--fallback', 'never', server.url, device]);
      expect(found.code, found.stderr).toBe(10);
      expect(hashed(found)).toEqual([]);
      expect(stateOf(device)).toEqual(before);
      const hops = answers(found)[0].paths[0].hops;
      expect(hops.map(({ downloadBytes }: { downloadBytes: number }) => downloadBytes)).toEqual([
        0,
        expect.any(Number),
      ]);
    });

    test('and an update is refused as it was, and so is a check that has to remember whom it told', async (context) => {
      requireNobody(context);
      const { device, server } = await deviceAt(1);
      const before = stateOf(device);
      for (const args of [[], ['--check', '--notify', 'true']]) {
        const { code, stderr } = await asNobody(['update', ...args, server.url, device]);
        expect(code, stderr).toBe(1);
        expect(stderr).toContain(`${device}: cannot keep images in it: permission denied`);
      }
      expect(stateOf(device)).toEqual(before);
    });

    test('tells what is wrong with it', async (context) => {
      requireNobody(context);
      const { device, server } = await deviceAt(1);
      rmSync(join(device, 'current'));
      linkSync(join(device, basename(image(1))), join(device, 'current'));
      const { code, stderr } = await asNobody(['update', '--check', server.url, device]);
      expect(code, stderr).toBe(2);
      expect(stderr).toContain('expected a symbolic link to an image beside it');
    });
  });

  test.for(ASKED)('with %s on a file system that is read-only', async (asked, context) => {
    const disk = mountSmallDisk(context, join(await temporaryDirectory(), 'disk'), 2_000_000);
    const device = await deviceWith(disk.path, image(1));
    const { server } = await served();
    execFileSync('mount', ['-o', 'remount,ro', device]);
    const found = await runCli(['update', asked, server.url, device]);
    expect(found.code, found.stderr).toBe(10);
    expect(found.stderr).toContain('read-only file system (it is only looked at');
  });

  describe('while somebody else has it', () => {
    test.for(ASKED)('with %s, and lets them go on', async (asked) => {
      const { device, server } = await deviceAt(1);
      const place = { dir: device, layout: 'plain' } as const;
      const holder = await openPlace(place, { signal: never(), onEvent: () => undefined }, 'change');
      onTestFinished(() => holder.close());
      const before = stateOf(device).filter(isNotPrivate);
      const found = await runCli(['update', asked, server.url, device]);
      expect(found.code, found.stderr).toBe(10);
      expect(found.stderr).toContain(`held by process ${process.pid}`);
      expect(stateOf(device).filter(isNotPrivate)).toEqual(before);
      expect(readdirSync(join(device, '.update-repository')).sort()).toEqual(['lock', 'partial']);
      await holder.assertMayGoOn();
      const notified = await runCli(['update', '--check', '--notify', 'true', server.url, device]);
      expect(notified.code, notified.stderr).toBe(4);
    });

    test('as an update runs', async () => {
      const { device, server, source } = await deviceAt(0);
      for (const name of server.files.keys()) if (name.startsWith('rdiffs/')) server.files.delete(name);
      let asked: Promise<CliResult> | undefined;
      await updateTo(
        versionIn(image(2)),
        device,
        { ...source, patience: { attempts: 1, firstPauseMs: 1 } },
        {
          policy: { limitBytesPerSecond: 20_000 },
          onEvent: (event) => {
            if (event.type !== 'job-started' || event.kind !== 'download') return;
            if (event.path === basename(image(2))) asked ??= runCli(['update', '--check', server.url, device]);
          },
        },
      );
      const found = await asked;
      expect(found?.code, found?.stderr).toBe(10);
      expect(found?.stderr).toContain(`held by process ${process.pid}`);
      expect(currentBytes(device).equals(readFileSync(image(2)))).toBe(true);
      expect((await runCli(['update', '--check', server.url, device])).code).toBe(0);
    });

    test("that is one of Puavo's clients", async (context) => {
      requireTools(context, 'flock');
      const { device, server } = await deviceAt(1);
      rmSync(join(device, 'current'));
      linkSync(join(device, basename(image(1))), join(device, 'ltsp.img'));
      copyFileSync(image(0), join(device, basename(image(0))));
      const holder = spawn('flock', ['-nx', join(device, '.image_updates_lock'), 'sh', '-c', 'echo; exec cat']);
      onTestFinished(() => void holder.stdin.end());
      await once(holder.stdout, 'data');
      const before = stateOf(device).filter(isNotPrivate);
      const found = await runCli(['--json', 'update', '--check', '--layout', 'puavo', server.url, device]);
      expect(found.code, found.stderr).toBe(10);
      expect(hashed(found)).toEqual([basename(image(0)), basename(image(1))]);
      expect(stateOf(device).filter(isNotPrivate)).toEqual(before);
      expect(readdirSync(join(device, '.update-repository'))).toEqual(['partial']);
    });
  });

  function never(): AbortSignal {
    return new AbortController().signal;
  }
});

/** All that is below a directory, with the times of its bytes and of its names. */
function stateOf(device: string): string[] {
  const found = execFileSync('find', [device, '-mindepth', '1', '-printf', '%P %s %T@ %C@ %n\n'], { encoding: 'utf8' });
  return found.trim().split('\n').sort();
}

/** To find a lock held takes a claim beside it, which is gone again. */
function isNotPrivate(line: string): boolean {
  return !line.startsWith('.update-repository');
}

const program = join(projectRoot, 'bin', 'update-repository.js');
const BECOME_NOBODY = ['--reuid', NOBODY, '--regid', NOBODY, '--clear-groups', '--', process.execPath, program];

/** Runs the program as a user who is nobody here. */
async function asNobody(args: readonly string[]): Promise<CliResult> {
  return await finishedCli(spawn('setpriv', [...BECOME_NOBODY, ...args], { cwd: '/' }));
}

function requireNobody(context: Skippable): void {
  requireTools(context, 'setpriv');
  if (process.getuid?.() !== 0) skipLoudly(context, 'only root can become nobody');
  const { status } = spawnSync('setpriv', [...BECOME_NOBODY, '--version'], { cwd: '/' });
  if (status !== 0) skipLoudly(context, 'nobody cannot run the program');
}

function linesOf({ stdout }: CliResult) {
  return stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
}

/** What was found out, without how much room there was at that moment. */
function answers(result: CliResult) {
  return linesOf(result).filter(({ type }) => type === 'update-check' || type === 'path-plan');
}

function messages(result: CliResult): string[] {
  return linesOf(result).flatMap(({ type, message }) => (type === 'note' ? [message] : []));
}

/** The images that were read. */
function hashed(result: CliResult): string[] {
  return linesOf(result).flatMap(({ type, kind, path }) =>
    type === 'job-finished' && kind === 'digest' ? [path] : [],
  );
}
