import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { releaseOfMirror } from '../../src/images/mirror-release.js';
import { writtenIndexes } from './support/events.js';
import { expectAsFresh } from './support/fresh-build.js';
import { build, makeWorkshop, SERIES, type Workshop } from './support/workshop.js';

const META = `meta/${SERIES}.json`;

describe('the release of a mirror', () => {
  it('has both lists of SHA-256 checksums in one stage, after CKSUMS and before index.json', async () => {
    const workshop = await makeWorkshop(2);
    await build(workshop);
    expect(await stagesOf(workshop)).toEqual([[META], ['CKSUMS'], ['SHA256SUMS', 'rdiffs/SHA256SUMS'], ['index.json']]);
  });

  it('has one where there is no delta', async () => {
    const workshop = await makeWorkshop(1);
    await build(workshop);
    expect(await stagesOf(workshop)).toEqual([[META], ['CKSUMS'], ['SHA256SUMS'], ['index.json']]);
  });

  it('is refused while a list is missing', async () => {
    const workshop = await makeWorkshop(2);
    await build(workshop);
    rmSync(join(workshop.mirrorDir, 'rdiffs/SHA256SUMS'));
    await expect(releaseOfMirror(workshop.mirrorDir)).rejects.toMatchObject({
      code: 'CONFIG',
      message: expect.stringContaining('no rdiffs/SHA256SUMS'),
    });
  });

  it('is refused of a mirror whose one list has the deltas too, until a build has parted them', async () => {
    const workshop = await makeWorkshop(2);
    await build(workshop);
    joinLists(workshop);
    await expect(releaseOfMirror(workshop.mirrorDir)).rejects.toMatchObject({
      code: 'CONFIG',
      message: expect.stringMatching(/SHA256SUMS: lists files of rdiffs\/, .*: build the mirror again$/),
    });
    expect(writtenIndexes(await build(workshop))).toEqual(['SHA256SUMS', 'rdiffs/SHA256SUMS']);
    await expectAsFresh(workshop);
    expect(await stagesOf(workshop)).toHaveLength(4);
  });
});

async function stagesOf({ mirrorDir }: Workshop): Promise<string[][]> {
  const { indexStages } = await releaseOfMirror(mirrorDir);
  return indexStages.map((stage) => stage.map(({ path }) => path));
}

/** As earlier versions had it: paths relative to the root. */
function joinLists({ mirrorDir }: Workshop): void {
  const [images, deltas] = [join(mirrorDir, 'SHA256SUMS'), join(mirrorDir, 'rdiffs/SHA256SUMS')];
  writeFileSync(images, `${readFileSync(images)}${readFileSync(deltas, 'utf8').replaceAll('  ', '  rdiffs/')}`);
  rmSync(deltas);
}
