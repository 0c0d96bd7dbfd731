import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { scanImages, unreadableNotes } from '../../src/images/scan.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

const IMAGE = 'puavo-os-acme-bookworm-2024-01-01-060000-amd64.img';
const OTHER = 'ltsp-acme-trusty-2016-01-21-120716-i386.img';
const ALL = { executableOnly: false };

describe('the scan of an image directory', () => {
  it('finds images of any prefix in the order of their names, with what stat tells of them', async () => {
    const dir = await directoryOf(IMAGE, OTHER);
    const { images, notes } = await scanImages(dir, ALL);
    expect([...images.keys()]).toEqual([OTHER, IMAGE]);
    expect(images.get(IMAGE)).toMatchObject({
      path: join(dir, IMAGE),
      name: { stem: 'puavo-os-acme-bookworm', version: '20240101060000', series: 'puavo-os-acme-bookworm-amd64' },
      identity: { sizeBytes: IMAGE.length },
      mode: 0o644,
    });
    expect(notes).toEqual([]);
  });

  it('passes directories over without a word, whatever they are called', async () => {
    const dir = await directoryOf(IMAGE);
    mkdirSync(join(dir, 'mirror'));
    mkdirSync(join(dir, OTHER));
    expect(await scanImages(dir, ALL)).toMatchObject({ images: { size: 1 }, notes: [] });
  });

  it('leaves alone what is no image, each with one note and its reason', async () => {
    const dir = await directoryOf(IMAGE, 'README', 'base.img', '.hidden.img', `${OTHER}.tmp`);
    symlinkSync('nowhere', join(dir, OTHER));
    const { images, notes } = await scanImages(dir, ALL);
    expect([...images.keys()]).toEqual([IMAGE]);
    expect(notes.map(({ subject, level, message }) => `${level} ${subject}: ${message}`)).toEqual([
      'info .hidden.img: left alone: is hidden',
      'info README: left alone: does not end in .img',
      'info base.img: left alone: carries no stamp YYYY-MM-DD-HHMMSS',
      `info ${OTHER}: left alone: not a regular file`,
      `info ${OTHER}.tmp: left alone: does not end in .img`,
    ]);
  });

  it('follows symbolic links to images', async () => {
    const dir = await directoryOf('store');
    symlinkSync('store', join(dir, IMAGE));
    const { images } = await scanImages(dir, ALL);
    expect(images.get(IMAGE)?.identity.sizeBytes).toBe('store'.length);
  });

  it('takes only images with an execute bit where that is the publish flag', async () => {
    const dir = await directoryOf(IMAGE, OTHER);
    chmodSync(join(dir, OTHER), 0o654);
    const { images, notes } = await scanImages(dir, { executableOnly: true });
    expect([...images.keys()]).toEqual([OTHER]);
    expect(notes).toMatchObject([{ subject: IMAGE, message: 'left alone: no execute bit, which -c asks for' }]);
  });

  it.each([
    ['two stamps', 'puavo-os-acme-2024-01-01-060000-2024-01-02-060000-amd64.img', 'carries more than one stamp'],
    ['a leading dash', '-os-acme-2024-01-01-060000-amd64.img', 'dash'],
    ['a blank', 'puavo os-acme-2024-01-01-060000-amd64.img', 'has'],
    ['a control character', 'puavo-os\n-acme-2024-01-01-060000-amd64.img', 'has'],
    ['no architecture', 'puavo-os-acme-2024-01-01-060000.img', 'does not have its stamp between dashes'],
  ])('refuses a name with %s, on one line', async (_, name, reason) => {
    const dir = await directoryOf(IMAGE, name);
    const error: unknown = await scanImages(dir, ALL).catch((failure: unknown) => failure);
    expect(error).toMatchObject({ code: 'NAME', data: { path: join(dir, name) } });
    expect(String(error)).toContain(reason);
    expect(String(error)).not.toContain('\n');
  });

  it('says that a directory is not there, or is none', async () => {
    const dir = await directoryOf('file');
    await expect(scanImages(join(dir, 'absent'), ALL)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(scanImages(join(dir, 'file'), ALL)).rejects.toMatchObject({
      code: 'IO',
      message: `${join(dir, 'file')}: cannot list the images: not a directory`,
    });
  });
});

it('images that not everybody may read are warned of, with their mode', async () => {
  const dir = await directoryOf(IMAGE, OTHER);
  chmodSync(join(dir, OTHER), 0o600);
  const { images } = await scanImages(dir, ALL);
  expect(unreadableNotes(images.values())).toMatchObject([
    { level: 'warning', subject: OTHER, message: expect.stringContaining('mode 600') },
  ]);
});

/** A directory with files of these names, which are their contents. */
async function directoryOf(...names: readonly string[]): Promise<string> {
  const dir = await temporaryDirectory();
  for (const name of names) {
    writeFileSync(join(dir, name), name);
    chmodSync(join(dir, name), 0o644);
  }
  return dir;
}
