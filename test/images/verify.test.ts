import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { temporaryDirectory, temporaryDirectoryOfSuite } from '../support/temporary-directory.js';
import { caught } from './support/caught.js';
import { eventsOf, problems } from './support/events.js';
import { fileStates } from './support/file-states.js';
import { editInPlace } from './support/tamper.js';
import { build, dayDeltaPath, dayImage, makeWorkshop, SERIES, verify, type Workshop } from './support/workshop.js';

const META = `meta/${SERIES}.json`;
const IMAGE = dayImage(1);
const DELTA = dayDeltaPath(1, 2);

it('verify finds nothing wrong with a mirror as it was built, and writes nothing', async () => {
  const workshop = await makeWorkshop(2);
  await build(workshop);
  const before = fileStates(workshop.folder);
  const run = await verify(workshop, { deep: true });
  expect(problems(run)).toEqual([]);
  expect(run.summary).toMatchObject({ files: 4, deltasApplied: 2, errors: 0, warnings: 0 });
  const bytes = Object.keys(filesOf(workshop)).reduce((sum, path) => sum + (filesOf(workshop)[path] ?? 0), 0);
  expect(run.summary.bytes).toBe(bytes);
  expect(fileStates(workshop.folder)).toEqual(before);
});

/** What somebody did to the mirror, and what verify says of it. */
const damages: readonly [name: string, damage: (dir: string) => void, expected: readonly string[]][] = [
  ['a flipped byte in an image', (dir) => editInPlace(join(dir, IMAGE)), mismatches(IMAGE, 5)],
  ['a flipped byte in a delta', (dir) => editInPlace(join(dir, DELTA)), mismatches(DELTA, 5)],
  ['a truncated image', (dir) => truncateSync(join(dir, IMAGE), 1000), mismatches(IMAGE, 7)],
  ['an image that grew', (dir) => appendFileSync(join(dir, IMAGE), 'x'), mismatches(IMAGE, 7)],
  ['an empty delta', (dir) => truncateSync(join(dir, DELTA), 0), mismatches(DELTA, 7)],
  ['a missing image', (dir) => rmSync(join(dir, IMAGE)), [`error missing ${IMAGE}`]],
  ['a missing delta', (dir) => rmSync(join(dir, DELTA)), [`error missing ${DELTA}`]],
  [
    'a directory in the place of an image',
    (dir) => {
      rmSync(join(dir, IMAGE));
      mkdirSync(join(dir, IMAGE));
    },
    [`error unreadable ${IMAGE}`],
  ],
  ['an unlisted image', (dir) => writeFileSync(join(dir, dayImage(9)), 'x'), [`warning unlisted ${dayImage(9)}`]],
  ['an unlisted delta', (dir) => writeFileSync(join(dir, 'rdiffs', 'x'), 'x'), ['warning unlisted rdiffs/x']],
  ['a line of CKSUMS that is gone', (dir) => edit(dir, 'CKSUMS', dropLine(IMAGE)), ['error inconsistent CKSUMS']],
  [
    'a line of CKSUMS too many',
    (dir) => edit(dir, 'CKSUMS', (text) => `${text}1 2 ${dayImage(9)}\n`),
    ['error inconsistent CKSUMS', `error missing ${dayImage(9)}`],
  ],
  [
    'a wrong size in CKSUMS',
    (dir) => edit(dir, 'CKSUMS', (text) => text.replace(/ \d+ /, ' 7 ')),
    ['error inconsistent CKSUMS', `error mismatch ${IMAGE}`],
  ],
  ['a CKSUMS that is gone', (dir) => rmSync(join(dir, 'CKSUMS')), ['error missing CKSUMS']],
  ['a CKSUMS that is cut off', (dir) => edit(dir, 'CKSUMS', (text) => text.slice(0, -5)), malformed('CKSUMS')],
  ['a line of SHA256SUMS that is gone', (dir) => edit(dir, 'SHA256SUMS', dropLine(IMAGE)), inconsistent('SHA256SUMS')],
  [
    'a SHA256SUMS of the deltas without its lines',
    (dir) => edit(dir, 'rdiffs/SHA256SUMS', () => ''),
    inconsistent('rdiffs/SHA256SUMS'),
  ],
  [
    'a wrong digest in it',
    (dir) => edit(dir, 'rdiffs/SHA256SUMS', (text) => text.replace(/^[0-9a-f]{64}/, '0'.repeat(64))),
    ['error inconsistent rdiffs/SHA256SUMS', `error mismatch ${DELTA}`],
  ],
  [
    'a SHA256SUMS of the deltas that is gone',
    (dir) => rmSync(join(dir, 'rdiffs/SHA256SUMS')),
    ['warning missing rdiffs/SHA256SUMS'],
  ],
  ['a SHA256SUMS that is gone', (dir) => rmSync(join(dir, 'SHA256SUMS')), ['warning missing SHA256SUMS']],
  [
    'a wrong digest in SHA256SUMS',
    (dir) => edit(dir, 'SHA256SUMS', (text) => text.replace(/^[0-9a-f]{64}/, '0'.repeat(64))),
    ['error inconsistent SHA256SUMS', `error mismatch ${IMAGE}`],
  ],
  [
    'an index.json of other images',
    (dir) => edit(dir, 'index.json', replace('"images": 2', '"images": 3')),
    inconsistent('index.json'),
  ],
  ['an index.json that is gone', (dir) => rmSync(join(dir, 'index.json')), ['warning missing index.json']],
  ['an index.json that is no JSON', (dir) => edit(dir, 'index.json', () => '{'), malformed('index.json')],
  [
    'a wrong sha512 in meta',
    (dir) => edit(dir, META, (text) => text.replace(/"sha512":"[0-9a-f]{128}"/, `"sha512":"${'0'.repeat(128)}"`)),
    [`error mismatch ${IMAGE}`],
  ],
  [
    'a wrong size in meta',
    (dir) => edit(dir, META, (text) => text.replace(/"size":\d+/, '"size":7')),
    ['error inconsistent CKSUMS', `error mismatch ${IMAGE}`],
  ],
  [
    'a meta that is no JSON',
    (dir) => edit(dir, META, () => '{'),
    [
      ...['CKSUMS', 'SHA256SUMS', 'index.json', 'rdiffs/SHA256SUMS'].map((path) => `error inconsistent ${path}`),
      `error malformed ${META}`,
    ],
  ],
  [
    'a meta under the name of another series',
    (dir) => renameSync(join(dir, META), join(dir, 'meta', 'other.json')),
    [`error inconsistent ${META}`],
  ],
];

describe('verify finds', () => {
  const folder = temporaryDirectoryOfSuite();
  beforeAll(async () => {
    const workshop = await makeWorkshop(2, { folder });
    await build(workshop, { link: 'copy', deltas: { kind: 'latest', count: 1 } });
  });

  it.each(damages)('%s', async (_, damage, expected) => {
    const mirrorDir = await temporaryDirectory();
    cpSync(join(folder, 'mirror'), mirrorDir, { recursive: true });
    damage(mirrorDir);
    const run = await verify({ mirrorDir });
    expect(problems(run)).toEqual([...expected].sort());
    expect(run.summary).toMatchObject(countsOf(expected));
  });

  it('what was expected and what was found, and in which index', async () => {
    const workshop = await makeWorkshop(1);
    await build(workshop, { link: 'copy' });
    appendFileSync(join(workshop.mirrorDir, IMAGE), 'x');
    const size = filesOf(workshop)[IMAGE] ?? 0;
    const messages = eventsOf(await verify(workshop), 'problem').map(({ message }) => message);
    expect(messages).toContain(`expected size ${size - 1} (${META}), found ${size}`);
    expect(messages).toContain(`expected size ${size - 1} (CKSUMS), found ${size}`);
    expect(messages.every((message) => !message.includes('\n'))).toBe(true);
  });

  it('what a killed build left between two indexes, as something that the next one mends', async () => {
    const workshop = await makeWorkshop(2);
    await build(workshop);
    writeFileSync(join(workshop.mirrorDir, '.update-repository', 'publishing'), '');
    edit(workshop.mirrorDir, 'CKSUMS', dropLine(IMAGE));
    rmSync(join(workshop.mirrorDir, 'SHA256SUMS'));
    const run = await verify(workshop);
    expect(problems(run)).toEqual(['warning inconsistent CKSUMS', 'warning missing SHA256SUMS']);
    expect(run.summary.errors).toBe(0);
    await build(workshop);
    expect(problems(await verify(workshop))).toEqual([]);
  });
});

describe('verify refuses', () => {
  it('a directory that is no mirror, and one that is not there', async () => {
    const workshop = await makeWorkshop(1);
    expect(await caught(verify({ mirrorDir: workshop.imagesDir }))).toMatchObject({ code: 'CONFIG' });
    expect((await caught(verify(workshop))).code).toMatch(/^(CONFIG|NOT_FOUND)$/);
  });

  it('nothing of a mirror in which nothing is published yet, but says so', async () => {
    const workshop = await makeWorkshop(1);
    const stop = new AbortController();
    stop.abort();
    expect((await caught(build(workshop, { signal: stop.signal }))).code).toBe('INTERRUPTED');
    const run = await verify(workshop);
    expect(run.summary).toMatchObject({ files: 0, errors: 0 });
    expect(eventsOf(run, 'note')).toMatchObject([
      { level: 'warning', message: expect.stringContaining('nothing is published yet') },
    ]);
  });
});

it('verify stops when it is told to', async () => {
  const workshop = await makeWorkshop(2);
  await build(workshop);
  const stop = new AbortController();
  stop.abort();
  expect(await caught(verify(workshop, { signal: stop.signal }))).toMatchObject({ code: 'INTERRUPTED' });
});

/** Sizes by path. */
function filesOf({ mirrorDir }: Workshop): Record<string, number> {
  const paths = [dayImage(1), dayImage(2), dayDeltaPath(1, 2), dayDeltaPath(2, 1)];
  return Object.fromEntries(
    paths
      .filter((path) => existsSync(join(mirrorDir, path)))
      .map((path) => [path, statSync(join(mirrorDir, path)).size]),
  );
}

/** One for each claim of meta, CKSUMS and SHA256SUMS that the bytes break; a size that changed breaks two more. */
function mismatches(path: string, count: number): string[] {
  return Array.from({ length: count }, () => `error mismatch ${path}`);
}

function malformed(path: string): string[] {
  return [`error inconsistent ${path}`, `error malformed ${path}`];
}

function inconsistent(path: string): string[] {
  return [`error inconsistent ${path}`];
}

function countsOf(expected: readonly string[]): { errors: number; warnings: number } {
  const errors = expected.filter((problem) => problem.startsWith('error')).length;
  return { errors, warnings: expected.length - errors };
}

function edit(dir: string, path: string, change: (text: string) => string): void {
  const text = readFileSync(join(dir, path), 'utf8');
  const changed = change(text);
  expect(changed).not.toBe(text);
  writeFileSync(join(dir, path), changed);
}

function replace(from: string, to: string): (text: string) => string {
  return (text) => text.replace(from, to);
}

function dropLine(name: string): (text: string) => string {
  return (text) => text.replace(new RegExp(`^.* ${name}\n`, 'm'), '');
}
