import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { downloadFile } from '../../../src/client/download/download-file.js';
import type { Mirrors } from '../../../src/client/download/mirrors.js';
import { partialBytes, removePartial } from '../../../src/client/download/partial-file.js';
import type { RemoteFile } from '../../../src/client/download/remote-file.js';
import type { RepositoryEvent } from '../../../src/events.js';
import { pseudoRandomBytes } from '../../support/pseudo-random.js';
import { mountSmallDisk } from '../../support/small-disk.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';
import { type DownloadFault, etagOf, startFaultyServer } from '../support/faulty-server.js';
import { openedMirrors, remoteFile } from '../support/opened-mirrors.js';

const NAME = 'a.rdiff';
const PATH = `rdiffs/${NAME}`;
const bytes = pseudoRandomBytes('bytes of a delta', 3_000_000);
const files = new Map([[PATH, bytes]]);
const file = remoteFile(PATH, bytes);

async function serve(faults: readonly (DownloadFault | null)[] = []) {
  const server = await startFaultyServer({ files, random: () => 0.5 });
  server.faultOf = (n) => faults[n] ?? null;
  return server;
}

interface Run {
  readonly of?: RemoteFile;
  readonly directory: string;
  /** Stops when so much is on disk. */
  readonly stopAt?: number;
}

async function download(mirrors: Mirrors, { of = file, directory, stopAt = Number.POSITIVE_INFINITY }: Run) {
  const stop = new AbortController();
  const [progress, notes]: [number[], string[]] = [[], []];
  const options = {
    directory,
    signal: stop.signal,
    onEvent: (event: RepositoryEvent) => event.type === 'note' && notes.push(event.message),
    onProgress: (doneBytes: number) => {
      progress.push(doneBytes);
      if (doneBytes >= stopAt) stop.abort();
    },
  };
  const outcome = await downloadFile(mirrors, of, options).catch((error: unknown) => error);
  return { outcome, progress, notes };
}

test('a file is there, with what its bytes are beside it, and every byte came once', async () => {
  const [directory, server] = [join(await temporaryDirectory(), 'partial'), await serve()];
  const { mirrors } = await openedMirrors([server.url]);
  const { outcome, progress } = await download(mirrors, { directory });
  expect(outcome).toMatchObject({ path: join(directory, NAME), keptBytes: 0 });
  expect(readFileSync(join(directory, NAME)).equals(bytes)).toBe(true);
  expect(JSON.parse(readFileSync(join(directory, `${NAME}.json`), 'utf8'))).toEqual({
    kind: 'download',
    sha256: file.sha256,
    sizeBytes: bytes.length,
    sources: { [server.url]: { etag: etagOf(bytes), lastModified: null } },
  });
  expect(mirrors.traffic.fetchedBytes).toBe(bytes.length);
  expect(progress).toEqual(progress.toSorted((a, b) => a - b));
  expect([progress[0], progress.at(-1)]).toEqual([0, bytes.length]);
  writeFileSync(join(directory, `${NAME}.json.tmp`), 'of a run that was killed');
  await removePartial(directory, file);
  expect(readdirSync(directory)).toEqual([]);
});

test('what an earlier run fetched does not come again, and a complete file is only compared', async () => {
  const [directory, server] = [await temporaryDirectory(), await serve()];
  const { mirrors } = await openedMirrors([server.url]);
  const stopped = await download(mirrors, { directory, stopAt: 1_000_000 });
  expect(stopped.outcome).toMatchObject({ code: 'INTERRUPTED' });
  const keptBytes = statSync(join(directory, NAME)).size;
  expect(keptBytes).toBeGreaterThanOrEqual(1_000_000);
  expect(await partialBytes(directory, file)).toBe(keptBytes);
  const next = await openedMirrors([server.url]);
  const resumed = await download(next.mirrors, { directory });
  expect(resumed.outcome).toMatchObject({ keptBytes });
  expect(readFileSync(join(directory, NAME)).equals(bytes)).toBe(true);
  expect(next.mirrors.traffic.fetchedBytes).toBe(bytes.length - keptBytes);
  expect(server.served[1]).toMatchObject({ ifRange: etagOf(bytes), range: `bytes=${keptBytes}-2999999` });
  expect((await download(next.mirrors, { directory })).outcome).toMatchObject({ keptBytes: bytes.length });
  expect(server.served).toHaveLength(2);
});

test('bytes that went bad on disk are found, dropped and fetched again', async () => {
  const [directory, server] = [await temporaryDirectory(), await serve()];
  const { mirrors } = await openedMirrors([server.url]);
  await download(mirrors, { directory, stopAt: 1_000_000 });
  const part = readFileSync(join(directory, NAME));
  part[500_000]! ^= 1;
  writeFileSync(join(directory, NAME), part);
  const { outcome, notes } = await download(mirrors, { directory });
  expect(outcome).toMatchObject({ keptBytes: 0 });
  expect(readFileSync(join(directory, NAME)).equals(bytes)).toBe(true);
  expect(notes).toEqual([expect.stringMatching(/expected sha256 .*, found .*, from http.*; fetching it again$/)]);
});

const stateOf = (members: object) =>
  JSON.stringify({ kind: 'download', sizeBytes: 3_000_000, sources: {}, ...members });

test.each([
  ['nothing is known', undefined],
  ['nobody can understand it', '{"kind":"download"'],
  ['it is of another file', stateOf({ sha256: '0'.repeat(64) })],
  ['it is of another size', stateOf({ sha256: file.sha256, sizeBytes: 1 })],
  [
    'its sources are nonsense',
    stateOf({ sha256: file.sha256, sources: { a: { etag: 'x\r\ny: z', lastModified: null } } }),
  ],
  ['it is an image in the making', JSON.stringify({ kind: 'patch', checkpoint: 1, targetSha256: file.sha256 })],
])('bytes of which %s are not used', async (_, state) => {
  const [directory, server] = [await temporaryDirectory(), await serve()];
  writeFileSync(join(directory, NAME), bytes.subarray(0, 1_000_000));
  if (state !== undefined) writeFileSync(join(directory, `${NAME}.json`), state);
  expect(await partialBytes(directory, file)).toBe(0);
  const { mirrors } = await openedMirrors([server.url]);
  expect((await download(mirrors, { directory })).outcome).toMatchObject({ keptBytes: 0 });
  expect(readFileSync(join(directory, NAME)).equals(bytes)).toBe(true);
  expect(server.served).toMatchObject([{ range: null }]);
});

test('more bytes than the file has are not used', async () => {
  const [directory, server] = [await temporaryDirectory(), await serve()];
  writeFileSync(join(directory, NAME), Buffer.alloc(bytes.length + 1));
  writeFileSync(join(directory, `${NAME}.json`), stateOf({ sha256: file.sha256 }));
  const { mirrors } = await openedMirrors([server.url]);
  expect((await download(mirrors, { directory })).outcome).toMatchObject({ keptBytes: 0 });
  expect(readFileSync(join(directory, NAME)).equals(bytes)).toBe(true);
});

test('wrong bytes of the only mirror are told, and are gone', async () => {
  const [directory, server] = [await temporaryDirectory(), await serve(['wrong-bytes'])];
  const { mirrors } = await openedMirrors([server.url]);
  const { outcome } = await download(mirrors, { directory });
  expect(outcome).toMatchObject({ code: 'VERIFICATION', data: { expected: file.sha256, sources: [server.url] } });
  expect(String(outcome)).toMatch(/rdiffs\/a\.rdiff: expected sha256 [0-9a-f]{64}, found [0-9a-f]{64}, from http:/);
  expect(readdirSync(directory)).toEqual([]);
  expect(server.served).toHaveLength(1);
});

test('what one mirror has wrong comes from the other, which is asked first from then on', async () => {
  const [directory, first, second] = [await temporaryDirectory(), await serve(['wrong-bytes']), await serve()];
  const { mirrors } = await openedMirrors([first.url, second.url]);
  const { outcome, notes } = await download(mirrors, { directory });
  expect(outcome).toMatchObject({ keptBytes: 0 });
  expect(readFileSync(join(directory, NAME)).equals(bytes)).toBe(true);
  expect(notes).toEqual([expect.stringContaining('; fetching it again from another mirror')]);
  await removePartial(directory, file);
  await download(mirrors, { directory });
  expect([first.served.length, second.served.length]).toEqual([1, 2]);
});

test('where all mirrors delivered some of what is wrong, the one that delivered most is left out', async () => {
  const directory = await temporaryDirectory();
  const first = await startFaultyServer({ files, random: () => 0.25 });
  first.faultOf = (n) => (n === 0 ? 'cut-body' : null);
  const second = await serve(['wrong-bytes']);
  const { mirrors } = await openedMirrors([first.url, second.url]);
  const { outcome, notes } = await download(mirrors, { directory });
  expect(outcome, String(notes)).toMatchObject({ keptBytes: 0 });
  expect(readFileSync(join(directory, NAME)).equals(bytes)).toBe(true);
  expect([first.served.length, second.served.length]).toEqual([2, 1]);
});

test('two mirrors with wrong bytes are an end', async () => {
  const directory = await temporaryDirectory();
  const [first, second] = [await serve(['wrong-bytes']), await serve(['wrong-bytes'])];
  const { mirrors } = await openedMirrors([first.url, second.url]);
  expect((await download(mirrors, { directory })).outcome).toMatchObject({
    code: 'VERIFICATION',
    data: { sources: [second.url] },
  });
  expect(readdirSync(directory)).toEqual([]);
});

test('wrong bytes stay what is told where the other mirror is not there', async () => {
  const [directory, first, second] = [await temporaryDirectory(), await serve(['wrong-bytes']), await serve()];
  second.stop();
  const { mirrors } = await openedMirrors([first.url, second.url]);
  const { outcome } = await download(mirrors, { directory });
  expect(outcome).toMatchObject({ code: 'VERIFICATION', message: expect.stringContaining('; and then ') });
  expect(first.served).toHaveLength(1);
});

test('a file that was exchanged since the last run is fetched from its start', async () => {
  const [directory, server] = [await temporaryDirectory(), await serve()];
  server.files.set(PATH, pseudoRandomBytes('before', bytes.length));
  const { mirrors } = await openedMirrors([server.url]);
  await download(mirrors, { directory, stopAt: 1_000_000 });
  server.files.set(PATH, bytes);
  const { outcome, notes } = await download(mirrors, { directory });
  expect(outcome).toMatchObject({ keptBytes: 0 });
  expect(readFileSync(join(directory, NAME)).equals(bytes)).toBe(true);
  expect(notes).toEqual([expect.stringMatching(/found another: ETag .*; fetching it from the start$/)]);
});

test('a file that never stays the same is given up', async () => {
  const [directory, server] = [await temporaryDirectory(), await serve()];
  server.faultOf = (n) => {
    server.files.set(PATH, pseudoRandomBytes(String(n), bytes.length));
    return 'cut-body';
  };
  const { mirrors } = await openedMirrors([server.url]);
  expect((await download(mirrors, { directory })).outcome).toMatchObject({ code: 'CHANGED_WHILE_READ' });
  expect(server.served).toHaveLength(6);
});

test('a full disk keeps what there is for the next run', async (context) => {
  const disk = mountSmallDisk(context, join(await temporaryDirectory(), 'disk'), 1_500_000);
  const [directory, server] = [join(disk.path, 'partial'), await serve()];
  const { mirrors } = await openedMirrors([server.url]);
  const full = await download(mirrors, { directory });
  expect(full.outcome).toMatchObject({ code: 'NO_SPACE', message: expect.stringContaining(join(directory, NAME)) });
  const keptBytes = await partialBytes(directory, file);
  expect(keptBytes).toBeGreaterThan(1_000_000);
  disk.resize(8_000_000);
  expect((await download(mirrors, { directory })).outcome).toMatchObject({ keptBytes });
  expect(readFileSync(join(directory, NAME)).equals(bytes)).toBe(true);
  expect(server.served[1]).toMatchObject({ range: `bytes=${keptBytes}-2999999`, sentBytes: bytes.length - keptBytes });
});

test('a link in place of the file is not followed', async () => {
  const [directory, server] = [await temporaryDirectory(), await serve()];
  const elsewhere = join(directory, 'elsewhere');
  mkdirSync(join(directory, 'partial'));
  writeFileSync(elsewhere, 'precious');
  symlinkSync(elsewhere, join(directory, 'partial', NAME));
  const { mirrors } = await openedMirrors([server.url]);
  const { outcome } = await download(mirrors, { directory: join(directory, 'partial') });
  expect(outcome).toMatchObject({ code: 'IO', message: expect.stringContaining('too many symbolic links') });
  expect(readFileSync(elsewhere, 'utf8')).toBe('precious');
});

test.each(['rdiffs/..', '.hidden', 'a b'])('%j names no file in the directory', async (path) => {
  const [directory, server] = [await temporaryDirectory(), await serve()];
  const { mirrors } = await openedMirrors([server.url]);
  expect((await download(mirrors, { directory, of: remoteFile(path, bytes) })).outcome).toMatchObject({ code: 'NAME' });
  expect(readdirSync(directory)).toEqual([]);
});

test('an empty file needs no server', async () => {
  const directory = await temporaryDirectory();
  const { mirrors } = await openedMirrors(['http://127.0.0.1:9']);
  const empty = remoteFile('b.rdiff', Buffer.alloc(0));
  expect((await download(mirrors, { directory, of: empty })).outcome).toMatchObject({ keptBytes: 0 });
  expect(existsSync(join(directory, 'b.rdiff'))).toBe(true);
});
