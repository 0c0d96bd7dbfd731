import { linkSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { readClaims } from '../support/mirror-claims.js';
import { caught } from './support/caught.js';
import { expectAsFresh } from './support/fresh-build.js';
import { addImages, build, dayImage, makeWorkshop, verify } from './support/workshop.js';

it('a second build of the same mirror is refused while the first one works', async () => {
  const workshop = await makeWorkshop(3);
  let second: Promise<unknown> | undefined;
  await build(workshop, {
    onEvent(event) {
      if (event.type === 'job-finished') second ??= caught(build(workshop));
    },
  });
  expect(await second).toMatchObject({ code: 'LOCKED' });
  await expectAsFresh(workshop);
});

it('a build whose lock was broken changes nothing any more', async () => {
  const workshop = await makeWorkshop(2);
  await build(workshop);
  await addImages(workshop, [3]);
  let other: Promise<unknown> | undefined;
  const first = build(workshop, {
    deltas: { kind: 'all' },
    onEvent(event) {
      if (event.type !== 'job-finished' || other !== undefined) return;
      rmSync(join(workshop.imagesDir, dayImage(3)));
      other = build(workshop, { breakLock: true, prune: { graceMs: 0 } });
    },
  });
  expect(await caught(first)).toMatchObject({
    code: 'LOCKED',
  });
  await other;
  expect(readClaims(workshop.mirrorDir).broken).toEqual([]);
  expect((await verify(workshop)).summary.errors).toBe(0);
});

it('two mirrors are built of one image directory at once, though each link touches the images', async () => {
  const workshop = await makeWorkshop(4);
  const mirrors = ['a', 'b'].map((name) => ({ ...workshop, mirrorDir: join(workshop.folder, name) }));
  await Promise.all(mirrors.map((mirror) => build(mirror, { deltas: { kind: 'all' } })));
  for (const mirror of mirrors) await expectAsFresh(mirror, { deltas: { kind: 'all' } });
});

it('an image that stands under two names is published under both', async () => {
  const workshop = await makeWorkshop(1);
  linkSync(join(workshop.imagesDir, dayImage(1)), join(workshop.imagesDir, dayImage(2)));
  await build(workshop);
  await expectAsFresh(workshop);
});

it('an image that is taken away after it was linked does not stop the build', async () => {
  const workshop = await makeWorkshop(3);
  const first = join(workshop.imagesDir, dayImage(1));
  const run = await build(workshop, {
    onEvent(event) {
      if (event.type === 'job-started' && event.kind === 'delta') rmSync(first, { force: true });
    },
  });
  expect(run.summary.deltasMade).toBe(4 - 1);
  expect(readClaims(workshop.mirrorDir).broken).toEqual([]);
  renameSync(join(workshop.mirrorDir, dayImage(1)), first);
});
