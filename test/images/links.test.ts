import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { readClaims } from '../support/mirror-claims.js';
import { skipLoudly } from '../support/tools.js';
import { caught } from './support/caught.js';
import { eventsOf, notes } from './support/events.js';
import { build, dayImage, makeWorkshop, type Run, type Workshop } from './support/workshop.js';

const NAME = dayImage(1);

describe('an image gets into the mirror', () => {
  it.each(['auto', 'hard'] as const)('as a hard link with --link %s, and the build says so', async (link) => {
    const workshop = await makeWorkshop(1);
    const run = await build(workshop, { link });
    expect(served(workshop).ino).toBe(statSync(join(workshop.imagesDir, NAME)).ino);
    expect(details(run)).toEqual(['hard-linked, raw']);
  });

  it('as a copy with the time of the image, and the build says so', async () => {
    const workshop = await makeWorkshop(1);
    const image = join(workshop.imagesDir, NAME);
    const run = await build(workshop, { link: 'copy' });
    expect(served(workshop).ino).not.toBe(statSync(image).ino);
    expect(Math.floor(served(workshop).mtimeMs)).toBe(Math.floor(statSync(image).mtimeMs));
    expect(readFileSync(join(workshop.mirrorDir, NAME))).toEqual(readFileSync(image));
    expect(details(run)).toEqual(['copied, raw']);
  });

  it('as a copy where it lies on another file system, unless hard links were asked for', async (context) => {
    const workshop = await makeWorkshop(1);
    const elsewhere = onAnotherFileSystem(context, workshop);
    const run = await build(elsewhere, { link: 'auto' });
    expect(details(run)).toEqual(['copied, raw']);
    expect(readClaims(elsewhere.mirrorDir).broken).toEqual([]);

    const strict = { ...elsewhere, mirrorDir: `${elsewhere.mirrorDir}-strict` };
    const error = await caught(build(strict, { link: 'hard' }));
    expect(error).toMatchObject({ code: 'IO' });
    expect(error.message).toContain('another file system');
  });

  it('as a reflink where the file system can, else not at all when reflinks were asked for', async () => {
    const workshop = await makeWorkshop(1);
    const outcome = await build(workshop, { link: 'reflink' }).then(details, ({ code }) => code);
    if (outcome === 'IO') return expect(readClaims(workshop.mirrorDir).named.size).toBe(0);
    expect(outcome).toEqual(['reflinked, raw']);
    expect(served(workshop).ino).not.toBe(statSync(join(workshop.imagesDir, NAME)).ino);
  });

  it('as a link to the file itself where the image directory has a symbolic link', async () => {
    const workshop = await makeWorkshop(1);
    const store = join(workshop.folder, 'store');
    mkdirSync(store);
    renameSync(join(workshop.imagesDir, NAME), join(store, 'image'));
    symlinkSync('../store/image', join(workshop.imagesDir, NAME));
    await build(workshop, { link: 'hard' });
    expect(lstatSync(join(workshop.mirrorDir, NAME)).isFile()).toBe(true);
    expect(served(workshop).ino).toBe(statSync(join(store, 'image')).ino);
    expect((await build(workshop)).summary.changed).toBe(false);
  });
});

describe('a build warns', () => {
  it('of an image that a web server could not read, at every run', async () => {
    const workshop = await makeWorkshop(2);
    chmodSync(join(workshop.imagesDir, NAME), 0o640);
    const warning = `${NAME}: mode 640: a web server of another user cannot read it (chmod o+r)`;
    expect(notes(await build(workshop))).toEqual([warning]);
    expect(notes(await build(workshop))).toEqual([warning]);
    chmodSync(join(workshop.imagesDir, NAME), 0o644);
    expect(notes(await build(workshop))).toEqual([]);
  });

  it('not of such an image when the mirror gets a copy, which is readable', async () => {
    const workshop = await makeWorkshop(1);
    chmodSync(join(workshop.imagesDir, NAME), 0o640);
    expect(notes(await build(workshop, { link: 'copy' }))).toEqual([]);
    expect(served(workshop).mode & 0o777).toBe(0o644);
  });
});

function served({ mirrorDir }: Workshop) {
  return statSync(join(mirrorDir, NAME));
}

function details(run: Run<unknown>): string[] {
  return eventsOf(run, 'job-finished').map(({ detail }) => detail);
}

/** The same images with a mirror on the file system of shared memory. */
function onAnotherFileSystem(context: Parameters<typeof skipLoudly>[0], workshop: Workshop): Workshop {
  const shared = '/dev/shm';
  const device = statSync(shared, { throwIfNoEntry: false })?.dev;
  if (device === undefined || device === statSync(workshop.folder).dev) skipLoudly(context, 'no second file system');
  const folder = mkdtempSync(join(shared, 'update-repository-test-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return { ...workshop, mirrorDir: join(folder, 'mirror') };
}
