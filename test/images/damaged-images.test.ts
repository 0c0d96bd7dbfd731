import { appendFileSync, chmodSync, linkSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RepositoryEvent } from 'update-repository';
import { describe, expect, it } from 'vitest';
import { dailyStamps } from '../support/image-name.js';
import { makeImageSeries } from '../support/image-series.js';
import { readClaims } from '../support/mirror-claims.js';
import { servedTree } from '../support/served-tree.js';
import { requireTools } from '../support/tools.js';
import { caught } from './support/caught.js';
import { expectAsFresh } from './support/fresh-build.js';
import { buildAsNobody } from './support/nobody.js';
import { editInPlace } from './support/tamper.js';
import { addImages, build, dayImage, makeWorkshop, prune, STEM, verify, type Workshop } from './support/workshop.js';

describe('an image that cannot be published stops the build with an error that names it', () => {
  it('when it is a squashfs that was cut off', async (context) => {
    requireTools(context, 'mksquashfs');
    const workshop = await makeWorkshop(0);
    const series = { dir: workshop.imagesDir, stem: STEM, arch: 'amd64', seed: 'cut', sizeBytes: 200_000 };
    await makeImageSeries({ ...series, stamps: dailyStamps(2), compressor: 'gzip' });
    truncateSync(join(workshop.imagesDir, dayImage(2)), 100_000);

    const error = await caught(build(workshop));
    expect(error).toMatchObject({ code: 'FORMAT' });
    expect(error.message).toContain(dayImage(2));
    expect(error.message).toMatch(/100000/);
    expect(error.message).not.toContain('\n');
    await expectUnpublished(workshop, dayImage(2));
  });

  it('when it is empty', async () => {
    const workshop = await makeWorkshop(1);
    writeFileSync(join(workshop.imagesDir, dayImage(2)), '');
    const error = await caught(build(workshop));
    const path = join(workshop.imagesDir, dayImage(2));
    expect(error).toMatchObject({ code: 'FORMAT', message: `${path}: expected an image, found an empty file` });
    await expectUnpublished(workshop, dayImage(2));
  });

  it('when it only begins like a squashfs', async () => {
    const workshop = await makeWorkshop(1);
    writeFileSync(join(workshop.imagesDir, dayImage(2)), `hsqs${'x'.repeat(5000)}`);
    const error = await caught(build(workshop));
    expect(error).toMatchObject({ code: 'FORMAT', message: expect.stringContaining(dayImage(2)) });
    await expectUnpublished(workshop, dayImage(2));
  });

  it.each(['hard', 'copy'] as const)(
    'when it grows while it is read (%s), and the next build takes all of it',
    async (link) => {
      const workshop = await makeWorkshop(2);
      const image = join(workshop.imagesDir, dayImage(2));
      const onEvent = once(isJob('examine', dayImage(2)), () => appendFileSync(image, 'more'));

      const error = await caught(build(workshop, { link, onEvent }));
      expect(error).toMatchObject({ code: 'CHANGED_WHILE_READ', data: { path: image } });
      await expectUnpublished(workshop, dayImage(2));
      await build(workshop, { link });
      await expectAsFresh(workshop);
    },
  );

  it.each([
    ['', (image: string) => appendFileSync(image, 'more')],
    [' and gets its old mtime back', editInPlace],
  ] as const)('when it changes while a delta is made from it%s', async (_, change) => {
    const workshop = await makeWorkshop(2);
    const onEvent = once(isJob('delta'), () => change(join(workshop.imagesDir, dayImage(1))));
    const deltas = { kind: 'latest', count: 1 } as const;
    const error = await caught(build(workshop, { link: 'hard', deltas, onEvent }));
    expect(error).toMatchObject({ code: 'CHANGED_WHILE_READ', data: { path: join(workshop.mirrorDir, dayImage(1)) } });
    expect(servedTree(workshop.mirrorDir)).not.toHaveProperty('CKSUMS');
    expect(readdirSync(join(workshop.mirrorDir, '.update-repository', 'tmp'))).toEqual([]);
  });

  it('when it vanishes before it is read', async () => {
    const workshop = await makeWorkshop(2);
    const image = join(workshop.imagesDir, dayImage(2));
    const onEvent = once(isJob('examine', dayImage(2)), () => rmSync(image));
    const error = await caught(build(workshop, { onEvent }));
    expect(error).toMatchObject({ code: 'CHANGED_WHILE_READ' });
    expect(error.message).toContain(image);
    await expectUnpublished(workshop, dayImage(2));
  });

  it('when it may not be read', async (context) => {
    const workshop = await makeWorkshop(2);
    const image = join(workshop.imagesDir, dayImage(2));
    chmodSync(image, 0);
    const { code, stderr } = await buildAsNobody(context, workshop);
    expect(stderr).toContain(`${image}`);
    expect(stderr).toContain('permission denied');
    expect(code).toBe(1);
  });
});

describe('a mirror that was valid before stays so', () => {
  it('when a new image is damaged, and is completed once the image is good', async () => {
    const workshop = await makeWorkshop(2);
    await build(workshop);
    const before = servedTree(workshop.mirrorDir);
    writeFileSync(join(workshop.imagesDir, dayImage(3)), `hsqs${'x'.repeat(5000)}`);
    const failed = await caught(build(workshop));
    expect(failed.code).toBe('FORMAT');
    expect(servedTree(workshop.mirrorDir)).toEqual(before);

    await addImages(workshop, [3]);
    await build(workshop);
    await expectAsFresh(workshop);
  });

  it('when it is stopped at any job, and the next build completes it', async () => {
    const workshop = await makeWorkshop(2);
    await build(workshop);
    await addImages(workshop, [3]);
    for (let jobs = 1; jobs <= 3; jobs++) {
      const stop = new AbortController();
      let started = 0;
      const onEvent = ({ type }: RepositoryEvent) => {
        if (type === 'job-started' && ++started === jobs) stop.abort();
      };
      const error = await caught(build(workshop, { signal: stop.signal, onEvent, resources: ONE_JOB }));
      expect(error.code).toBe('INTERRUPTED');
      expect(readClaims(workshop.mirrorDir).broken).toEqual([]);
      expect((await verify(workshop)).summary.errors).toBe(0);
      await build(workshop);
      await expectAsFresh(workshop);
      rmSync(join(workshop.imagesDir, dayImage(3)));
      await build(workshop);
      await prune(workshop);
      await addImages(workshop, [3]);
    }
  });
});

it('another link to an image, made while a delta is made from it, stops nothing', async () => {
  const workshop = await makeWorkshop(2);
  const link = () => linkSync(join(workshop.imagesDir, dayImage(1)), join(workshop.folder, 'link.img'));
  const onEvent = once(isJob('delta'), link);
  await build(workshop, { link: 'hard', onEvent });
  await expectAsFresh(workshop);
});

const ONE_JOB = { jobs: 1, memoryBytes: 2 ** 30 };

function isJob(kind: 'examine' | 'delta', path?: string): (event: RepositoryEvent) => boolean {
  return (event) => event.type === 'job-started' && event.kind === kind && (path === undefined || event.path === path);
}

/** A sink that does something before the first such event is over. */
function once(isMeant: (event: RepositoryEvent) => boolean, act: () => void): (event: RepositoryEvent) => void {
  let done = false;
  return (event) => {
    if (done || !isMeant(event)) return;
    done = true;
    act();
  };
}

/** No index names the image, and nothing half-made is left. */
async function expectUnpublished({ mirrorDir }: Workshop, image: string): Promise<void> {
  const { broken, named } = readClaims(mirrorDir);
  expect(broken).toEqual([]);
  expect([...named.keys()]).not.toContain(image);
  expect(readdirSync(join(mirrorDir, '.update-repository', 'tmp'))).toEqual([]);
  expect(readdirSync(join(mirrorDir, '.update-repository'))).not.toContain('lock');
}
