import { mkdirSync, readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { RepositoryEvent } from '../../src/events.js';
import { publish } from '../../src/publish/publish.js';
import { type Release, textObject } from '../../src/publish/release.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { haveTools } from '../support/tools.js';
import { opened } from './support/opened.js';
import { startRsyncd } from './support/rsync-peers.js';

/** A daemon that writes down what it does, one operation and name a line. */
async function place() {
  const dir = await temporaryDirectory();
  const daemon = await startRsyncd(dir, 'transfer logging = yes', 'log format = OP %o %f');
  onTestFinished(daemon.end);
  const target = `rsync://127.0.0.1:${daemon.port}/mirror`;
  const log = join(dir, 'log');
  let seen = 0;
  return {
    root: join(dir, 'mirror'),
    target,
    /** What was done since this was asked for last. */
    operations: () => {
      const text = readFileSync(log, 'utf8').slice(seen);
      seen += text.length;
      return [...text.matchAll(/OP (\S+) (\S+)/g)].map(([, operation, name]) => `${operation} ${name}`);
    },
  };
}

function releaseOf(names: readonly string[], metas: readonly string[] = ['meta/a.json']): Release {
  const index = (path: string) => textObject(path, JSON.stringify(names), 'application/json');
  return {
    immutables: names.map((name) => textObject(name, `content of ${name}`, 'application/octet-stream')),
    indexStages: [metas.map(index), [index('CKSUMS')], [index('SHA256SUMS')], [index('index.json')]],
  };
}

async function publishTo(target: string, release: Release, verifyFull = false) {
  const events: RepositoryEvent[] = [];
  const summary = await publish(release, {
    mirror: '/srv/mirror',
    storage: await opened(target),
    dryRun: false,
    transfers: 3,
    verifyFull,
    limit: null,
    signal: new AbortController().signal,
    onEvent: (event) => events.push(event),
  });
  const jobs = events.flatMap((event) => (event.type === 'job-finished' ? [`${event.kind} ${event.path}`] : []));
  return { summary, events, jobs };
}

function write(root: string, path: string, text: string): string {
  const place = join(root, path);
  mkdirSync(dirname(place), { recursive: true });
  writeFileSync(place, text);
  return place;
}

describe.skipIf(!haveTools('rsync'))('a publish by rsync', () => {
  test('stores immutables, copies, indexes and the memory of it in passes, and removes in one of its own', async () => {
    const { root, target, operations } = await place();
    const { jobs } = await publishTo(target, releaseOf(['rdiffs/b.rdiff', 'a.img'], ['meta/a.json', 'meta/b.json']));
    expect(jobs.sort()).toEqual(['upload a.img', 'upload rdiffs/b.rdiff']);
    const stored = operations().filter((line) => line.startsWith('recv') && !line.includes('/indexes/'));
    expect(stored[0]).toBe('recv .update-repository/published.json');
    expect(stored.slice(1, 3).sort()).toEqual(['recv a.img', 'recv rdiffs/b.rdiff']);
    expect(stored.slice(3, 5).sort()).toEqual(['recv meta/a.json', 'recv meta/b.json']);
    expect(stored.slice(5)).toEqual([
      'recv CKSUMS',
      'recv SHA256SUMS',
      'recv index.json',
      'recv .update-repository/published.json',
    ]);
    await publishTo(target, releaseOf(['rdiffs/b.rdiff'], ['meta/a.json']));
    const names = operations().filter((line) => /^(?:recv|del)/.test(line) && !line.includes('/indexes/'));
    expect(names).toEqual([
      'recv .update-repository/published.json',
      'recv meta/a.json',
      'recv CKSUMS',
      'recv SHA256SUMS',
      'recv index.json',
      'del. meta/b.json',
      'recv .update-repository/published.json',
    ]);
    expect(readdirSync(join(root, 'meta'))).toEqual(['a.json']);
    expect(readFileSync(join(root, 'a.img'), 'utf8')).toBe('content of a.img');
  });

  test('stores nothing when there is nothing new', async () => {
    const { target, operations } = await place();
    await publishTo(target, releaseOf(['a.img']));
    operations();
    const { summary } = await publishTo(target, releaseOf(['a.img']));
    expect(summary).toMatchObject({ changed: false, uploaded: 0 });
    expect(operations()).toEqual(['send .update-repository/published.json']);
  });

  test('leaves files of others as they are, whatever they are called', async () => {
    const { root, target } = await place();
    const foreign = ['distfiles/x.deb', 'with a blank', 'new\nline', 'back\\#134slash', '-rf', '*'];
    for (const path of foreign) utimesSync(write(root, path, 'theirs'), 1e9, 1e9);
    await publishTo(target, releaseOf(['a.img', 'b.img'], ['meta/a.json', 'meta/b.json']));
    const { summary } = await publishTo(target, releaseOf(['b.img']));
    // A name with a newline is none that a storage can have.
    expect(summary.foreign).toBe(foreign.length - 1);
    for (const path of foreign) {
      expect(readFileSync(join(root, path), 'utf8')).toBe('theirs');
      expect(statSync(join(root, path)).mtimeMs).toBe(1e12);
    }
  });

  test('adopts what is there by a checksum of both sides, without fetching or sending it', async () => {
    const { root, target, operations } = await place();
    for (const name of ['a.img', 'rdiffs/b.rdiff']) write(root, name, `content of ${name}`);
    const { jobs } = await publishTo(target, releaseOf(['a.img', 'rdiffs/b.rdiff', 'c.img']));
    expect(jobs.sort()).toEqual(['check-object a.img', 'check-object rdiffs/b.rdiff', 'upload c.img']);
    expect(operations().filter((line) => /\.(?:img|rdiff)$/.test(line))).toEqual(['recv c.img']);
  });

  test('does not adopt other bytes of the same size', async () => {
    const { root, target } = await place();
    write(root, 'a.img', 'content of b.img');
    await expect(publishTo(target, releaseOf(['a.img']))).rejects.toMatchObject({
      code: 'NAME_REUSED',
      data: { path: 'a.img' },
    });
    expect(readdirSync(root)).toEqual(['a.img']);
  });

  test('sends a large file also where another of the same size and time is', async () => {
    const { root, target } = await place();
    const dir = await temporaryDirectory();
    const right = 'right '.repeat(400_000);
    const filePath = write(dir, 'large.img', right);
    for (const path of [filePath, write(root, 'large.img', 'wrong '.repeat(400_000))]) utimesSync(path, 1e9, 1e9);
    const object = { ...textObject('large.img', right, 'a/b'), content: { kind: 'file' as const, filePath } };
    const call = { signal: new AbortController().signal };
    const stored = await (await opened(target)).put({ ...object, cacheControl: 'no-cache' }, call);
    expect(readFileSync(join(root, 'large.img'), 'utf8')).toBe(right);
    // Its time is known to clients and caches, and stays.
    expect(stored).toMatchObject({ revision: `${right.length}-1000000000` });
  });

  test('stores what somebody has spoilt again, and reads all back where that is wanted', async () => {
    const { root, target } = await place();
    await publishTo(target, releaseOf(['a.img']));
    write(root, 'a.img', 'spoilt, and longer than it was');
    const { jobs } = await publishTo(target, releaseOf(['a.img']), true);
    expect(jobs).toEqual(['upload a.img', 'check-object a.img']);
    expect(readFileSync(join(root, 'a.img'), 'utf8')).toBe('content of a.img');
  });

  test('says that nothing keeps a second publisher out', async () => {
    const { target } = await place();
    const { events } = await publishTo(target, releaseOf(['a.img']));
    expect(events).toContainEqual(expect.objectContaining({ type: 'note', level: 'warning', subject: target }));
  });
});
