import { execFileSync } from 'node:child_process';
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { dailyStamps } from '../support/image-name.js';
import { makeImageSeries } from '../support/image-series.js';
import { pathOfTool, requireTools } from '../support/tools.js';
import { notes } from './support/events.js';
import { build, dayImage, makeWorkshop, STEM } from './support/workshop.js';

describe('a build notes', () => {
  it('once that an image is no squashfs, and what it is instead', async () => {
    const workshop = await makeWorkshop(1);
    writeFileSync(join(workshop.imagesDir, dayImage(2)), Buffer.from(`QFI\xfb${'\0'.repeat(5000)}`, 'latin1'));
    const first = await build(workshop);
    expect(notes(first, 'info')).toEqual([
      `${dayImage(1)}: raw, no squashfs: no puavo-conf`,
      `${dayImage(2)}: qcow2, no squashfs: no puavo-conf`,
    ]);
    expect(notes(await build(workshop), 'info')).toEqual([]);
  });

  it('the files that it leaves alone, each with its reason', async () => {
    const workshop = await makeWorkshop(1);
    writeFileSync(join(workshop.imagesDir, 'README'), '');
    expect(notes(await build(workshop), 'info')).toContain('README: left alone: does not end in .img');
    expect(notes(await build(workshop), 'info')).toEqual(['README: left alone: does not end in .img']);
  });

  it('at every run an image that has another name for itself, since laptops go by that', async (context) => {
    requireTools(context, 'mksquashfs');
    const workshop = await makeWorkshop(0);
    const series = { dir: workshop.imagesDir, stem: STEM, arch: 'amd64', seed: 'name', sizeBytes: 50_000 };
    await makeImageSeries({ ...series, stamps: dailyStamps(1), compressor: 'gzip' });
    expect(notes(await build(workshop))).toEqual([]);

    const renamed = { ...workshop, mirrorDir: join(workshop.folder, 'renamed') };
    renameSync(join(workshop.imagesDir, dayImage(1)), join(workshop.imagesDir, dayImage(2)));
    const warning = `${dayImage(2)}: calls itself ${dayImage(1)} (/etc/puavo-image/name): laptops that boot it will not find their updates`;
    expect(notes(await build(renamed))).toEqual([warning]);
    expect(notes(await build(renamed))).toEqual([warning]);
  });
});

it('an ext4 image is as welcome as any other', async (context) => {
  requireTools(context, 'mke2fs');
  const workshop = await makeWorkshop(0);
  const image = join(workshop.imagesDir, dayImage(1));
  const options = ['-q', '-F', '-t', 'ext4', '-O', '^has_journal'];
  execFileSync(pathOfTool('mke2fs') ?? '', [...options, image, '4m']);
  const run = await build(workshop);
  expect(notes(run, 'info')).toEqual([`${dayImage(1)}: ext4, no squashfs: no puavo-conf`]);
  expect(run.summary.series).toMatchObject([{ images: 1 }]);
});
