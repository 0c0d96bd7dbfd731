import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { releaseOfMirror } from '../../src/images/mirror-release.js';
import { refresh, signedWorkshop } from './support/signed-workshop.js';
import { addImages, build, prune, verify } from './support/workshop.js';

describe('a signed mirror where somebody put', () => {
  it.each([
    { what: 'a FIFO', put: (path: string) => execFileSync('mkfifo', [path]), found: 'something else' },
    { what: 'a link', put: (path: string) => symlinkSync('1.root.json', path), found: 'a symbolic link' },
    { what: 'a directory', put: (path: string) => mkdirSync(path), found: 'something else' },
  ])('$what in the place of metadata is not signed, refreshed or published', async ({ put, found }) => {
    const workshop = await signedWorkshop();
    const { mirrorDir, ring } = workshop;
    await addImages(workshop, [3]);
    for (const name of ['timestamp.json', '1.snapshot.json', '1.root.json', '2.root.json']) {
      const path = join(mirrorDir, 'metadata', name);
      const isThere = name !== '2.root.json';
      if (isThere) renameSync(path, `${mirrorDir}.kept`);
      put(path);
      const refused = { message: `${path}: expected a plain file, found ${found}` };
      await expect(build(workshop, { sign: ring })).rejects.toMatchObject(refused);
      await expect(refresh(mirrorDir, ring)).rejects.toMatchObject(refused);
      await expect(releaseOfMirror(mirrorDir)).rejects.toMatchObject(refused);
      const verified = verify(workshop).then(({ summary }) => summary.errors);
      if (found === 'a symbolic link') await expect(verified).rejects.toMatchObject(refused);
      else expect(await verified).toBeGreaterThan(0);
      rmSync(path, { recursive: true });
      if (isThere) renameSync(`${mirrorDir}.kept`, path);
    }
    await build(workshop, { sign: ring });
    expect((await verify(workshop)).summary.errors).toBe(0);
  });

  it('a link in the place of a directory of metadata reaches nothing by it', async () => {
    const workshop = await signedWorkshop();
    const { mirrorDir, folder, ring } = workshop;
    await addImages(workshop, [3]);
    for (const directory of ['metadata', 'metadata/meta']) {
      const path = join(mirrorDir, directory);
      const elsewhere = join(folder, 'elsewhere');
      renameSync(path, elsewhere);
      symlinkSync(elsewhere, path);
      const before = readdirSync(elsewhere);
      const refused = { code: 'FORMAT', message: `${path}: expected a directory, found a symbolic link` };
      await expect(build(workshop, { sign: ring })).rejects.toMatchObject(refused);
      await expect(releaseOfMirror(mirrorDir)).rejects.toMatchObject(
        directory === 'metadata' ? refused : { code: 'CONFIG' },
      );
      await expect(prune(workshop)).rejects.toMatchObject(refused);
      expect(readdirSync(elsewhere)).toEqual(before);
      rmSync(path);
      renameSync(elsewhere, path);
    }
  });
});
