import { linkSync, renameSync, rmSync, symlinkSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { assertUnchanged, surveyImages } from '../../../src/client/device/survey.js';
import { parseSeriesName } from '../../../src/metadata/brands.js';
import { notes, startedJobs } from '../../images/support/events.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';
import { caught } from './support/caught.js';
import { addImage, dayBytes, dayImage, metaOf, opened, SERIES, textIn } from './support/device-directory.js';

const DAY_2_SIZE = dayBytes(2).length;

it('finds the images that are whole, oldest first, and says nothing of other files', async () => {
  const dir = await temporaryDirectory();
  for (const day of [3, 1]) addImage(dir, day);
  for (const name of ['ltsp.img', 'notes.txt', dayImage(9)]) writeFileSync(join(dir, name), 'x');
  const { device, events } = await opened(dir);
  const present = await surveyImages(device, metaOf([1, 2, 3]));
  expect(present.map(({ filename }) => filename)).toEqual([dayImage(1), dayImage(3)]);
  expect(present[0]).toEqual({
    version: '20240101060000',
    filename: dayImage(1),
    path: join(dir, dayImage(1)),
    sizeBytes: dayBytes(1).length,
    sha256: metaOf([1]).images[0]?.sha256,
  });
  expect(notes({ events })).toEqual([]);
});

it('reads an image once, and again only when something has happened to it', async () => {
  const dir = await temporaryDirectory();
  for (const day of [1, 2]) addImage(dir, day);
  const read = async () => {
    const { device, events } = await opened(dir);
    expect(await surveyImages(device, metaOf([1, 2]))).toHaveLength(2);
    await device.close();
    return startedJobs({ events });
  };
  expect(await read()).toEqual([`digest ${dayImage(1)}`, `digest ${dayImage(2)}`]);
  expect(await read()).toEqual([]);
  linkSync(join(dir, dayImage(1)), join(dir, 'another name'));
  expect(await read()).toEqual([`digest ${dayImage(1)}`]);
  utimesSync(join(dir, dayImage(2)), 1, 1);
  expect(await read()).toEqual([`digest ${dayImage(2)}`]);
  // The same bytes, size and times in another file.
  writeFileSync(join(dir, 'new'), dayBytes(1));
  renameSync(join(dir, 'new'), join(dir, dayImage(1)));
  expect(await read()).toEqual([`digest ${dayImage(1)}`]);
  for (const damage of ['', '{"a":', '[]', JSON.stringify({ 'x.img': {} }), 'null']) {
    writeFileSync(join(dir, '.update-repository', 'images.json'), damage);
    expect(await read()).toHaveLength(2);
  }
});

it.each([
  { name: 'other bytes of the same size', bytes: Buffer.alloc(DAY_2_SIZE), expected: 'expected sha256 ' },
  {
    name: 'another size',
    bytes: Buffer.alloc(5),
    expected: `expected ${DAY_2_SIZE} bytes, as published, found 5 bytes`,
  },
])('tells of one with $name, does not use it, and leaves it', async ({ bytes, expected }) => {
  const dir = await temporaryDirectory();
  addImage(dir, 1);
  writeFileSync(join(dir, dayImage(2)), bytes);
  for (let run = 0; run < 2; run++) {
    const { device, events } = await opened(dir);
    const present = await surveyImages(device, metaOf([1, 2]));
    expect(present.map(({ filename }) => filename)).toEqual([dayImage(1)]);
    expect(notes({ events })).toEqual([expect.stringContaining(`${dayImage(2)}: ${expected}`)]);
    if (run === 1) expect(startedJobs({ events })).toEqual([]);
    await device.close();
  }
  expect(textIn(dir, dayImage(2))).toHaveLength(bytes.length);
});

it('follows no symbolic link', async () => {
  const [dir, elsewhere] = [await temporaryDirectory(), await temporaryDirectory()];
  addImage(elsewhere, 1);
  symlinkSync(join(elsewhere, dayImage(1)), join(dir, dayImage(1)));
  const { device } = await opened(dir);
  expect(await surveyImages(device, metaOf([1]))).toEqual([]);
});

it('still knows an image that the mirror no longer lists, as long as it is as it was', async () => {
  const dir = await temporaryDirectory();
  for (const day of [1, 2]) addImage(dir, day);
  const { device, events } = await opened(dir);
  await surveyImages(device, metaOf([1, 2]));
  expect((await surveyImages(device, metaOf([2]))).map(({ filename }) => filename)).toEqual([dayImage(1), dayImage(2)]);
  truncateSync(join(dir, dayImage(1)), 100);
  expect((await surveyImages(device, metaOf([2]))).map(({ filename }) => filename)).toEqual([dayImage(2)]);
  expect(notes({ events })).toEqual([expect.stringContaining(dayImage(1))]);
});

it('knows an image of another series when a delta starts from it, and only then', async () => {
  const dir = await temporaryDirectory();
  const old = dayImage(1, 'puavo-os-acme-buster');
  writeFileSync(join(dir, old), dayBytes(1));
  addImage(dir, 2);
  const { device } = await opened(dir);
  const buster = { ...metaOf([], [{ filename: old }]), series: parseSeriesName('puavo-os-acme-buster-amd64', 'test') };
  await surveyImages(device, buster);
  const names = async (meta = metaOf([2])) => (await surveyImages(device, meta)).map(({ filename }) => filename);
  expect(await names()).toEqual([dayImage(2)]);
  const [image] = metaOf([2]).images;
  if (image === undefined) return expect.fail();
  const filename = old.replace('-amd64.img', '--2024-01-02-060000-amd64.rdiff');
  const diffs = [{ ...image, filename, version: buster.images[0]?.version ?? image.version }];
  expect(await names({ series: SERIES, images: [{ ...image, diffs }] })).toEqual([old, dayImage(2)]);
});

it('is stopped by an abort while it reads', async () => {
  const dir = await temporaryDirectory();
  writeFileSync(join(dir, dayImage(1)), dayBytes(1, 5 << 20));
  const controller = new AbortController();
  const reason = new Error('stop');
  const { device } = await opened(dir, {
    signal: controller.signal,
    onEvent: ({ type }) => {
      if (type === 'job-progress') controller.abort(reason);
    },
  });
  const meta = metaOf([], [{ filename: dayImage(1), size: dayBytes(1, 5 << 20).length }]);
  await expect(surveyImages(device, meta)).rejects.toBe(reason);
});

it('notices when a base has changed between the comparison and its use', async () => {
  const dir = await temporaryDirectory();
  addImage(dir, 1);
  const { device } = await opened(dir);
  const [image] = await surveyImages(device, metaOf([1]));
  if (image === undefined) return expect.fail();
  await assertUnchanged(device, image);
  writeFileSync(join(dir, dayImage(1)), Buffer.alloc(dayBytes(1).length));
  const changed = await caught(assertUnchanged(device, image));
  expect(changed).toMatchObject({
    code: 'VERIFICATION',
    message: expect.stringMatching(/img: expected .*it changed since$/),
  });
  rmSync(join(dir, dayImage(1)));
  await expect(assertUnchanged(device, image)).rejects.toMatchObject({ message: expect.stringMatching(/found none$/) });
});
