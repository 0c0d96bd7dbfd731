import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { BundleFiles } from '../../src/client/bundle/bundle-files.js';
import { type BundleUpdateOptions, updateFromBundle } from '../../src/client/bundle/update-from-bundle.js';
import { type PolicyChoices, policyOf } from '../../src/client/policy/policy.js';
import { openPlace } from '../../src/client/session.js';
import type { RepositoryEvent } from '../../src/events.js';
import { isImageVersion } from '../../src/metadata/brands.js';
import { runCli } from '../cli/run.js';
import { startNginx } from '../peers/nginx.mjs';
import { freePort } from '../peers/server-process.mjs';
import { mountSmallDisk } from '../support/small-disk.js';
import { temporaryDirectoryOfSuite } from '../support/temporary-directory.js';
import { haveTools } from '../support/tools.js';
import { startFaultyServer } from './support/faulty-server.js';
import {
  type BuiltMirror,
  buildMirrorOf,
  currentBytes,
  deltaPathOf,
  deviceWith,
  filesOf,
  partialNames,
  versionIn,
} from './support/updates.js';

describe.skipIf(!haveTools('nginx', 'cksum'))('devices without a network, by bundles of a mirror that is gone', () => {
  const dir = temporaryDirectoryOfSuite();
  let mirror: BuiltMirror;
  let devices = 0;

  /** The server ends before any device is brought up to date. */
  beforeAll(async () => {
    mirror = await buildMirrorOf(4, dir, 'neighbours');
    const port = await freePort();
    const stop = await startNginx(dir, port, `server { listen 127.0.0.1:${port}; root ${mirror.root}; }`);
    try {
      for (const [from, to] of [
        [0, 3],
        [1, 2],
        [null, 2],
        [3, 2],
      ] as const) {
        const start = from === null ? 'none' : version(from);
        const made = await runCli(['bundle', '-o', bundle(from, to), `http://127.0.0.1:${port}`, start, version(to)]);
        if (made.code !== 0) throw new Error(made.stderr);
      }
    } finally {
      await stop();
    }
  }, 60_000);

  const image = (index: number) => String(mirror.images[index]);
  const version = (index: number) => versionIn(image(index));
  const bundle = (from: number | null, to: number) => join(dir, `${from ?? 'none'}-${to}.tar`);
  const device = (index: number | null) =>
    deviceWith(join(dir, `device-${devices++}`), index === null ? null : image(index));

  async function update(
    path: string,
    place: string,
    { policy = {}, ...options }: Omit<Partial<BundleUpdateOptions>, 'policy'> & { policy?: PolicyChoices } = {},
  ) {
    const events: RepositoryEvent[] = [];
    const summary = await updateFromBundle({
      source: { path },
      device: { dir: place, layout: 'plain' },
      policy: policyOf({}, policy),
      signal: new AbortController().signal,
      onEvent: (event) => events.push(event),
      ...options,
    });
    return { summary, events };
  }

  /** Of the delta from a version to the next one. */
  function deltaBytes(index: number): Buffer {
    const stamps = [index, index + 1].map((at) => /\d{4}-\d\d-\d\d-\d{6}/.exec(image(at))?.[0]);
    return readFileSync(join(mirror.root, 'rdiffs', `puavo-os-test-bookworm-${stamps.join('--')}-amd64.rdiff`));
  }

  function expectIs(place: string, index: number): void {
    expect(currentBytes(place).equals(readFileSync(image(index)))).toBe(true);
  }

  function damaged(path: string, change: (bytes: Buffer) => Buffer): string {
    const copy = `${path}.damaged`;
    writeFileSync(copy, change(readFileSync(path)));
    return copy;
  }

  test('lead by several deltas to the same bytes, and leave the old image as the previous one', async () => {
    const place = await device(0);
    const { summary, events } = await update(bundle(0, 3), place);
    expect(summary).toMatchObject({
      from: version(0),
      to: version(3),
      changed: true,
      fetchedBytes: 0,
      plannedBytes: 0,
    });
    expectIs(place, 3);
    expect(readFileSync(join(place, 'previous')).equals(readFileSync(image(0)))).toBe(true);
    expect(partialNames(place)).toEqual([]);
    const jobs = events.filter((event) => event.type === 'job-finished').map(({ kind }) => kind);
    expect(jobs).toEqual(['digest', 'download', 'download', 'patch']);
  });

  test('are reckoned with as files, however slow the line is', async () => {
    const place = await device(0);
    const policy = { downloadBytesPerSecond: 1, limitBytesPerSecond: 1, maxHops: 1 };
    const { events } = await update(bundle(0, 3), place, { policy });
    const plan = events.find((event) => event.type === 'path-plan');
    expect(plan?.paths[0]?.hops).toHaveLength(3);
    expect(plan?.paths[0]?.durationMs).toBeLessThan(10_000);
    expect(plan?.leftOut).toEqual([]);
  });

  test('take the place of the previous image where that may go and nothing else fits', async (context) => {
    const disk = mountSmallDisk(context, join(dir, 'small-disk'), 2_000_000);
    const place = await deviceWith(disk.path, image(0));
    await update(bundle(0, 3), place);
    disk.resize(750_000);
    const policy = { allowDowngrade: true };
    await expect(update(bundle(3, 2), place, { policy })).rejects.toMatchObject({ code: 'NO_SPACE' });
    expect(readFileSync(join(place, 'previous')).equals(readFileSync(image(0)))).toBe(true);
    const { events } = await update(bundle(3, 2), place, { policy: { ...policy, makeRoom: 'previous' } });
    expectIs(place, 2);
    expect(readFileSync(join(place, 'previous')).equals(readFileSync(image(3)))).toBe(true);
    expect(events).toContainEqual(expect.objectContaining({ type: 'note', subject: basename(image(0)) }));
  });

  test('lead from nothing by a whole image', async () => {
    const place = await device(null);
    await update(bundle(null, 2), place);
    expectIs(place, 2);
  });

  test('lead from a version that is on their way, and have nothing to do for who is there', async () => {
    const place = await device(1);
    await update(bundle(0, 3), place);
    expectIs(place, 3);
    const { summary } = await update(bundle(0, 3), place);
    expect(summary).toMatchObject({ to: version(3), changed: false });
  });

  test('are refused by a device that has another version, and by one whose image has other bytes', async () => {
    const place = await device(0);
    const message = expect.stringMatching(new RegExp(`expected the version ${version(1)} in .*, found `));
    await expect(update(bundle(1, 2), place)).rejects.toMatchObject({ code: 'NOT_FOUND', message });
    const changed = await device(1);
    const path = join(changed, image(1).slice(image(1).lastIndexOf('/') + 1));
    const bytes = readFileSync(path);
    bytes[1000]! ^= 1;
    writeFileSync(path, bytes);
    await expect(update(bundle(1, 2), changed)).rejects.toMatchObject({ code: 'NOT_FOUND', message });
    expect(readFileSync(path).equals(bytes)).toBe(true);
  });

  test.each([
    ['below a floor', { floor: 3 }, 1, [1, 2]],
    ['below the current one', {}, 3, [3, 2]],
    ['another than is wanted', { target: 3 }, 1, [1, 2]],
  ] as const)('are refused for a version %s', async (_, limits, at, [from, to]) => {
    const place = await device(at);
    const policy = Object.fromEntries(
      Object.entries(limits).map(([name, index]) => {
        const text = version(index);
        return [name, name === 'floor' ? text : { kind: 'version', version: text }];
      }),
    ) as PolicyChoices;
    await expect(update(bundle(from, to), place, { policy })).rejects.toMatchObject({ code: 'CONFIG' });
    expectIs(place, at);
  });

  test('lead downwards where that is allowed', async () => {
    const place = await device(3);
    await update(bundle(3, 2), place, { policy: { allowDowngrade: true } });
    expectIs(place, 2);
  });

  test('lead to a barrier that is on their way first', async () => {
    const place = await device(0);
    const barrier = version(1);
    if (!isImageVersion(barrier)) throw new Error(barrier);
    const policy = { barriers: [barrier] };
    await update(bundle(0, 3), place, { policy });
    expectIs(place, 1);
    await update(bundle(0, 3), place, { policy });
    expectIs(place, 3);
  });

  test('leave their deltas where that is wanted', async () => {
    const place = await device(0);
    await update(bundle(0, 3), place, { keepDeltas: true });
    expectIs(place, 3);
    for (const name of readdirSync(join(place, 'rdiffs'))) {
      expect(readFileSync(join(place, 'rdiffs', name)).equals(readFileSync(join(mirror.root, 'rdiffs', name)))).toBe(
        true,
      );
    }
    expect(readdirSync(join(place, 'rdiffs'))).toHaveLength(3);
  });

  test('are read from where an image was made to', async () => {
    const place = await openPlace(
      { dir: await device(1), layout: 'plain' },
      { signal: new AbortController().signal, onEvent: () => undefined },
      'change',
    );
    try {
      const delta = deltaBytes(1);
      for (const position of [0, 1, delta.length - 1, delta.length]) {
        await using files = await BundleFiles.open(bundle(1, 2), place);
        const [hop] = files.manifest.hops;
        if (hop?.kind !== 'delta') throw new Error('expected a delta');
        const pieces: Uint8Array[] = [];
        for await (const piece of files.stream(hop).bytesFrom(position)) pieces.push(piece);
        expect(Buffer.concat(pieces).equals(delta.subarray(position))).toBe(true);
      }
    } finally {
      await place.close();
    }
  });

  test.each([0, 1, 2])('leave the old image where delta %d of theirs is damaged', async (index) => {
    const place = await device(0);
    const [whole, delta] = [readFileSync(bundle(0, 3)), deltaBytes(index)];
    const start = whole.indexOf(delta);
    expect(start).toBeGreaterThan(0);
    for (const at of [0, 4, delta.length >> 1, delta.length - 1]) {
      const path = damaged(bundle(0, 3), (bytes) => {
        bytes[start + at]! ^= 1;
        return bytes;
      });
      const code = expect.stringMatching(/^(FORMAT|VERIFICATION)$/);
      await expect(update(path, place)).rejects.toMatchObject({ code });
      expectIs(place, 0);
      expect(imagesIn(place)).toHaveLength(1);
    }
    await update(bundle(0, 3), place);
    expectIs(place, 3);
  });

  test('leave the old image where they are cut off, or have more than they say', async () => {
    const place = await device(0);
    const { length } = readFileSync(bundle(0, 3));
    for (const share of [0, 0.1, 0.5, 0.9]) {
      const path = damaged(bundle(0, 3), (bytes) => bytes.subarray(0, length * share));
      await expect(update(path, place)).rejects.toMatchObject({ code: 'FORMAT' });
      expectIs(place, 0);
    }
    const surplus = damaged(bundle(0, 3), (bytes) => {
      const deltaHeader = bytes.indexOf('puavo-os', 512 + readManifestBytes(bytes));
      return Buffer.concat([bytes.subarray(0, bytes.length - 1024), bytes.subarray(deltaHeader)]);
    });
    await expect(update(surplus, place)).rejects.toMatchObject({ code: 'FORMAT' });
    expectIs(place, 0);
  });

  test('lead there on the command line, which tells a plan before', async () => {
    const place = await device(0);
    const planned = await runCli(['update', '--plan', bundle(0, 3), place]);
    expect(planned).toMatchObject({ code: 10, stdout: expect.stringContaining(version(3)) });
    expectIs(place, 0);
    const updated = await runCli(['--json', 'update', bundle(0, 3), place]);
    expect(updated).toMatchObject({ code: 0, stderr: '' });
    const last: unknown = JSON.parse(updated.stdout.trim().split('\n').at(-1) ?? '');
    expect(last).toMatchObject({ type: 'update-summary', from: version(0), to: version(3), changed: true });
    expectIs(place, 3);
    const again = await runCli(['update', bundle(0, 3), place]);
    expect(again).toMatchObject({ code: 0, stdout: expect.stringContaining(`current is ${version(3)}: is what`) });
    expect(await runCli(['update', '--plan', bundle(0, 3), place])).toMatchObject({ code: 0 });
  });

  test('are refused on the command line with the exit code of what is wrong', async () => {
    const place = await device(0);
    const path = damaged(bundle(0, 3), (bytes) => bytes.fill(1, bytes.length - 5000, bytes.length - 4990));
    expect(await runCli(['update', path, place])).toMatchObject({ code: 3, stderr: expect.stringContaining(path) });
    const other = await runCli(['update', bundle(1, 2), place]);
    expect(other).toMatchObject({ code: 2, stderr: expect.stringContaining(`expected the version ${version(1)}`) });
    expect(await runCli(['update', '--series', 'other', bundle(0, 3), place])).toMatchObject({ code: 2 });
    const checked = await runCli(['update', '--check', bundle(0, 3), place]);
    expect(checked).toMatchObject({ code: 2, stderr: expect.stringContaining('option --check: expected the URL') });
    expectIs(place, 0);
  });
});

describe.skipIf(!haveTools('cksum'))('a bundle of a mirror with compressed deltas', () => {
  const dir = temporaryDirectoryOfSuite();

  test('carries them compressed, leads there, and leaves them unpacked where that is wanted', async () => {
    const mirror = await buildMirrorOf(3, dir, 'neighbours', 1_000_000, true);
    const { url } = await startFaultyServer({ files: filesOf(mirror), random: () => 0.5 });
    const [base = '', middle = '', target = ''] = mirror.images;
    const path = join(dir, 'bundle.tar');
    const made = await runCli(['--json', 'bundle', '-o', path, url, versionIn(base), versionIn(target)]);
    expect(made).toMatchObject({ code: 0 });
    const deltas = [deltaPathOf(base, middle), deltaPathOf(middle, target)].map((delta) => basename(delta));
    const bytesOf = (name: string) => readFileSync(join(mirror.root, 'rdiffs', name)).length;
    const packedBytes = deltas.reduce((sum, name) => sum + bytesOf(`${name}.zst`), 0);
    expect(made.stdout).toContain(`"fetchedBytes":${packedBytes},`);
    const place = await deviceWith(join(dir, 'device'), base);
    const updated = await runCli(['--json', 'update', '--keep-deltas', path, place]);
    expect(updated, updated.stderr).toMatchObject({ code: 0 });
    expect(currentBytes(place).equals(readFileSync(target))).toBe(true);
    expect(partialNames(place)).toEqual([]);
    expect(readdirSync(join(place, 'rdiffs')).sort()).toEqual(deltas.sort());
    for (const name of deltas) {
      expect(readFileSync(join(place, 'rdiffs', name)).equals(readFileSync(join(mirror.root, 'rdiffs', name)))).toBe(
        true,
      );
    }
  });
});

/** Of bundle.json, which is the first member, with its padding. */
function readManifestBytes(archive: Buffer): number {
  return Math.ceil(Number.parseInt(archive.toString('latin1', 124, 135), 8) / 512) * 512;
}

function imagesIn(dir: string): string[] {
  return readdirSync(dir).filter((name) => name.endsWith('.img'));
}
