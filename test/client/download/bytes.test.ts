import { expect, test } from 'vitest';
import type { FileListener } from '../../../src/client/download/file-stream.js';
import type { Mirrors } from '../../../src/client/download/mirrors.js';
import type { RemoteFile } from '../../../src/client/download/remote-file.js';
import { RateLimit } from '../../../src/net/rate-limit.js';
import { pseudoRandomBytes } from '../../support/pseudo-random.js';
import { type DownloadFault, etagOf, startFaultyServer } from '../support/faulty-server.js';
import { openedMirrors, remoteFile, SHORT_LIMITS, WIDE_LIMITS } from '../support/opened-mirrors.js';

const PATH = 'rdiffs/a.rdiff';
const bytes = pseudoRandomBytes('bytes of a delta', 1_000_000);
const files = new Map([[PATH, bytes]]);
const file = remoteFile(PATH, bytes);
const { signal } = new AbortController();
const halfway = () => 0.5;

const serve = (faults: readonly (DownloadFault | null)[] = [], options: { etags?: boolean } = {}) =>
  startFaultyServer({ files, random: halfway, ...options }).then((server) => {
    server.faultOf = (n) => faults[n] ?? null;
    return server;
  });

async function read(mirrors: Mirrors, of: RemoteFile, fromByte = 0, listener: Partial<FileListener> = {}) {
  const pieces: Uint8Array[] = [];
  for await (const piece of mirrors.bytes(of, fromByte, { signal, ...listener })) pieces.push(piece);
  return Buffer.concat(pieces);
}

/** The error of a read that fails. */
const failureOf = (reading: Promise<unknown>) =>
  reading.then(
    () => 'none',
    (error: unknown) => error,
  );

test('a file comes in one request, and is counted', async () => {
  const server = await serve();
  const { mirrors } = await openedMirrors([server.url]);
  expect((await read(mirrors, file)).equals(bytes)).toBe(true);
  expect(server.served).toMatchObject([{ url: `/${PATH}`, range: null, status: 200 }]);
  expect(mirrors.traffic.fetchedBytes).toBe(bytes.length);
  expect(mirrors.traffic.fetchedBytesOf(PATH)).toBe(bytes.length);
});

test('what the reader has is not fetched again', async () => {
  const server = await serve();
  const { mirrors } = await openedMirrors([server.url]);
  expect((await read(mirrors, file, 600_000)).equals(bytes.subarray(600_000))).toBe(true);
  expect(server.served).toMatchObject([{ range: 'bytes=600000-999999', ifRange: null, status: 206 }]);
  expect(mirrors.traffic.fetchedBytes).toBe(400_000);
  expect(await read(mirrors, file, 1_000_000)).toHaveLength(0);
  expect(server.served).toHaveLength(1);
});

test('a cut is gone on from where it was, of the same file only, and no byte comes twice', async () => {
  const server = await serve(['cut-body', 'cut-body', 'status-500', 'cut-body']);
  const { mirrors, notes } = await openedMirrors([server.url]);
  expect((await read(mirrors, file)).equals(bytes)).toBe(true);
  expect(server.served.map(({ range }) => range !== null)).toEqual([false, true, true, true, true]);
  expect(new Set(server.served.slice(1).map(({ ifRange }) => ifRange))).toEqual(new Set([etagOf(bytes)]));
  expect(mirrors.traffic.fetchedBytes).toBe(bytes.length);
  expect(notes).toHaveLength(4);
  for (const note of notes) expect(note).toMatch(/^http:\/\/127.*rdiffs\/a\.rdiff: GET: expected .*; trying again in/);
});

test.each<[DownloadFault, number, RegExp]>([
  ['status-500', 0, /found status 500/],
  ['status-408', 0, /found status 408/],
  ['status-429', 0, /found status 429/],
  ['reset', 0, /ECONNRESET|UND_ERR_SOCKET/],
  ['garbage', 0, /found Response does not match the HTTP/],
  ['no-answer', 0, /expected an answer within 0.5 s/],
  ['trickle', 0, /expected at least 500 bytes a second, found \d+ bytes in 0.3 s/],
  ['stall', 1, /expected at least 500 bytes a second/],
  ['short-chunked', 1, /expected an end at byte 1000000, found one at/],
  ['long-length', 0, /expected Content-Length 1000000, found 1000010/],
  ['short-length', 0, /expected Content-Length 1000000, found 999990/],
  ['gzip', 0, /found Content-Encoding gzip/],
  ['wrong-content-range', 600_000, /expected Content-Range bytes 600000-999999\/1000000, found bytes 599999-/],
  ['wrong-total', 600_000, /expected Content-Range .*, found bytes 600000-999999\/1000001/],
  ['not-satisfiable', 600_000, /expected a file of 1000000 bytes, found status 416 and a file of 999999 bytes/],
])('a server that always answers %s is given up with one line', async (fault, fromByte, message) => {
  const server = await startFaultyServer({ files, random: () => 0.000_001 });
  server.faultOf = () => fault;
  const limits = ['no-answer', 'trickle', 'stall'].includes(fault) ? SHORT_LIMITS : WIDE_LIMITS;
  const { mirrors } = await openedMirrors([server.url], { attempts: 3, limits });
  const failure = await failureOf(read(mirrors, file, fromByte));
  expect(failure).toMatchObject({ code: 'NETWORK', message: expect.stringMatching(message) });
  expect(String(failure)).not.toContain('\n');
  expect(server.served).toHaveLength(3);
});

test('an endless body ends after its due bytes, whose last piece is not believed', async () => {
  const server = await serve(['endless']);
  const { mirrors, notes } = await openedMirrors([server.url]);
  expect((await read(mirrors, file)).equals(bytes)).toBe(true);
  expect(notes[0]).toContain('expected an end at byte 1000000, found more');
  expect(mirrors.traffic.fetchedBytes - bytes.length).toBeLessThan(256 << 10);
  server.faultOf = () => 'endless';
  const failure = await failureOf(read(mirrors, file));
  expect(failure).toMatchObject({ code: 'NETWORK', message: expect.stringContaining('found more') });
});

test('a mirror that fails is followed by the next one at once, and rests behind it', async () => {
  const [first, second] = [await serve(['cut-body', 'status-500']), await serve()];
  const { mirrors, notes } = await openedMirrors([first.url, second.url]);
  expect((await read(mirrors, file)).equals(bytes)).toBe(true);
  expect(notes).toEqual([expect.stringContaining(`; going on with ${second.url}`)]);
  expect([first.served.length, second.served.length]).toEqual([1, 1]);
  expect((await read(mirrors, file)).equals(bytes)).toBe(true);
  expect([first.served.length, second.served.length]).toEqual([1, 2]);
});

test('where the second mirror fails too, the first is tried again', async () => {
  const [first, second] = [await serve(['status-500']), await serve(['cut-body', 'status-500'])];
  const { mirrors } = await openedMirrors([first.url, second.url]);
  expect((await read(mirrors, file)).equals(bytes)).toBe(true);
  expect(first.served.map(({ status }) => status)).toEqual([500, 206]);
  expect(mirrors.traffic.fetchedBytes).toBe(bytes.length);
});

test('a file that no mirror has is told with its status, without another try', async () => {
  const [first, second] = [await serve(), await serve()];
  const { mirrors } = await openedMirrors([first.url, second.url]);
  const failure = await failureOf(read(mirrors, remoteFile('b.img', bytes)));
  expect(failure).toMatchObject({ code: 'NOT_FOUND', data: { status: 404 } });
  expect(String(failure)).toContain(second.url);
  expect([first.served.length, second.served.length]).toEqual([1, 1]);
});

test('a file that one mirror has not comes from the other, and that does not make the first one rest', async () => {
  const [first, second] = [await serve(['status-404']), await serve()];
  const { mirrors } = await openedMirrors([first.url, second.url]);
  expect((await read(mirrors, file)).equals(bytes)).toBe(true);
  expect((await read(mirrors, file)).equals(bytes)).toBe(true);
  expect([first.served.length, second.served.length]).toEqual([2, 1]);
});

test('a file for which no mirror may be asked is told at once', async () => {
  const server = await serve();
  const { mirrors } = await openedMirrors([server.url]);
  const reading = mirrors
    .bytes(file, 0, { signal }, new Set([server.url]))
    [Symbol.asyncIterator]()
    .next();
  expect(await failureOf(reading)).toMatchObject({ code: 'NOT_FOUND', message: expect.stringContaining(PATH) });
  expect(server.served).toEqual([]);
});

test('a server that nobody knows the address of is tried again', async () => {
  const { mirrors, notes } = await openedMirrors(['http://no-such-host.invalid'], { attempts: 2 });
  expect(await failureOf(read(mirrors, file))).toMatchObject({ code: 'NETWORK' });
  expect(notes).toHaveLength(1);
});

test('one mirror that refuses and one that has no such file are no reason to try again', async () => {
  const [first, second] = [await serve(['status-403']), await serve(['status-404'])];
  const { mirrors } = await openedMirrors([first.url, second.url]);
  expect(await failureOf(read(mirrors, file))).toMatchObject({ code: 'STORAGE', data: { status: 403 } });
});

test('the URLs of the metadata are tried last, but for those that nobody may follow', async () => {
  const [root, beside] = [await serve(['status-404']), await serve()];
  const { mirrors } = await openedMirrors([root.url]);
  const urls = ['ftp://127.0.0.1/x', `http://me:secret@127.0.0.1:9/${PATH}`, 'nonsense', `${beside.url}/${PATH}`];
  const wanted = remoteFile(PATH, bytes, [...urls, `${root.url}/${PATH}`]);
  expect((await read(mirrors, wanted)).equals(bytes)).toBe(true);
  expect([root.served.length, beside.served.length]).toEqual([1, 1]);
});

test('the URLs of the metadata are asked once more where no mirror has the file, and as often as the mirrors where one fails', async () => {
  const [root, beside] = [await serve(), await serve()];
  beside.faultOf = () => 'status-500';
  const wanted = remoteFile(PATH, bytes, [`${beside.url}/${PATH}`]);
  root.faultOf = () => 'status-404';
  const { mirrors } = await openedMirrors([root.url], { attempts: 5 });
  expect(await failureOf(read(mirrors, wanted))).toMatchObject({ code: 'NETWORK', data: { isMissing: true } });
  expect([root.served.length, beside.served.length]).toEqual([1, 2]);
  root.faultOf = () => 'reset';
  expect(await failureOf(read(mirrors, wanted))).toMatchObject({ code: 'NETWORK' });
  expect([root.served.length, beside.served.length]).toEqual([6, 7]);
});

test('a URL of the metadata that brings bytes is gone on with, however often it fails in between', async () => {
  const [root, beside] = [await serve(['status-404']), await serve()];
  beside.faultOf = (n) => (n % 2 === 0 ? 'cut-body' : n < 6 ? 'status-500' : null);
  const { mirrors } = await openedMirrors([root.url]);
  expect((await read(mirrors, remoteFile(PATH, bytes, [`${beside.url}/${PATH}`]))).equals(bytes)).toBe(true);
  expect(beside.served.length).toBeGreaterThan(4);
});

test('what a server has in place of a file that it began is not mixed with it', async () => {
  const server = await serve(['cut-body']);
  const { mirrors } = await openedMirrors([server.url]);
  const changed: string[] = [];
  const onSource = () => void server.files.set(PATH, pseudoRandomBytes('another', bytes.length));
  const reading = read(mirrors, file, 0, { onSource, onChanged: (name) => changed.push(name) });
  expect(await failureOf(reading)).toMatchObject({
    code: 'CHANGED_WHILE_READ',
    message: expect.stringMatching(/expected the file that the bytes before are from, found another: ETag "f4240-/),
  });
  expect(changed).toEqual([server.url]);
  expect(server.served).toMatchObject([{ status: 200 }, { ifRange: etagOf(bytes), status: 200 }]);
});

test('a change is seen by what was known from an earlier run, and another mirror goes on', async () => {
  const [first, second] = [await serve(), await serve()];
  const { mirrors } = await openedMirrors([first.url, second.url]);
  const validators = new Map([[first.url, { etag: '"old"', lastModified: null }]]);
  const changed: string[] = [];
  const onChanged = (name: string) => void changed.push(name);
  const rest = await read(mirrors, { ...file, validators }, 700_000, { onChanged });
  expect(rest.equals(bytes.subarray(700_000))).toBe(true);
  expect(changed).toEqual([first.url]);
  expect(mirrors.traffic.fetchedBytes).toBe(300_000);
});

test('a server that ignores ranges is passed over for one that does not, and else its first bytes are skipped', async () => {
  const [first, second] = [await serve(['range-ignored']), await serve(['status-500'])];
  first.faultOf = () => 'range-ignored';
  const { mirrors } = await openedMirrors([first.url, second.url]);
  expect((await read(mirrors, file, 400_000)).equals(bytes.subarray(400_000))).toBe(true);
  expect(first.served).toHaveLength(2);
  expect(mirrors.traffic.fetchedBytes).toBe(1_000_000);
  const healthy = await openedMirrors([first.url, second.url]);
  expect((await read(healthy.mirrors, file, 400_000)).equals(bytes.subarray(400_000))).toBe(true);
  expect(healthy.mirrors.traffic.fetchedBytes).toBe(600_000);
  const few = await openedMirrors([first.url, second.url]);
  expect((await read(few.mirrors, file, 1000)).equals(bytes.subarray(1000))).toBe(true);
  expect(second.served).toHaveLength(2);
});

test('a server that sends half of each range is asked for the other half, without a pause', async () => {
  const server = await serve();
  server.faultOf = () => 'half-range';
  const { mirrors, notes } = await openedMirrors([server.url]);
  expect((await read(mirrors, file, 1)).equals(bytes.subarray(1))).toBe(true);
  expect(server.served.map(({ range }) => range).slice(0, 3)).toEqual([
    'bytes=1-999999',
    'bytes=500001-999999',
    'bytes=750001-999999',
  ]);
  expect(server.served.length).toBeLessThan(25);
  expect(notes).toEqual([]);
  expect(mirrors.traffic.fetchedBytes).toBe(999_999);
});

test('redirects are followed, but neither for ever nor to what is no file', async () => {
  const server = await serve(['redirect-to-file']);
  const { mirrors } = await openedMirrors([server.url]);
  expect((await read(mirrors, file, 999_000)).equals(bytes.subarray(999_000))).toBe(true);
  expect(server.served).toMatchObject([{}, { url: `/${PATH}?again`, range: 'bytes=999000-999999' }]);
  server.faultOf = () => 'redirect-loop';
  expect(await failureOf(read(mirrors, file))).toMatchObject({
    code: 'STORAGE',
    message: expect.stringContaining('expected at most 5 redirects, found more'),
  });
  expect(server.served).toHaveLength(8);
});

test('a reader that stops early ends the request', async () => {
  const server = await serve();
  server.faultOf = () => 'endless';
  const { mirrors } = await openedMirrors([server.url]);
  for await (const piece of mirrors.bytes(file, 0, { signal })) {
    expect(piece.length).toBeGreaterThan(0);
    break;
  }
  await expect.poll(() => server.served.length).toBe(1);
  expect(mirrors.traffic.fetchedBytes).toBeLessThan(bytes.length);
});

test.each<DownloadFault>(['no-answer', 'stall', 'trickle', 'status-500'])('an abort ends a wait: %s', async (fault) => {
  const server = await serve();
  server.faultOf = () => fault;
  const limits = { answerTimeoutMs: 60_000, textTimeoutMs: 60_000, pace: { bytesPerSecond: 0, windowMs: 60_000 } };
  const retry = { attempts: 100, firstPauseMs: 60_000, onEvent: () => undefined };
  const { mirrors } = await openedMirrors([server.url], { limits, retry });
  const stop = new AbortController();
  setTimeout(() => stop.abort(), 100);
  const startedAt = performance.now();
  expect(await failureOf(read(mirrors, file, 0, { signal: stop.signal }))).toMatchObject({ code: 'INTERRUPTED' });
  expect(performance.now() - startedAt).toBeLessThan(5_000);
});

test('no more comes in a second than is allowed', async () => {
  const server = await serve();
  const { mirrors } = await openedMirrors([server.url], { rateLimit: new RateLimit(2_000_000) });
  const startedAt = performance.now();
  expect((await read(mirrors, file)).equals(bytes)).toBe(true);
  expect(performance.now() - startedAt).toBeGreaterThan(350);
});
