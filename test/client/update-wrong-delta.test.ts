import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { renderDownloadState } from '../../src/client/download/download-state.js';
import type { RepositoryEvent } from '../../src/events.js';
import { parseSha256Hex } from '../../src/metadata/brands.js';
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
  partialNames,
  updateTo,
  versionIn,
} from './support/updates.js';

/** Once through each mirror, and no other way than the delta. */
const patience = { attempts: 1, firstPauseMs: 1 };
const policy = { fallback: 'never', maxHops: 1 } as const;

describe.skipIf(!haveTools('cksum'))('a streamed delta', () => {
  const dir = temporaryDirectoryOfSuite();
  let mirror: BuiltMirror;
  let files: ReadonlyMap<string, Buffer>;
  let [base, target, path, version] = ['', '', '', ''];

  beforeAll(async () => {
    mirror = await buildMirrorOf(2, dir, 'neighbours');
    files = filesOf(mirror);
    [base = '', target = ''] = mirror.images;
    path = deltaPathOf(base, target);
    version = versionIn(target);
  });

  const right = () => Buffer.from(files.get(path)!);
  const wrongAt = (share: number) => {
    const bytes = right();
    bytes[Math.floor(bytes.length * share)]! ^= 1;
    return bytes;
  };
  const served = async (delta: Buffer) =>
    await startFaultyServer({ files: new Map(files).set(path, delta), random: () => 0.5 });
  const requestsFor = ({ served }: FaultyServer) => served.filter(({ url }) => url === `/${path}`);
  const messages = (events: readonly RepositoryEvent[]) =>
    events.flatMap((event) => (event.type === 'note' ? [event.message] : []));

  test.each([
    ['other bytes', 0.5],
    ['no magic', 0],
  ])('of which one mirror has %s is asked of another one, once', async (_, share) => {
    const servers = [await served(wrongAt(share)), await served(right())];
    const device = await deviceWith(join(await temporaryDirectory(), 'device'), base);
    const source = { urls: servers.map(({ url }) => url), patience };
    const { summary, events } = await updateTo(version, device, source, { policy });
    expect(currentBytes(device).equals(readFileSync(target))).toBe(true);
    expect(partialNames(device)).toEqual([]);
    expect(servers.map((server) => requestsFor(server).length)).toEqual([1, 1]);
    expect(summary.plannedBytes).toBe(right().length);
    expect(summary.fetchedBytes).toBeGreaterThan(summary.plannedBytes);
    expect(summary.fetchedBytes).toBeLessThanOrEqual(2 * summary.plannedBytes);
    const said = `${path}: wrong bytes came from ${servers[0]!.url}; fetching it again from another mirror`;
    expect(messages(events)).toContain(said);
  });

  test('that all mirrors have wrong is asked of two, and fails for its bytes', async () => {
    const servers = [await served(wrongAt(0.5)), await served(wrongAt(0.5)), await served(wrongAt(0.5))];
    const device = await deviceWith(join(await temporaryDirectory(), 'device'), base);
    const source = { urls: servers.map(({ url }) => url), patience };
    await expect(updateTo(version, device, source, { policy })).rejects.toMatchObject({ code: 'VERIFICATION' });
    expect(currentBytes(device).equals(readFileSync(base))).toBe(true);
    expect(partialNames(device)).toEqual([]);
    expect(servers.flatMap(requestsFor)).toHaveLength(2);
  });

  test('that two mirrors have wrong lets both rest behind the one that has it right', async () => {
    const servers = [await served(wrongAt(0.5)), await served(wrongAt(0.5)), await served(right())];
    const device = await deviceWith(join(await temporaryDirectory(), 'device'), base);
    const source = { urls: servers.map(({ url }) => url), patience };
    await updateTo(version, device, source, { policy: { maxHops: 1 } });
    expect(currentBytes(device).equals(readFileSync(target))).toBe(true);
    const requestsForImage = ({ served }: FaultyServer) => served.filter(({ url }) => url.endsWith('.img'));
    expect(servers.map((server) => requestsForImage(server).length)).toEqual([0, 0, 1]);
  });

  test('stays wrong where the other mirror does not have it', async () => {
    const [wrong, other] = [await served(wrongAt(0.5)), await served(right())];
    other.files.delete(path);
    const device = await deviceWith(join(await temporaryDirectory(), 'device'), base);
    const source = { urls: [wrong.url, other.url], patience };
    await expect(updateTo(version, device, source, { policy })).rejects.toMatchObject({
      code: 'VERIFICATION',
      message: expect.stringMatching(/expected sha256 .*; and then .*found status 404/),
    });
    expect(partialNames(device)).toEqual([]);
  });

  test('keeps what another mirror has delivered of it before that failed', async () => {
    const [wrong, other] = [await served(wrongAt(0.5)), await served(right())];
    const device = await deviceWith(join(await temporaryDirectory(), 'device'), base);
    other.faultOf = () => 'cut-body';
    const source = { urls: [wrong.url, other.url], patience };
    await expect(updateTo(version, device, source, { policy })).rejects.toMatchObject({ code: 'VERIFICATION' });
    expect(partialNames(device)).toHaveLength(2);
    other.faultOf = () => null;
    const { summary } = await updateTo(version, device, { urls: [other.url], patience }, { policy });
    expect(currentBytes(device).equals(readFileSync(target))).toBe(true);
    expect(summary.fetchedBytes).toBe(summary.plannedBytes);
    expect(requestsFor(other).at(-1)?.range).not.toBe(null);
  });

  test('of the only mirror is fetched once more where an earlier run began it, and not else', async () => {
    const server = await served(wrongAt(0.5));
    const device = await deviceWith(join(await temporaryDirectory(), 'device'), base);
    const source = { urls: [server.url], patience };
    await expect(updateTo(version, device, source, { policy })).rejects.toMatchObject({ code: 'VERIFICATION' });
    expect(requestsFor(server)).toHaveLength(1);
    server.files.set(path, right());
    server.faultOf = (n) => (n < 2 ? null : 'cut-body');
    await expect(updateTo(version, device, source, { policy })).rejects.toMatchObject({ code: 'NETWORK' });
    const begun = partialNames(device);
    expect(begun).toHaveLength(2);
    server.faultOf = () => null;
    const made = join(device, '.update-repository', 'partial', String(begun[0]));
    const bytes = readFileSync(made);
    bytes[0]! ^= 1;
    writeFileSync(made, bytes);
    const { summary, events } = await updateTo(version, device, source, { policy });
    expect(currentBytes(device).equals(readFileSync(target))).toBe(true);
    expect(requestsFor(server).slice(2)).toMatchObject([
      { range: expect.stringMatching(/^bytes=[1-9]/) },
      { range: null },
    ]);
    expect(summary.fetchedBytes).toBeGreaterThan(summary.plannedBytes);
    expect(messages(events)).toContainEqual(expect.stringContaining(`applying ${path} from the start`));
  });

  test('that was begun from a mirror that has it wrong is fetched from its start from another one', async () => {
    const [wrong, other] = [await served(wrongAt(0.1)), await served(right())];
    const device = await deviceWith(join(await temporaryDirectory(), 'device'), base);
    wrong.faultOf = (n) => (n < 2 ? null : 'cut-body');
    const alone = updateTo(version, device, { urls: [wrong.url], patience }, { policy });
    await expect(alone).rejects.toMatchObject({ code: 'NETWORK' });
    wrong.faultOf = () => null;
    await updateTo(version, device, { urls: [wrong.url, other.url], patience }, { policy });
    expect(currentBytes(device).equals(readFileSync(target))).toBe(true);
    expect(requestsFor(wrong)).toHaveLength(2);
    expect(requestsFor(other)).toMatchObject([{ range: null }]);
  });

  test('that was there from an earlier run, and wrong, is gone before all of it is fetched', async () => {
    const server = await served(right());
    const device = await deviceWith(join(await temporaryDirectory(), 'device'), base);
    const partial = join(device, '.update-repository', 'partial');
    mkdirSync(partial, { recursive: true });
    const sha256 = parseSha256Hex(createHash('sha256').update(right()).digest('hex'), path);
    writeFileSync(join(partial, basename(path)), wrongAt(0.5));
    const state = renderDownloadState({ sha256, sizeBytes: right().length, sources: new Map() });
    writeFileSync(join(partial, `${basename(path)}.json`), state);
    const stop = new AbortController();
    const onEvent = (event: RepositoryEvent) => {
      if (event.type === 'note' && event.message.includes('from the start')) stop.abort();
    };
    const source = { urls: [server.url], patience };
    const stopped = updateTo(version, device, source, { policy, signal: stop.signal, onEvent });
    await expect(stopped).rejects.toMatchObject({ code: 'INTERRUPTED' });
    expect(partialNames(device).filter((name) => name.startsWith(basename(path)))).toEqual([]);
  });
});
