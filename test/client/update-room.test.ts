import { copyFileSync, linkSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { plainLayout } from '../../src/client/device/plain-layout.js';
import { puavoLayout } from '../../src/client/device/puavo/puavo-layout.js';
import { type PolicyChoices, policyOf } from '../../src/client/policy/policy.js';
import type { DevicePlace } from '../../src/client/session.js';
import { checkDevice, planDevice } from '../../src/client/update.js';
import type { RepositoryEvent } from '../../src/events.js';
import { runCli } from '../cli/run.js';
import { mountSmallDisk } from '../support/small-disk.js';
import { temporaryDirectory, temporaryDirectoryOfSuite } from '../support/temporary-directory.js';
import { haveTools, requireTools, type Skippable } from '../support/tools.js';
import { startFaultyServer } from './support/faulty-server.js';
import { type BuiltMirror, buildMirrorOf, deltaPathOf, filesOf, updateTo, versionIn } from './support/updates.js';

const IMAGE_BYTES = 1_000_000;
const NEWEST = 4;

describe.skipIf(!haveTools('cksum'))('an update that does not fit', () => {
  const dir = temporaryDirectoryOfSuite();
  let mirror: BuiltMirror;
  let files: ReadonlyMap<string, Buffer>;

  beforeAll(async () => {
    mirror = await buildMirrorOf(NEWEST + 1, dir, 'neighbours', IMAGE_BYTES);
    files = filesOf(mirror);
  }, 60_000);

  const image = (index: number) => String(mirror.images[index]);
  const nameOf = (index: number) => basename(image(index));
  const target = () => versionIn(image(NEWEST));

  /** A device on a disk for its images and a half one: the last of them is current, the one before previous. */
  async function deviceOf(context: Skippable, indexes: readonly number[], layout: 'plain' | 'puavo' = 'plain') {
    const folder = await temporaryDirectory();
    const sizeBytes = Math.round((indexes.length + 0.5) * IMAGE_BYTES);
    const { path, resize } = mountSmallDisk(context, join(folder, 'disk'), sizeBytes);
    for (const index of indexes) copyFileSync(image(index), join(path, nameOf(index)));
    const [previous, current] = indexes.slice(-2).map(nameOf);
    const places = { bootedName: join(folder, 'name'), managedImages: join(folder, 'images.json'), runPreinst: false };
    writeFileSync(places.bootedName, String(current));
    const { point, settle } = (layout === 'puavo' ? puavoLayout(places) : plainLayout)(path);
    await point('current', String(current));
    await point('previous', String(previous));
    await settle({ current: String(current), previous: String(previous) });
    const place: DevicePlace = { dir: path, layout, puavoPlaces: places };
    const server = await startFaultyServer({ files, random: () => 0.5 });
    const source = { urls: [server.url], patience: { attempts: 1, firstPauseMs: 1 } };
    const update = (policy: PolicyChoices = {}) =>
      updateTo(target(), path, source, { device: place, policy: { keep: 9, ...policy } });
    return { path, resize, place, places, server, source, update };
  }

  const imagesIn = (path: string) =>
    readdirSync(path)
      .filter((name) => /^puavo-os.*\.img$/.test(name))
      .sort();
  const named = (...indexes: readonly number[]) => indexes.map(nameOf);
  const isImage = (path: string, index: number) => readFileSync(path).equals(readFileSync(image(index)));
  const roomNotes = (events: readonly RepositoryEvent[]) =>
    events.flatMap((event) => (event.type === 'note' && event.message.includes('to make room') ? [event] : []));

  test('takes the place of the oldest image, and of no other', async (context) => {
    const { path, server, update } = await deviceOf(context, [0, 1, 2, 3]);
    const { summary, events } = await update();
    expect(summary).toMatchObject({ changed: true, to: target() });
    expect(imagesIn(path)).toEqual(named(1, 2, 3, 4));
    expect([readlinkSync(join(path, 'current')), readlinkSync(join(path, 'previous'))]).toEqual(named(4, 3));
    expect(isImage(join(path, 'current'), 4)).toBe(true);
    const [note, ...others] = roomNotes(events);
    expect(note).toMatchObject({
      level: 'info',
      subject: nameOf(0),
      message: expect.stringMatching(/: \d{6,7} bytes$/),
    });
    expect(others).toEqual([]);
    const told = events.map((event) => (event.type === 'job-started' ? event.kind : event.type));
    const order = told.filter((what) => ['path-plan', 'file-removed', 'patch'].includes(what));
    expect(order).toEqual(['path-plan', 'file-removed', 'patch']);
    expect(server.served.filter(({ url }) => url.endsWith('.img'))).toEqual([]);
  });

  test('keeps the previous image unless it may go, and says that it would do', async (context) => {
    const { path, server, update } = await deviceOf(context, [2, 3]);
    for (const makeRoom of [null, 'old', 'never'] as const) {
      await expect(update({ makeRoom })).rejects.toMatchObject({
        code: 'NO_SPACE',
        hint: expect.stringContaining('--make-room previous'),
      });
    }
    expect(imagesIn(path)).toEqual(named(2, 3));
    expect(readlinkSync(join(path, 'previous'))).toBe(nameOf(2));
    expect(server.served.filter(({ url }) => /\.(img|rdiff)$/.test(url))).toEqual([]);
    const { events } = await update({ makeRoom: 'previous' });
    expect(roomNotes(events)).toMatchObject([{ subject: nameOf(2), message: expect.stringContaining('previous') }]);
    expect(imagesIn(path)).toEqual(named(3, 4));
    expect([readlinkSync(join(path, 'current')), readlinkSync(join(path, 'previous'))]).toEqual(named(4, 3));
  });

  test('removes nothing where it may not, or where a hard link of others would keep the bytes', async (context) => {
    const { path, update } = await deviceOf(context, [1, 2, 3]);
    await expect(update({ makeRoom: 'never' })).rejects.toMatchObject({
      code: 'NO_SPACE',
      hint: expect.stringContaining('--make-room old'),
    });
    linkSync(join(path, nameOf(1)), join(path, 'another name'));
    await expect(update({ makeRoom: 'old' })).rejects.toMatchObject({ code: 'NO_SPACE' });
    expect(imagesIn(path)).toEqual(named(1, 2, 3));
  });

  test('is told of by --plan and --check, which remove nothing', async (context) => {
    const { path, place, source } = await deviceOf(context, [1, 2, 3]);
    const events: RepositoryEvent[] = [];
    const onEvent = (event: RepositoryEvent) => void events.push(event);
    const options = { source, device: place, policy: policyOf({}), signal: new AbortController().signal, onEvent };
    expect(await planDevice(options)).toBe(true);
    const check = await checkDevice(options, false);
    expect(check.downloadBytes).toBeGreaterThan(0);
    expect(roomNotes(events)).toMatchObject(
      Array(2).fill({ subject: nameOf(1), message: expect.stringContaining('would be removed') }),
    );
    expect(events.filter(({ type }) => type === 'file-removed')).toEqual([]);
    expect(imagesIn(path)).toEqual(named(1, 2, 3));
    const { code, stderr } = await runCli(['update', '--plan', '--make-room', 'never', String(source.urls[0]), path]);
    expect(code, stderr).toBe(6);
  });

  test('whose download fails leaves the current image and what was fetched', async (context) => {
    const { path, server, update } = await deviceOf(context, [2, 3]);
    const delta = deltaPathOf(image(3), image(4));
    for (const name of server.files.keys()) if (/\.(img|rdiff)$/.test(name)) server.files.delete(name);
    await expect(update({ makeRoom: 'previous' })).rejects.toMatchObject({
      code: expect.stringMatching(/NETWORK|NOT_FOUND/),
    });
    expect(imagesIn(path)).toEqual(named(3));
    expect(readdirSync(path)).not.toContain('previous');
    expect(isImage(join(path, 'current'), 3)).toBe(true);
    server.files.set(delta, files.get(delta) ?? Buffer.alloc(0));
    await update({ makeRoom: 'never' });
    expect(imagesIn(path)).toEqual(named(3, 4));
  });

  test('drops what was fetched of other files before any image', async (context) => {
    const { path, resize, update } = await deviceOf(context, [2, 3]);
    const partial = join(path, '.update-repository', 'partial');
    await expect(update({ makeRoom: 'never' })).rejects.toMatchObject({ code: 'NO_SPACE' });
    resize(IMAGE_BYTES * 3.5);
    writeFileSync(join(partial, nameOf(1)), Buffer.alloc(IMAGE_BYTES * 0.9));
    await expect(update({ makeRoom: 'never' })).rejects.toMatchObject({ code: 'NO_SPACE' });
    const { events } = await update({ makeRoom: 'previous' });
    expect(roomNotes(events)).toMatchObject([{ message: expect.stringContaining('what was fetched of other files') }]);
    expect(imagesIn(path)).toEqual(named(2, 3, 4));
    expect(readdirSync(partial)).toEqual([]);
  });

  describe("in Puavo's layout", () => {
    test('takes the place of the backup', async (context) => {
      requireTools(context, 'flock');
      const { path, update } = await deviceOf(context, [2, 3], 'puavo');
      await update();
      expect(imagesIn(path)).toEqual(named(3, 4));
      expect(isImage(join(path, 'ltsp.img'), 4) && isImage(join(path, 'ltsp-backup.img'), 3)).toBe(true);
      const labels = readdirSync(path).filter((name) => /\.(default|backup)$/.test(name));
      expect(labels.sort()).toEqual([nameOf(3).replace('.img', '.backup'), nameOf(4).replace('.img', '.default')]);
    });

    test('takes the place of an image that did not boot, since the booted one is current again', async (context) => {
      requireTools(context, 'flock');
      const { path, places, update } = await deviceOf(context, [2, 3], 'puavo');
      writeFileSync(places.bootedName, nameOf(2));
      await update({ fallback: 'full' });
      expect(imagesIn(path)).toEqual(named(2, 4));
      expect(isImage(join(path, 'ltsp.img'), 4) && isImage(join(path, 'ltsp-backup.img'), 2)).toBe(true);
    });

    test('removes no image that others need', async (context) => {
      requireTools(context, 'flock');
      const { path, places, server, update } = await deviceOf(context, [1, 2, 3], 'puavo');
      writeFileSync(places.managedImages, JSON.stringify({ 'puavo-os-test': [join(path, nameOf(1))] }));
      writeFileSync(join(path, `${nameOf(2)}.lock`), '');
      await expect(update()).rejects.toMatchObject({ code: 'NO_SPACE' });
      expect(imagesIn(path)).toEqual(named(1, 2, 3));
      expect(server.served.filter(({ url }) => /\.(img|rdiff)$/.test(url))).toEqual([]);
      writeFileSync(places.managedImages, '{}');
      await update();
      expect(imagesIn(path)).toEqual(named(2, 3, 4));
    });

    test('removes none where it cannot be read what others need', async (context) => {
      requireTools(context, 'flock');
      const { path, places, update } = await deviceOf(context, [2, 3], 'puavo');
      writeFileSync(places.managedImages, '{');
      for (const makeRoom of ['never', 'previous'] as const) {
        const hint = expect.stringContaining(places.managedImages);
        await expect(update({ makeRoom })).rejects.toMatchObject({ code: 'NO_SPACE', hint });
        expect(imagesIn(path)).toEqual(named(2, 3));
      }
    });
  });
});
