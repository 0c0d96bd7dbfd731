import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readClaims } from '../support/mirror-claims.js';
import { servedTree } from '../support/served-tree.js';
import { caught } from './support/caught.js';
import { eventsOf, notes, startedJobs, writtenIndexes } from './support/events.js';
import { editInPlace, replaceByOlder, replaceBySame } from './support/tamper.js';
import { build, dayImage, makeWorkshop, type Workshop } from './support/workshop.js';

const NAME = dayImage(2);

describe('other bytes under a published name are refused, naming both sha256,', () => {
  it('when a file with an older mtime took the place of the image', async () => {
    const workshop = await makeWorkshop(2);
    await build(workshop);
    const served = servedTree(workshop.mirrorDir);
    replaceByOlder(image(workshop));
    await expectRefusal(workshop, served[NAME]);
    expect(servedTree(workshop.mirrorDir)).toEqual(served);
    expect(readClaims(workshop.mirrorDir).broken).toEqual([]);
  });

  it('when the hard-linked image was edited where it lies and got its old mtime back', async () => {
    const workshop = await makeWorkshop(2);
    await build(workshop, { link: 'hard' });
    const served = servedTree(workshop.mirrorDir);
    editInPlace(image(workshop));
    await expectRefusal(workshop, served[NAME]);
    expect(servedTree(workshop.mirrorDir)[NAME]).not.toBe(served[NAME]);
    const { broken, named } = readClaims(workshop.mirrorDir);
    expect(broken).toEqual([]);
    expect([...named.keys()]).toEqual([dayImage(1)]);
  });

  it('when the image of a copy was edited where it lies and got its old mtime back', async () => {
    const workshop = await makeWorkshop(2);
    await build(workshop, { link: 'copy' });
    const served = servedTree(workshop.mirrorDir);
    editInPlace(image(workshop));
    await expectRefusal(workshop, served[NAME], 'copy');
    expect(servedTree(workshop.mirrorDir)).toEqual(served);
  });

  it('when its private memory is lost and only meta tells what was published', async () => {
    const workshop = await makeWorkshop(2);
    await build(workshop, { link: 'copy' });
    const served = servedTree(workshop.mirrorDir);
    forgetAll(workshop);
    replaceByOlder(image(workshop));
    await expectRefusal(workshop, served[NAME], 'copy');
    expect(servedTree(workshop.mirrorDir)).toEqual(served);
  });

  it('when the mirror has lost the file itself', async () => {
    const workshop = await makeWorkshop(2);
    await build(workshop);
    const before = servedTree(workshop.mirrorDir)[NAME];
    rmSync(join(workshop.mirrorDir, NAME));
    replaceByOlder(image(workshop));
    await expectRefusal(workshop, before);
    expect(readdirSync(workshop.mirrorDir)).not.toContain(NAME);
  });

  it('when the image was off the list for a while, as long as its old bytes have not been pruned', async () => {
    const workshop = await makeWorkshop(2);
    await build(workshop);
    const before = servedTree(workshop.mirrorDir)[NAME];
    renameSync(image(workshop), join(workshop.folder, NAME));
    await build(workshop);
    renameSync(join(workshop.folder, NAME), image(workshop));
    replaceByOlder(image(workshop));
    await expectRefusal(workshop, before);
  });
});

describe('the mirror keeps what was published', () => {
  it('and gets the image again when its own copy has other bytes', async () => {
    const workshop = await makeWorkshop(2);
    await build(workshop, { link: 'copy' });
    const served = servedTree(workshop.mirrorDir);
    editInPlace(join(workshop.mirrorDir, NAME));
    const damaged = servedTree(workshop.mirrorDir)[NAME];

    const run = await build(workshop, { link: 'copy' });
    expect(notes(run)).toEqual([
      `${NAME}: the mirror's copy had other bytes (sha256 ${damaged}): replaced by the image`,
    ]);
    expect(writtenIndexes(run)).toEqual([]);
    expect(servedTree(workshop.mirrorDir)).toEqual(served);
  });

  it('and gets the image again when its file is gone, whatever the inode of the image', async () => {
    const workshop = await makeWorkshop(2);
    await build(workshop);
    const served = servedTree(workshop.mirrorDir);
    rmSync(join(workshop.mirrorDir, NAME));
    replaceBySame(image(workshop));
    const run = await build(workshop);
    expect(startedJobs(run)).toEqual([`examine ${NAME}`]);
    expect(writtenIndexes(run)).toEqual([]);
    expect(servedTree(workshop.mirrorDir)).toEqual(served);
  });

  it('but refuses a file of the same name that nobody published and that is not the image', async () => {
    const workshop = await makeWorkshop(2);
    mkdirSync(workshop.mirrorDir);
    writeFileSync(join(workshop.mirrorDir, NAME), 'somebody put this here');
    const found = sha256(readFileSync(image(workshop)));
    const error = await caught(build(workshop));
    expect(error).toMatchObject({ code: 'NAME_REUSED', data: { path: NAME, found } });
    expect(readFileSync(join(workshop.mirrorDir, NAME), 'utf8')).toBe('somebody put this here');
  });
});

it('a delta whose bytes changed is not named by any index before it is made again', async () => {
  const workshop = await makeWorkshop(2);
  await build(workshop);
  const served = servedTree(workshop.mirrorDir);
  const path = Object.keys(served).find((one) => one.endsWith('.rdiff')) ?? '';
  editInPlace(join(workshop.mirrorDir, path));

  const broken: string[] = [];
  const run = await build(workshop, {
    onEvent(event) {
      if (event.type === 'job-started' && event.kind === 'delta') broken.push(...readClaims(workshop.mirrorDir).broken);
    },
  });
  expect(broken).toEqual([]);
  expect(startedJobs(run)).toEqual([`check-delta ${path}`, `delta ${path}`]);
  expect(eventsOf(run, 'job-finished').map(({ detail }) => detail)[0]).toBe(
    `does not lead from ${dayImage(1)} to ${dayImage(2)}: to be made again`,
  );
  expect(servedTree(workshop.mirrorDir)).toEqual(served);
});

function image({ imagesDir }: Workshop): string {
  return join(imagesDir, NAME);
}

function forgetAll({ mirrorDir }: Workshop): void {
  rmSync(join(mirrorDir, '.update-repository'), { recursive: true });
}

async function expectRefusal(
  workshop: Workshop,
  published: string | undefined,
  link: 'hard' | 'copy' = 'hard',
): Promise<void> {
  const found = sha256(readFileSync(image(workshop)));
  const error = await caught(build(workshop, { link }));
  expect(error).toMatchObject({ code: 'NAME_REUSED', data: { path: NAME, published, found } });
  expect(error.message).toBe(
    `${NAME}: published with sha256 ${published}, and the image now has ${found}: a published name keeps its bytes`,
  );
  expect(error.hint).toContain('--replace');
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
