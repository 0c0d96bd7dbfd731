import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { renderDownloadState } from '../../src/client/download/download-state.js';
import type { MirrorSource } from '../../src/client/session.js';
import type { PathPlanEvent, RepositoryEvent } from '../../src/events.js';
import { parseSha256Hex, parseSha512Hex } from '../../src/metadata/brands.js';
import { type MetaDiff, parseSeriesMeta, renderSeriesMeta } from '../../src/metadata/meta.js';
import { temporaryDirectory, temporaryDirectoryOfSuite } from '../support/temporary-directory.js';
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
  type Updated,
  updateTo,
  versionIn,
} from './support/updates.js';

const IMAGE_BYTES = 3_000_000;

describe.skipIf(!haveTools('cksum', 'zstd'))('an update from a mirror with compressed deltas', () => {
  const dir = temporaryDirectoryOfSuite();
  let mirror: BuiltMirror;
  let files: ReadonlyMap<string, Buffer>;

  beforeAll(async () => {
    mirror = await buildMirrorOf(4, dir, 'neighbours', IMAGE_BYTES, true);
    files = filesOf(mirror);
  }, 60_000);

  const image = (index: number) => String(mirror.images[index]);
  const version = (index: number) => versionIn(image(index));
  /** The path of the delta that leads to an image from the one before. */
  const deltaTo = (index: number) => deltaPathOf(image(index - 1), image(index));
  const bytesOf = (path: string) => files.get(path)!.length;
  const device = async (index: number) => await deviceWith(join(await temporaryDirectory(), 'device'), image(index));

  async function serve(changed: ReadonlyMap<string, Buffer> = files) {
    const server = await startFaultyServer({ files: changed, random: () => 0.5 });
    const fetched = () => server.served.map(({ url }) => url.slice(1)).filter((path) => path.startsWith('rdiffs/'));
    const sentOf = (path: string) =>
      server.served.filter(({ url }) => url === `/${path}`).reduce((sum, { sentBytes }) => sum + sentBytes, 0);
    const patience = { attempts: 1, firstPauseMs: 1 };
    return { server, fetched, sentOf, source: { urls: [server.url], patience } };
  }

  /** The mirror with another compressed form of the delta to an image, listed as what it is. */
  const withCompressed = (index: number, zst: Buffer) => withForms(index, { zst });

  /** The mirror with another delta to an image, in some of its forms, listed as what they are. */
  function withForms(index: number, forms: { delta?: Buffer; zst: Buffer }): ReadonlyMap<string, Buffer> {
    const metaPath = [...files.keys()].find((name) => name.startsWith('meta/'))!;
    const { series, images } = parseSeriesMeta(files.get(metaPath)!.toString(), metaPath);
    const { delta = files.get(deltaTo(index))!, zst } = forms;
    const really = (bytes: Buffer) => ({
      size: bytes.length,
      sha256: parseSha256Hex(createHash('sha256').update(bytes).digest('hex'), metaPath),
      sha512: parseSha512Hex(createHash('sha512').update(bytes).digest('hex'), metaPath),
    });
    const listed = (diff: MetaDiff): MetaDiff =>
      deltaTo(index).endsWith(`/${diff.filename}`)
        ? { ...diff, ...really(delta), zst: { ...diff.zst!, ...really(zst) } }
        : diff;
    const meta = { series, images: images.map((one) => ({ ...one, diffs: one.diffs.map(listed) })) };
    return new Map(files)
      .set(deltaTo(index), delta)
      .set(`${deltaTo(index)}.zst`, zst)
      .set(metaPath, Buffer.from(renderSeriesMeta(meta)));
  }

  function expectIs(place: string, index: number, { summary }: Updated): void {
    expect(currentBytes(place).equals(readFileSync(image(index)))).toBe(true);
    expect(summary.fetchedBytes).toBe(summary.plannedBytes);
    expect(partialNames(place)).toEqual([]);
  }

  test.each([1, 2, 3])('over %d of them fetches them compressed and nothing else, as it was planned', async (hops) => {
    const { fetched, source } = await serve();
    const place = await device(3 - hops);
    const updated = await updateTo(version(3), place, source);
    expectIs(place, 3, updated);
    const paths = Array.from({ length: hops }, (_, index) => `${deltaTo(4 - hops + index)}.zst`);
    expect(fetched()).toEqual(paths);
    const bytes = paths.reduce((sum, path) => sum + bytesOf(path), 0);
    expect(updated.summary.fetchedBytes).toBe(bytes);
    const { paths: ways } = updated.events.find((event): event is PathPlanEvent => event.type === 'path-plan')!;
    expect(ways[0]?.hops.map(({ filename, sizeBytes }) => [`rdiffs/${filename}`, sizeBytes])).toEqual(
      paths.map((path) => [path, bytesOf(path)]),
    );
  });

  test('keeps the deltas as they are where that is wanted', async () => {
    const { source } = await serve();
    const place = await device(1);
    expectIs(place, 3, await updateTo(version(3), place, source, { keepDeltas: true }));
    expect(readdirSync(join(place, 'rdiffs'))).toHaveLength(2);
    for (const name of readdirSync(join(place, 'rdiffs'))) {
      expect(readFileSync(join(place, 'rdiffs', name)).equals(files.get(`rdiffs/${name}`)!), name).toBe(true);
    }
  });

  const hostile: readonly [string, (delta: Buffer, zst: Buffer) => Buffer, RegExp][] = [
    [
      'is a bomb',
      () => zerosCompressed(2 ** 28),
      /\.zst: byte \d+ of the zstd data: expected at most \d+ unpacked bytes/,
    ],
    ['unpacks to another delta', (delta) => packed(Buffer.alloc(delta.length, 1)), /\.zst: unpacked, expected sha256/],
    ['unpacks to too little', (delta) => packed(delta.subarray(0, -1)), /\.zst: unpacked, expected sha256/],
    ['unpacks to too much', (delta) => packed(Buffer.concat([delta, delta])), /\.zst: byte .* expected at most/],
    ['is cut off', (_, zst) => zst.subarray(0, -5), /\.zst: byte \d+ of the zstd data: expected \d+ more bytes/],
    ['is empty', () => Buffer.alloc(0), /\.zst: byte 0 of the zstd data: expected 4 more bytes, found 0/],
    [
      'wants a terabyte of memory',
      () => Buffer.of(0x28, 0xb5, 0x2f, 0xfd, 0, 0xff, 1, 0, 0),
      /\.zst: byte \d of the zstd data: expected a window of at most 8388608 bytes, found one of/,
    ],
  ];

  test.each(hostile)('of which one %s takes the plain one, in the middle and at the end', async (_, make, message) => {
    for (const index of [2, 3]) {
      const bytes = make(files.get(deltaTo(index))!, files.get(`${deltaTo(index)}.zst`)!);
      const { fetched, source } = await serve(withCompressed(index, bytes));
      const place = await device(1);
      const updated = await updateTo(version(3), place, source);
      expectIs(place, 3, updated);
      expect(fetched().filter((path) => path.includes(deltaTo(index)))).toContain(deltaTo(index));
      expect(updated.events).toContainEqual(
        expect.objectContaining({ type: 'note', message: expect.stringMatching(message) }),
      );
    }
  });

  test('of which one is no good in itself takes no form of it again, in the middle and at the end', async () => {
    for (const index of [2, 3]) {
      const delta = Buffer.from(files.get(deltaTo(index))!);
      // The command that ends it.
      delta[delta.length - 1] = 0xff;
      const { fetched, source } = await serve(withForms(index, { delta, zst: packed(delta) }));
      const place = await device(1);
      expectIs(place, 3, await updateTo(version(3), place, source));
      expect(fetched().filter((path) => path.includes(deltaTo(index)))).toEqual([`${deltaTo(index)}.zst`]);
    }
  });

  test('of which one has wrong bytes takes the plain one', async () => {
    const path = `${deltaTo(3)}.zst`;
    const wrong = Buffer.from(files.get(path)!);
    wrong[wrong.length >> 1]! ^= 1;
    const { fetched, source } = await serve(new Map(files).set(path, wrong));
    const place = await device(2);
    expectIs(place, 3, await updateTo(version(3), place, source));
    expect(fetched()).toEqual([path, deltaTo(3)]);
  });

  /** Stops a run at an instant: what the disk holds then is what a kill leaves, but for the page cache. */
  async function stoppedAt(place: string, source: MirrorSource, isThen: (event: RepositoryEvent) => boolean) {
    const stop = new AbortController();
    const onEvent = (event: RepositoryEvent) => {
      if (isThen(event)) stop.abort();
    };
    await expect(updateTo(version(3), place, source, { signal: stop.signal, onEvent })).rejects.toThrow();
    expect(currentBytes(place).equals(readFileSync(image(2)))).toBe(true);
  }

  test('that is stopped while it unpacks unpacks again and fetches nothing', async () => {
    const { server, source } = await serve();
    const place = await device(2);
    await stoppedAt(place, source, (event) => event.type === 'job-started' && event.kind === 'unpack');
    expect(partialNames(place)).toContain(`${nameOf(deltaTo(3))}.zst`);
    server.served.length = 0;
    const updated = await updateTo(version(3), place, source);
    expectIs(place, 3, updated);
    expect(updated.summary.fetchedBytes).toBe(0);
    expect(kindsOf(updated)).toEqual(['download', 'unpack', 'patch']);
  });

  test('that is stopped when it has unpacked goes on from the delta', async () => {
    const { source } = await serve();
    const place = await device(2);
    await stoppedAt(place, source, (event) => event.type === 'job-started' && event.kind === 'patch');
    expect(partialNames(place)).not.toContain(`${nameOf(deltaTo(3))}.zst`);
    expect(partialNames(place)).toContain(nameOf(deltaTo(3)));
    const updated = await updateTo(version(3), place, source);
    expectIs(place, 3, updated);
    expect(updated.summary.fetchedBytes).toBe(0);
    expect(kindsOf(updated)).toEqual(['patch']);
  });

  test('takes the delta where a kill left both whole, and fetches neither', async () => {
    const { source } = await serve();
    const place = await device(2);
    await stoppedAt(place, source, (event) => event.type === 'job-started' && event.kind === 'unpack');
    leaveOf(place, deltaTo(3), 1);
    const updated = await updateTo(version(3), place, source);
    expectIs(place, 3, updated);
    expect(updated.summary.fetchedBytes).toBe(0);
    expect(kindsOf(updated)).toEqual(['patch']);
  });

  test('that is stopped while it fetches goes on from there', async () => {
    const { server, sentOf, source } = await serve();
    const place = await device(2);
    const path = `${deltaTo(3)}.zst`;
    server.faultOf = (n) => (n > 1 ? 'cut-body' : null);
    const patience = { attempts: 1, firstPauseMs: 1 };
    await expect(
      updateTo(version(3), place, { ...source, patience }, { policy: { fallback: 'never' } }),
    ).rejects.toThrow();
    server.faultOf = () => null;
    server.served.length = 0;
    const updated = await updateTo(version(3), place, source);
    expectIs(place, 3, updated);
    expect(updated.summary.fetchedBytes).toBe(sentOf(path));
    expect(updated.summary.fetchedBytes).toBeLessThan(bytesOf(path));
  });

  test('goes on from what is there of a delta where that is cheaper, and keeps it from coming twice', async () => {
    const { fetched, source } = await serve();
    const place = await device(2);
    leaveOf(place, deltaTo(3), 0.75);
    const updated = await updateTo(version(3), place, source);
    expectIs(place, 3, updated);
    expect(fetched()).toEqual([deltaTo(3)]);
    expect(updated.summary.fetchedBytes).toBe(Math.ceil(bytesOf(deltaTo(3)) / 4));
  });

  /** Puts the beginning of a file into `partial/`, as a run has left it that was killed. */
  function leaveOf(place: string, path: string, share: number): void {
    const bytes = files.get(path)!;
    const partial = join(place, '.update-repository', 'partial');
    mkdirSync(partial, { recursive: true });
    const sha256 = parseSha256Hex(createHash('sha256').update(bytes).digest('hex'), path);
    writeFileSync(join(partial, nameOf(path)), bytes.subarray(0, Math.floor(bytes.length * share)));
    const state = renderDownloadState({ sha256, sizeBytes: bytes.length, sources: new Map() });
    writeFileSync(join(partial, `${nameOf(path)}.json`), state);
  }
});

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

function kindsOf({ events }: Updated): string[] {
  return events.flatMap((event) => (event.type === 'job-started' ? [event.kind] : []));
}

function packed(content: Buffer): Buffer {
  return execFileSync('zstd', ['-q', '-c', '-9'], { input: content });
}

/** So many zeros, in blocks of four bytes that stand for 128 KiB. */
function zerosCompressed(count: number): Buffer {
  const blocks = Array.from({ length: count / BLOCK_BYTES }, () => [blockHeader(1, BLOCK_BYTES, false), Buffer.of(0)]);
  return Buffer.concat([FRAME_START, ...blocks.flat(), blockHeader(0, 0, true)]);
}

const BLOCK_BYTES = 128 * 1024;
/** A window of 2 MiB. */
const FRAME_START = Buffer.of(0x28, 0xb5, 0x2f, 0xfd, 0, 11 << 3);

function blockHeader(type: number, sizeBytes: number, last: boolean): Buffer {
  const header = Buffer.alloc(3);
  header.writeUIntLE((last ? 1 : 0) | (type << 1) | (sizeBytes << 3), 0, 3);
  return header;
}
