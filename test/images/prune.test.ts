import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { servedTree } from '../support/served-tree.js';
import { caught } from './support/caught.js';
import { eventsOf } from './support/events.js';
import { fileStates } from './support/file-states.js';
import { expectAsFresh } from './support/fresh-build.js';
import { replaceByOlder } from './support/tamper.js';
import {
  addImages,
  build,
  dayDeltaPath,
  dayImage,
  makeWorkshop,
  prune,
  SERIES,
  verify,
  type Workshop,
} from './support/workshop.js';

const HOUR_MS = 3_600_000;
/** What goes out of the indexes along with the second of two images. */
const UNUSED = [dayImage(2), dayDeltaPath(1, 2), dayDeltaPath(2, 1)];

describe('prune', () => {
  it('removes what no index names any more, and nothing else', async () => {
    const workshop = await withUnusedFiles();
    const bytes = UNUSED.map((path) => readFileSync(join(workshop.mirrorDir, path)).length);
    const run = await prune(workshop);
    expect(eventsOf(run, 'file-removed').map(({ path }) => path)).toEqual(UNUSED);
    expect(run.summary).toMatchObject({
      dryRun: false,
      removed: 3,
      removedBytes: bytes.reduce((sum, one) => sum + one),
      waiting: 0,
      waitingBytes: 0,
    });
    await expectAsFresh(workshop);
    expect((await verify(workshop)).summary).toMatchObject({ errors: 0, warnings: 0 });
  });

  it('waits until the grace period since the last index that named a file is over', async () => {
    const workshop = await withUnusedFiles();
    const before = servedTree(workshop.mirrorDir);
    const early = await prune(workshop, { graceMs: HOUR_MS });
    expect(early.summary).toMatchObject({ removed: 0, removedBytes: 0, waiting: 3 });
    expect(servedTree(workshop.mirrorDir)).toEqual(before);

    const hoursAgo = (hours: number) => new Date(Date.now() - hours * HOUR_MS).toISOString();
    rewriteDropped(workshop, { [dayImage(2)]: hoursAgo(2), [dayDeltaPath(1, 2)]: hoursAgo(0.5) });
    const later = await prune(workshop, { graceMs: HOUR_MS });
    expect(eventsOf(later, 'file-removed').map(({ path }) => path)).toEqual([dayImage(2)]);
    expect(later.summary).toMatchObject({ removed: 1, waiting: 2 });
    expect((await prune(workshop)).summary.removed).toBe(2);
  });

  it('counts the grace period of a file anew when an index named it in between', async () => {
    const workshop = await withUnusedFiles();
    rewriteDropped(workshop, { [dayImage(2)]: new Date(0).toISOString() });
    await addImages(workshop, [2]);
    await build(workshop);
    rmSync(join(workshop.imagesDir, dayImage(2)));
    await build(workshop);
    expect((await prune(workshop, { graceMs: HOUR_MS })).summary).toMatchObject({ removed: 0, waiting: 3 });
  });

  it('only lists with a dry run, and writes nothing', async () => {
    const workshop = await withUnusedFiles();
    const before = fileStates(workshop.folder);
    const run = await prune(workshop, { dryRun: true });
    const actions = eventsOf(run, 'plan').flatMap((plan) => plan.actions);
    expect(actions.map(({ action, path }) => `${action} ${path}`)).toEqual(UNUSED.map((path) => `remove ${path}`));
    expect(run.summary).toMatchObject({ dryRun: true, removed: 3 });
    expect(fileStates(workshop.folder)).toEqual(before);
  });

  it('within a build does not keep the build from completing indexes that were left half-written', async () => {
    const workshop = await withUnusedFiles();
    writeFileSync(join(workshop.mirrorDir, '.update-repository/publishing'), '');
    rmSync(join(workshop.mirrorDir, 'SHA256SUMS'));
    await build(workshop, { prune: { graceMs: 0 } });
    await expectAsFresh(workshop);
  });

  it('spares a file that stands in the place of an image that is only a base', async () => {
    const workshop = await makeWorkshop(1);
    await addImages(workshop, [1], { stem: 'puavo-os-other-bookworm' });
    const base = dayImage(1, 'puavo-os-other-bookworm');
    const config = { [SERIES]: { images: [dayImage(1)], extra_rdiffs: { [dayImage(1)]: [base] } } };
    writeFileSync(join(workshop.folder, 'series.json'), JSON.stringify(config));
    const selection = { configPaths: [join(workshop.folder, 'series.json')], executableOnly: false };
    await build(workshop, { selection });
    writeFileSync(join(workshop.mirrorDir, base), 'mine');
    expect((await prune(workshop)).summary.removed).toBe(0);
    expect(readFileSync(join(workshop.mirrorDir, base), 'utf8')).toBe('mine');
  });

  it('writes nothing where nothing is unused', async () => {
    const workshop = await makeWorkshop(1);
    await build(workshop);
    // The lock comes and goes in the private directory.
    const { '.update-repository': _, ...before } = fileStates(workshop.mirrorDir);
    const run = await prune(workshop);
    expect(run.summary).toMatchObject({ removed: 0, waiting: 0 });
    expect(fileStates(workshop.mirrorDir)).toMatchObject(before);
    expect(Object.keys(fileStates(workshop.mirrorDir))).toHaveLength(Object.keys(before).length + 1);
  });

  it('is part of a build that asks for it', async () => {
    const workshop = await makeWorkshop(2);
    await build(workshop);
    rmSync(join(workshop.imagesDir, dayImage(2)));
    const waiting = await build(workshop, { prune: { graceMs: HOUR_MS } });
    expect(eventsOf(waiting, 'prune-summary')).toMatchObject([{ removed: 0, waiting: 3 }]);
    const run = await build(workshop, { prune: { graceMs: 0 } });
    expect(eventsOf(run, 'file-removed').map(({ path }) => path)).toEqual(UNUSED);
    await expectAsFresh(workshop);
  });

  it('removes a delta that a killed build had made for an image which is gone since', async () => {
    const workshop = await makeWorkshop(2);
    await build(workshop, { deltas: { kind: 'none' } });
    const stop = new AbortController();
    const finished = (type: string) => type === 'job-finished' && stop.abort();
    const one = { jobs: 1, memoryBytes: 2 ** 30 };
    const killed = build(workshop, { resources: one, signal: stop.signal, onEvent: ({ type }) => finished(type) });
    expect((await caught(killed)).code).toBe('INTERRUPTED');
    const orphans = Object.keys(servedTree(workshop.mirrorDir)).filter((path) => path.startsWith('rdiffs/'));
    expect(orphans).toHaveLength(1);

    rmSync(join(workshop.imagesDir, dayImage(2)));
    await build(workshop);
    expect((await prune(workshop)).summary.removed).toBe(2);
    await expectAsFresh(workshop);
  });

  it('frees a name: after it, other bytes may be published under it', async () => {
    const workshop = await withUnusedFiles();
    await addImages(workshop, [2]);
    replaceByOlder(join(workshop.imagesDir, dayImage(2)));
    expect(await caught(build(workshop))).toMatchObject({ code: 'NAME_REUSED' });
    await prune(workshop);
    await build(workshop);
    await expectAsFresh(workshop);
  });
});

describe('prune leaves alone', () => {
  it('files and trees that it does not own, at the root, in rdiffs/ and in meta/', async () => {
    const workshop = await withUnusedFiles();
    const foreign = [
      'index.html',
      'puavo-os-acme-bookworm-2020-01-01-000000-amd64.img',
      'rdiffs/README',
      'rdiffs/puavo-os-acme-bookworm-2020-01-01-000000--2020-01-02-000000-amd64.rdiff',
      'meta/notes.json',
      'meta/other.txt',
      'torrents/x.torrent',
      'distfiles/pkg/a.tar',
    ];
    for (const directory of ['torrents', 'distfiles/pkg']) {
      mkdirSync(join(workshop.mirrorDir, directory), { recursive: true });
    }
    for (const path of foreign) writeFileSync(join(workshop.mirrorDir, path), 'foreign');
    expect((await prune(workshop)).summary).toMatchObject({ removed: 3 });
    for (const path of foreign) expect(readFileSync(join(workshop.mirrorDir, path), 'utf8'), path).toBe('foreign');
  });

  it('whatever its own memory says of files that are no images and no deltas', async () => {
    const workshop = await withUnusedFiles();
    writeFileSync(join(workshop.folder, 'precious.img'), 'precious');
    writeFileSync(join(workshop.mirrorDir, 'index.html'), 'precious');
    const long = new Date(0).toISOString();
    rewriteDropped(workshop, {
      '../precious.img': long,
      'index.html': long,
      CKSUMS: long,
      '../images/puavo-os-acme-bookworm-2024-01-01-060000-amd64.img': long,
    });
    await prune(workshop);
    expect(existsSync(join(workshop.folder, 'precious.img'))).toBe(true);
    expect(existsSync(join(workshop.mirrorDir, 'index.html'))).toBe(true);
    expect(existsSync(join(workshop.mirrorDir, 'CKSUMS'))).toBe(true);
    expect(existsSync(join(workshop.imagesDir, dayImage(1)))).toBe(true);
  });
});

describe('prune refuses to remove anything', () => {
  const ways: readonly [name: string, damage: (mirrorDir: string) => void][] = [
    ['when all meta files are gone', (dir) => rmSync(join(dir, 'meta'), { recursive: true })],
    ['when the meta file of a series is gone', (dir) => rmSync(join(dir, 'meta', `${SERIES}.json`))],
    ['when a meta file is damaged', (dir) => writeFileSync(join(dir, 'meta', `${SERIES}.json`), '{')],
    ['when index.json is gone', (dir) => rmSync(join(dir, 'index.json'))],
    ['when index.json is damaged', (dir) => writeFileSync(join(dir, 'index.json'), '{}')],
    ['when index.json lists nothing', (dir) => writeFileSync(join(dir, 'index.json'), '{"format":1,"series":[]}')],
    ['after a build that was killed', (dir) => writeFileSync(join(dir, '.update-repository', 'publishing'), '')],
  ];

  it.each(ways)('%s', async (_, damage) => {
    const workshop = await withUnusedFiles();
    damage(workshop.mirrorDir);
    const before = servedTree(workshop.mirrorDir);
    expect((await caught(prune(workshop))).code).toMatch(/^(CONFIG|FORMAT)$/);
    expect(servedTree(workshop.mirrorDir)).toEqual(before);
    expect(existsSync(join(workshop.mirrorDir, '.update-repository', 'lock'))).toBe(false);
  });

  it('in a directory that is no mirror of this program', async () => {
    const workshop = await makeWorkshop(1);
    expect(await caught(prune(workshop))).toMatchObject({ code: 'CONFIG' });
    expect(await caught(prune({ mirrorDir: workshop.imagesDir }))).toMatchObject({ code: 'CONFIG' });
    expect(Object.keys(servedTree(workshop.imagesDir))).toEqual([dayImage(1)]);
  });

  it('while a build runs', async () => {
    const workshop = await withUnusedFiles();
    await addImages(workshop, [3]);
    let refused: Promise<{ code: string }> | undefined;
    await build(workshop, {
      onEvent({ type }) {
        if (type === 'job-started') refused ??= caught(prune(workshop));
      },
    });
    expect((await refused)?.code).toBe('LOCKED');
  });
});

/** A mirror of the first of two days, which had both a moment ago. */
async function withUnusedFiles(): Promise<Workshop> {
  const workshop = await makeWorkshop(2);
  await build(workshop);
  rmSync(join(workshop.imagesDir, dayImage(2)));
  await build(workshop);
  return workshop;
}

/** Changes or adds the times since when files are unused. */
function rewriteDropped({ mirrorDir }: Workshop, times: Record<string, string>): void {
  const path = join(mirrorDir, '.update-repository', 'dropped.json');
  writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, 'utf8')), ...times }));
}
