import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { servedTree } from '../support/served-tree.js';
import { caught } from './support/caught.js';
import { selectionOf } from './support/config.js';
import { notes } from './support/events.js';
import { addImages, build, dayImage, makeWorkshop, SERIES } from './support/workshop.js';

describe('a build is refused', () => {
  it.each(['as it is', 'by another path', 'by a symbolic link'])(
    'when the mirror is the image directory, %s',
    async (way) => {
      const workshop = await makeWorkshop(1);
      symlinkSync('images', join(workshop.folder, 'link'));
      const mirrorDirs: Record<string, string> = {
        'as it is': workshop.imagesDir,
        'by another path': `${workshop.folder}/./images/../images/`,
        'by a symbolic link': join(workshop.folder, 'link'),
      };
      const error = await caught(build({ ...workshop, mirrorDir: mirrorDirs[way] ?? '' }));
      expect(error).toMatchObject({ code: 'CONFIG', message: expect.stringContaining('in one') });
      expect(Object.keys(servedTree(workshop.imagesDir))).toEqual([dayImage(1)]);
    },
  );

  it('when there is no image, and says what images are called', async () => {
    const workshop = await makeWorkshop(0);
    const error = await caught(build(workshop));
    expect(error).toMatchObject({ code: 'NOT_FOUND', message: expect.stringContaining('YYYY-MM-DD-HHMMSS') });
    const selection = { configPaths: [], executableOnly: true };
    await addImages(workshop, [1]);
    const executable = await caught(build(workshop, { selection }));
    expect(executable).toMatchObject({ code: 'NOT_FOUND', hint: expect.stringContaining('chmod +x') });
    expect(servedTree(workshop.mirrorDir)).toEqual({});
  });

  it('when there is no image directory', async () => {
    const workshop = await makeWorkshop(1);
    const error = await caught(build({ ...workshop, imagesDir: join(workshop.folder, 'absent') }));
    expect(error).toMatchObject({ code: 'NOT_FOUND', message: expect.stringContaining('absent') });
  });

  it('when the mirror is a file', async () => {
    const workshop = await makeWorkshop(1);
    writeFileSync(workshop.mirrorDir, '');
    const error = await caught(build(workshop));
    expect(error.code).toBe('IO');
    expect(error.message).toContain(workshop.mirrorDir);
  });

  it('when a series has two images of one version, naming both', async () => {
    const workshop = await makeWorkshop(1);
    const twin = dayImage(1, 'puavo-os-other-bookworm');
    await addImages(workshop, [1], { stem: 'puavo-os-other-bookworm' });
    const error = await caught(
      build(workshop, { selection: selectionOf(workshop, { [SERIES]: [dayImage(1), twin] }) }),
    );
    expect(error).toMatchObject({ code: 'NAME' });
    expect(error.message).toContain(dayImage(1));
    expect(error.message).toContain(twin);
  });

  it('when another build holds the mirror, which goes on undisturbed', async () => {
    const workshop = await makeWorkshop(2);
    let refused: Promise<{ code: string; message: string }> | undefined;
    const first = await build(workshop, {
      onEvent({ type }) {
        if (type === 'job-started') refused ??= caught(build(workshop));
      },
    });
    expect(await refused).toMatchObject({ code: 'LOCKED', message: expect.stringContaining(String(process.pid)) });
    expect(first.summary.failures).toBe(0);
    expect((await build(workshop)).summary.changed).toBe(false);
  });
});

it('the mirror may lie in the image directory, where it is by default', async () => {
  const workshop = await makeWorkshop(2);
  const mirrorDir = join(workshop.imagesDir, 'mirror');
  expect(notes(await build({ ...workshop, mirrorDir }))).toEqual([]);
  expect((await build({ ...workshop, mirrorDir })).summary.changed).toBe(false);
});

it('a mirror that is there already keeps what is in it', async () => {
  const workshop = await makeWorkshop(1);
  mkdirSync(join(workshop.mirrorDir, 'distfiles'), { recursive: true });
  writeFileSync(join(workshop.mirrorDir, 'distfiles', 'a.tar'), 'foreign');
  await build(workshop);
  expect(Object.keys(servedTree(workshop.mirrorDir))).toContain('distfiles/a.tar');
});
