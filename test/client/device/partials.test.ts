import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { discardPartials, partials, partialsOf } from '../../../src/client/device/partials.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';
import { dayImage, dayPublished, metaOf, opened, sha256Hex } from './support/device-directory.js';

const DELTA = 'puavo-os-acme-bookworm-2024-01-01-060000--2024-01-02-060000-amd64.rdiff';
const target = dayPublished(2);
const deltaSha256 = sha256Hex(Buffer.from('delta'));
const checkpoint = { deltaBytes: 50, targetBytes: 300, literalLeft: 7, copyDone: 0 };
const patch = {
  kind: 'patch',
  checkpoint,
  baseSha256: dayPublished(1).sha256,
  deltaSha256,
  targetSha256: target.sha256,
};
const download = { kind: 'download', sha256: target.sha256, sizeBytes: target.size, etag: '"x"' };

/** A device whose partial/ has a file of `bytes` bytes with this record. */
async function withPartial(fileName: string, bytes: number, record: unknown) {
  const dir = await temporaryDirectory();
  const { device, events } = await opened(dir);
  writeFileSync(device.place.partialPath(fileName), Buffer.alloc(bytes));
  const text = typeof record === 'string' ? record : JSON.stringify(record);
  writeFileSync(device.place.partialRecordPath(fileName), text);
  return { device, events };
}

it('tells what a download has left, with members of others passed over', async () => {
  const { device } = await withPartial(dayImage(2), 123, download);
  const record = { kind: 'download', sha256: target.sha256, sizeBytes: target.size };
  expect(await partials(device)).toEqual(new Map([[dayImage(2), { record, bytes: 123 }]]));
});

it('tells of an image that is being made what its checkpoint counts', async () => {
  const { device } = await withPartial(dayImage(2), 512, patch);
  expect(await partials(device)).toEqual(new Map([[dayImage(2), { record: patch, bytes: 300 }]]));
});

it.each([
  { name: 'no JSON', record: '{' },
  { name: 'no object', record: '[]' },
  { name: 'repeated members', record: '{"kind":"download","kind":"patch"}' },
  { name: 'another kind', record: { ...download, kind: 'other' } },
  { name: 'no sha256', record: { ...download, sha256: 'x' } },
  { name: 'a size that is no number', record: { ...download, sizeBytes: '12' } },
  { name: 'fewer bytes than there are', record: { ...download, sizeBytes: 122 } },
  { name: 'a checkpoint past the end', record: { ...patch, checkpoint: { ...checkpoint, targetBytes: 124 } } },
  { name: 'a negative checkpoint', record: { ...patch, checkpoint: { ...checkpoint, deltaBytes: -1 } } },
  { name: 'half a checkpoint', record: { ...patch, checkpoint: { deltaBytes: 1 } } },
  { name: 'no sha256 of the base', record: { ...patch, baseSha256: null } },
  { name: 'too much of it', record: ' '.repeat((1 << 20) + 1) },
])('passes over a file whose record has $name', async ({ record }) => {
  const { device } = await withPartial(dayImage(2), 123, record);
  expect(await partials(device)).toEqual(new Map());
});

it('passes over what is no plain file, or has none', async () => {
  const [dir, elsewhere] = [await temporaryDirectory(), await temporaryDirectory()];
  const { device } = await opened(dir);
  const { place } = device;
  writeFileSync(join(elsewhere, 'secret'), 'x');
  const record = JSON.stringify(download);
  writeFileSync(join(elsewhere, 'record'), record);
  symlinkSync(join(elsewhere, 'secret'), place.partialPath('a.img'));
  writeFileSync(place.partialRecordPath('a.img'), record);
  writeFileSync(place.partialPath('b.img'), 'x');
  symlinkSync(join(elsewhere, 'record'), place.partialRecordPath('b.img'));
  mkdirSync(place.partialPath('c.img'));
  writeFileSync(place.partialRecordPath('c.img'), record);
  writeFileSync(place.partialRecordPath('d.img'), record);
  expect(await partials(device)).toEqual(new Map());
  await discardPartials(device, new Set());
  expect(readdirSync(place.partialDir)).toEqual([]);
  expect(readFileSync(join(elsewhere, 'secret'), 'utf8')).toBe('x');
});

it('is of use while the mirror has the same file under its name', async () => {
  const { device } = await withPartial(dayImage(2), 123, download);
  const meta = metaOf([1, 2]);
  expect(partialsOf(await partials(device), meta)).toEqual({
    bytes: new Map([[dayImage(2), 123]]),
    patches: new Map(),
  });
  const none = { bytes: new Map(), patches: new Map() };
  expect(partialsOf(await partials(device), metaOf([1, 3]))).toEqual(none);
  expect(partialsOf(await partials(device), metaOf([], [{ filename: dayImage(2) }]))).toEqual(none);
});

it('is of use with its delta, where it is being made of one', async () => {
  const { device } = await withPartial(dayImage(2), 512, patch);
  const [image] = metaOf([2]).images;
  if (image === undefined) return expect.fail();
  const withDelta = (sha256: string) => {
    const diffs = [
      { ...image, filename: DELTA, version: dayPublished(1).version, sha256: sha256 as typeof image.sha256 },
    ];
    return { ...metaOf([1]), images: [{ ...image, diffs }] };
  };
  const found = await partials(device);
  expect(partialsOf(found, withDelta(deltaSha256)).patches).toEqual(new Map([[dayImage(2), patch]]));
  expect(partialsOf(found, withDelta(target.sha256)).patches).toEqual(new Map());
});

it('stays when it is to be kept, with its record, and goes otherwise', async () => {
  const { device, events } = await withPartial(dayImage(2), 10, download);
  writeFileSync(device.place.partialPath(DELTA), 'x');
  await discardPartials(device, new Set([dayImage(2)]));
  expect(readdirSync(device.place.partialDir).sort()).toEqual([dayImage(2), `${dayImage(2)}.json`]);
  expect(events).toEqual([{ type: 'file-removed', path: device.place.partialPath(DELTA), sizeBytes: 1 }]);
  await discardPartials(device, new Set());
  expect(existsSync(device.place.partialPath(dayImage(2)))).toBe(false);
});
