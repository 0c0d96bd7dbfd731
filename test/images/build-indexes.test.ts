import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { servedTree } from '../support/served-tree.js';
import { eventsOf, notes } from './support/events.js';
import {
  addImages,
  build,
  dayDelta,
  dayDeltaPath,
  dayImage,
  makeWorkshop,
  SERIES,
  type Workshop,
} from './support/workshop.js';

const BASE_URL = 'https://images.example.org';

describe('the indexes of a mirror', () => {
  it('describe each series in a meta file of one line, members in the order of the old producer', async () => {
    const workshop = await makeWorkshop(3);
    await build(workshop);
    const text = readFileSync(join(workshop.mirrorDir, 'meta', `${SERIES}.json`), 'utf8');
    const images = [
      expectedImage(workshop, 1, []),
      expectedImage(workshop, 2, [1, 3]),
      expectedImage(workshop, 3, [2]),
    ];
    expect(text).toBe(JSON.stringify({ [SERIES]: { images } }));
  });

  it('list in CKSUMS each image in order, and behind it the deltas that lead to it, in SHA256SUMS each beside its own', async () => {
    const workshop = await makeWorkshop(3);
    await addImages(workshop, [1], { stem: 'puavo-os-zeta-bookworm' });
    await addImages(workshop, [1], { stem: 'ltsp-alpha' });
    await build(workshop);
    const paths = [
      dayImage(1, 'ltsp-alpha'),
      dayImage(1),
      dayImage(2),
      dayDeltaPath(1, 2),
      dayDeltaPath(3, 2),
      dayImage(3),
      dayDeltaPath(2, 3),
      dayImage(1, 'puavo-os-zeta-bookworm'),
    ];
    const { mirrorDir } = workshop;
    expect(readFileSync(join(mirrorDir, 'CKSUMS'), 'utf8')).toBe(
      paths.map((path) => `${cksumLine(join(mirrorDir, path))} ${path.replace('rdiffs/', '')}\n`).join(''),
    );
    for (const directory of ['', 'rdiffs']) {
      const beside = paths.filter((path) => path.startsWith('rdiffs/') === (directory === 'rdiffs'));
      expect(readFileSync(join(mirrorDir, directory, 'SHA256SUMS'), 'utf8')).toBe(
        beside.map((path) => `${digest('sha256', join(mirrorDir, path))}  ${basename(path)}\n`).join(''),
      );
      execFileSync('sha256sum', ['--check', '--strict', '--quiet', 'SHA256SUMS'], { cwd: join(mirrorDir, directory) });
    }
  });

  it('have no list of deltas once the last delta is gone, and it is the last thing to go', async () => {
    const workshop = await makeWorkshop(2);
    await build(workshop);
    const list = join(workshop.mirrorDir, 'rdiffs/SHA256SUMS');
    expect(existsSync(list)).toBe(true);
    const dry = await build(workshop, { deltas: { kind: 'none' }, dryRun: true });
    const dropped = eventsOf(dry, 'plan').flatMap(({ actions }) => actions.filter(({ action }) => action === 'drop'));
    expect(dropped.map(({ path }) => path)).toEqual([dayDeltaPath(2, 1), dayDeltaPath(1, 2), 'rdiffs/SHA256SUMS']);
    const run = await build(workshop, { deltas: { kind: 'none' } });
    expect(notes(run, 'info')).toContain('rdiffs/SHA256SUMS: removed: there is no delta any more');
    expect(existsSync(list)).toBe(false);
    expect((await build(workshop, { deltas: { kind: 'none' } })).summary.changed).toBe(false);
    await build(workshop);
    expect(existsSync(list)).toBe(true);
  });

  it('list the series in index.json, without a time and without a URL', async () => {
    const workshop = await makeWorkshop(2);
    await build(workshop);
    const newest = join(workshop.mirrorDir, dayImage(2));
    expect(JSON.parse(readFileSync(join(workshop.mirrorDir, 'index.json'), 'utf8'))).toEqual({
      format: 1,
      series: [
        {
          name: SERIES,
          meta: `meta/${SERIES}.json`,
          images: 2,
          newest: {
            version: '20240102060000',
            filename: dayImage(2),
            size: statSync(newest).size,
            sha256: digest('sha256', newest),
          },
        },
      ],
    });
  });

  it('have root-relative URLs without a base URL, and a warning says who needs whole ones', async () => {
    const workshop = await makeWorkshop(2);
    const run = await build(workshop, { baseUrl: undefined, deltas: { kind: 'latest', count: 1 } });
    expect(notes(run)).toEqual([
      'no base URL: urls are relative to the root, and bootservers need whole ones (--base-url https://…)',
    ]);
    const text = readFileSync(join(workshop.mirrorDir, 'meta', `${SERIES}.json`), 'utf8');
    expect(text.match(/"urls":\[[^\]]*\]/g)).toEqual([
      `"urls":["/${dayImage(1)}"]`,
      `"urls":["/${dayDeltaPath(1, 2)}"]`,
      `"urls":["/${dayImage(2)}"]`,
    ]);
  });
});

describe('what a web server serves', () => {
  it.each(['hard', 'copy'] as const)(
    'is readable by any user, whatever the umask of the build (%s links)',
    async (link) => {
      const workshop = await makeWorkshop(2);
      const umask = process.umask(0o077);
      onTestFinished(() => void process.umask(umask));
      await build(workshop, { link });
      for (const path of Object.keys(servedTree(workshop.mirrorDir))) {
        expect(statSync(join(workshop.mirrorDir, path)).mode & 0o777, path).toBe(0o644);
      }
      for (const directory of ['', 'meta', 'rdiffs']) {
        expect(statSync(join(workshop.mirrorDir, directory)).mode & 0o777, directory).toBe(0o755);
      }
    },
  );

  it('lies in directories whose permissions stay as somebody set them', async () => {
    const workshop = await makeWorkshop(1);
    mkdirSync(workshop.mirrorDir);
    chmodSync(workshop.mirrorDir, 0o2775);
    await build(workshop);
    expect(statSync(workshop.mirrorDir).mode & 0o7777).toBe(0o2775);
  });
});

function expectedImage({ mirrorDir }: Workshop, day: number, bases: readonly number[]) {
  const filename = dayImage(day);
  const path = join(mirrorDir, filename);
  return {
    diffs: bases.map((base) => {
      const delta = join(mirrorDir, dayDeltaPath(base, day));
      return {
        filename: dayDelta(base, day),
        urls: [`${BASE_URL}/${dayDeltaPath(base, day)}`],
        version: `2024010${base}060000`,
        size: statSync(delta).size,
        ...digests(delta),
      };
    }),
    filename,
    id: filename.replace('.img', ''),
    'puavo-conf': {},
    size: statSync(path).size,
    urls: [`${BASE_URL}/${filename}`],
    version: `2024010${day}060000`,
    ...digests(path),
  };
}

function digests(path: string) {
  return {
    cksum: cksumLine(path).split(' ')[0],
    sha256: digest('sha256', path),
    sha512: digest('sha512', path),
  };
}

/** `<crc> <size>`, by coreutils. */
function cksumLine(path: string): string {
  return execFileSync('cksum', { input: readFileSync(path), encoding: 'utf8' }).trimEnd();
}

function digest(algorithm: 'sha256' | 'sha512', path: string): string {
  return createHash(algorithm).update(readFileSync(path)).digest('hex');
}
