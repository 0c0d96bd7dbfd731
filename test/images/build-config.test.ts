import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseSeriesMeta } from 'update-repository';
import { describe, expect, it } from 'vitest';
import { readClaims } from '../support/mirror-claims.js';
import { caught } from './support/caught.js';
import { selectionBy, selectionOf, writeConfig } from './support/config.js';
import { eventsOf, notes, startedJobs } from './support/events.js';
import { expectAsFresh } from './support/fresh-build.js';
import {
  addImages,
  build,
  dayDelta,
  dayDeltaPath,
  dayImage,
  makeWorkshop,
  SERIES,
  verify,
  type Workshop,
} from './support/workshop.js';

const TWIN = `${SERIES}-devel`;
const OLD_STEM = 'puavo-os-acme-bullseye';

describe('a build by configuration', () => {
  it('publishes what is listed and nothing else, in the older form and in the new one', async () => {
    const workshop = await makeWorkshop(3);
    const list = [dayImage(1), dayImage(3)];
    for (const config of [{ [SERIES]: list }, { [SERIES]: { images: list } }]) {
      await build(workshop, { selection: selectionOf(workshop, config) });
      expect(named(workshop)).toEqual([dayImage(1), dayImage(3), dayDeltaPath(1, 3), dayDeltaPath(3, 1)]);
    }
  });

  it('takes the order of the list for the order of the images, whatever their versions', async () => {
    const workshop = await makeWorkshop(3);
    const selection = selectionOf(workshop, { [SERIES]: [3, 1, 2].map((day) => dayImage(day)) });
    await build(workshop, { selection, deltas: { kind: 'latest', count: 1 } });
    expect(metaFiles(workshop, SERIES)).toEqual([dayImage(3), dayImage(1), dayImage(2), dayDelta(1, 2)]);
    expect(linesOf(workshop, 'CKSUMS')).toEqual([dayImage(3), dayImage(1), dayImage(2), dayDelta(1, 2)]);
    expect(readFileSync(join(workshop.mirrorDir, 'index.json'), 'utf8')).toContain(`"filename": "${dayImage(3)}"`);
  });

  it('reads a directory of configurations in the order of their names, and passes other files over', async () => {
    const workshop = await makeWorkshop(1);
    await addImages(workshop, [1], { stem: OLD_STEM });
    mkdirSync(join(workshop.folder, 'config'));
    writeConfig(workshop, 'config/b.json', { [SERIES]: [dayImage(1)] });
    writeConfig(workshop, 'config/a.json', { 'puavo-os-acme-bullseye-amd64': [dayImage(1, OLD_STEM)] });
    writeConfig(workshop, 'config/README', 'no configuration');
    await build(workshop, { selection: selectionBy(join(workshop.folder, 'config')) });
    expect(linesOf(workshop, 'CKSUMS')).toEqual([dayImage(1, OLD_STEM), dayImage(1)]);
  });

  it('joins several files, and all their series share the lists of checksums', async () => {
    const workshop = await makeWorkshop(1);
    await addImages(workshop, [1], { stem: OLD_STEM });
    const paths = [
      writeConfig(workshop, 'z.json', { [SERIES]: [dayImage(1)] }),
      writeConfig(workshop, 'a.json', { other: [dayImage(1, OLD_STEM)] }),
    ];
    await build(workshop, { selection: selectionBy(...paths) });
    expect(linesOf(workshop, 'CKSUMS')).toEqual([dayImage(1), dayImage(1, OLD_STEM)]);
  });

  it('reads an image of two series once, makes their common deltas once and lists each file once', async () => {
    const workshop = await makeWorkshop(3);
    const selection = selectionOf(workshop, {
      [SERIES]: [dayImage(1), dayImage(2)],
      [TWIN]: [dayImage(1), dayImage(2), dayImage(3)],
    });
    const run = await build(workshop, { selection, deltas: { kind: 'puavo' } });
    const jobs = startedJobs(run);
    expect(new Set(jobs).size).toBe(jobs.length);
    expect(jobs).toHaveLength(3 + 6);
    expect(metaFiles(workshop, SERIES)).toEqual([dayImage(1), dayDelta(2, 1), dayImage(2), dayDelta(1, 2)]);
    expect(metaFiles(workshop, TWIN).slice(0, 3)).toEqual([dayImage(1), dayDelta(2, 1), dayDelta(3, 1)]);
    const listed = linesOf(workshop, 'CKSUMS');
    expect(new Set(listed).size).toBe(listed.length);
    expect(listed.sort()).toEqual(
      named(workshop)
        .map((path) => path.replace('rdiffs/', ''))
        .sort(),
    );
    expect((await verify(workshop, { deep: true })).summary).toMatchObject({
      errors: 0,
      warnings: 0,
      deltasApplied: 6,
    });
    expect((await build(workshop, { selection, deltas: { kind: 'puavo' } })).summary.changed).toBe(false);
  });

  it('makes extra deltas from images of another series, which it does not publish', async () => {
    const workshop = await makeWorkshop(2);
    await addImages(workshop, [1], { stem: OLD_STEM, seed: 'puavo-os-acme-bookworm' });
    const base = dayImage(1, OLD_STEM);
    const delta = `${OLD_STEM}-2024-01-01-060000--2024-01-02-060000-amd64.rdiff`;
    const selection = selectionOf(workshop, {
      [SERIES]: { images: [dayImage(1), dayImage(2)], extra_rdiffs: { [dayImage(2)]: [base] } },
    });
    const run = await build(workshop, { selection });
    expect(startedJobs(run)).toContain(`examine ${base}`);
    expect(metaFiles(workshop, SERIES)).toEqual([dayImage(1), dayDelta(2, 1), dayImage(2), dayDelta(1, 2), delta]);
    expect(named(workshop)).not.toContain(base);
    expect((await build(workshop, { selection })).summary.changed).toBe(false);
    const { summary, events } = await verify(workshop, { deep: true });
    expect(summary).toMatchObject({ errors: 0, warnings: 1 });
    expect(eventsOf({ events }, 'problem')).toMatchObject([{ path: `rdiffs/${delta}`, kind: 'missing' }]);
  });

  it('writes an empty series where the list is empty', async () => {
    const workshop = await makeWorkshop(1);
    const selection = selectionOf(workshop, { [SERIES]: [dayImage(1)], empty: { images: [] } });
    await build(workshop, { selection });
    expect(readFileSync(join(workshop.mirrorDir, 'meta/empty.json'), 'utf8')).toBe('{"empty":{"images":[]}}');
    expect((await verify(workshop)).summary).toMatchObject({ errors: 0, warnings: 0 });
    await expectAsFresh(workshop, { selection });
  });

  it('follows a change of the list', async () => {
    const workshop = await makeWorkshop(3);
    await build(workshop, { selection: selectionOf(workshop, { [SERIES]: [dayImage(1), dayImage(2)] }) });
    const changed = selectionOf(workshop, { [SERIES]: [dayImage(2), dayImage(3)] });
    const run = await build(workshop, { selection: changed });
    expect(startedJobs(run)).toEqual([
      `delta ${dayDeltaPath(2, 3)}`,
      `delta ${dayDeltaPath(3, 2)}`,
      `examine ${dayImage(3)}`,
    ]);
    await expectAsFresh(workshop, { selection: changed });
  });

  it('publishes which images are barriers, also where nothing else has changed', async () => {
    const workshop = await makeWorkshop(2);
    const images = [dayImage(1), dayImage(2)];
    const barriers = () => {
      const text = readFileSync(join(workshop.mirrorDir, 'meta', `${SERIES}.json`), 'utf8');
      return parseSeriesMeta(text, 'meta').images.flatMap(({ barrier, filename }) => (barrier ? [filename] : []));
    };
    for (const list of [[dayImage(1)], [], [dayImage(2), dayImage(1)]]) {
      const selection = selectionOf(workshop, { [SERIES]: { images, barriers: list } });
      const { summary } = await build(workshop, { selection });
      expect(summary.changed).toBe(true);
      expect(barriers()).toEqual(list.toSorted());
      expect((await build(workshop, { selection })).summary.changed).toBe(false);
    }
  });

  it('says what of a configuration it does not heed', async () => {
    const workshop = await makeWorkshop(1);
    const selection = selectionOf(workshop, { [SERIES]: { images: [dayImage(1)], comment: 'x' } });
    const run = await build(workshop, { selection });
    expect([...notes(run, 'info'), ...notes(run)].join('\n')).toContain('comment');
  });
});

describe('a configuration is refused before anything is made', () => {
  const cases: readonly [name: string, code: string, config: (workshop: Workshop) => string[]][] = [
    ['that is not there', 'NOT_FOUND', ({ folder }) => [join(folder, 'absent.json')]],
    ['that is no JSON', 'CONFIG', (workshop) => [writeText(workshop, '{')]],
    ['without a series', 'CONFIG', (workshop) => [writeConfig(workshop, 'empty.json', {})]],
    ['in a directory without one', 'CONFIG', ({ imagesDir }) => [imagesDir]],
    [
      'that has a series of another file',
      'CONFIG',
      (workshop) => ['a.json', 'b.json'].map((name) => writeConfig(workshop, name, { [SERIES]: [dayImage(1)] })),
    ],
    [
      'that lists two images of one version',
      'NAME',
      (workshop) => [writeConfig(workshop, 'twice.json', { [SERIES]: [dayImage(1), dayImage(1, OLD_STEM)] })],
    ],
    [
      'by which two targets share the name of a delta',
      'NAME',
      (workshop) => [
        writeConfig(workshop, 'shared.json', {
          one: { images: [dayImage(2)], extra_rdiffs: { [dayImage(2)]: [dayImage(1)] } },
          two: { images: [dayImage(2, OLD_STEM)], extra_rdiffs: { [dayImage(2, OLD_STEM)]: [dayImage(1)] } },
        }),
      ],
    ],
  ];

  it.each(cases)('%s: %s', async (_, code, config) => {
    const workshop = await makeWorkshop(2);
    const error = await caught(build(workshop, { selection: selectionBy(...config(workshop)) }));
    expect(error.code).toBe(code);
    expect(existsSync(workshop.mirrorDir)).toBe(false);
  });
});

function writeText({ folder }: Workshop, text: string): string {
  const path = join(folder, 'text.json');
  writeFileSync(path, text);
  return path;
}

function named({ mirrorDir }: Workshop): string[] {
  const { broken, named: files } = readClaims(mirrorDir);
  expect(broken).toEqual([]);
  return [...files.keys()].sort();
}

/** The names in the last column of a list. */
function linesOf({ mirrorDir }: Workshop, list: 'CKSUMS'): string[] {
  const lines = readFileSync(join(mirrorDir, list), 'utf8').trimEnd().split('\n');
  return lines.map((line) => line.split(' ').at(-1) ?? '');
}

/** The images of a meta file, and behind each its diffs. */
function metaFiles({ mirrorDir }: Workshop, series: string): string[] {
  const text = readFileSync(join(mirrorDir, 'meta', `${series}.json`), 'utf8');
  const { images } = parseSeriesMeta(text, series);
  return images.flatMap(({ filename, diffs }) => [filename, ...diffs.map((diff) => diff.filename)]);
}
