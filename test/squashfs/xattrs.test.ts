import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { requireTools } from '../support/tools.js';
import { openImage, readImage } from './make-image.js';
import { type TarEntry, tarWithXattrs } from './tar-with-xattrs.js';

it('files, folders and links with extended attributes are read like others', async (context) => {
  requireTools(context, 'sqfstar');
  const xattrs = { 'user.comment': 'a value', 'security.capability': 'another' };
  const entries: TarEntry[] = [
    { path: 'folder', type: 'directory', xattrs },
    { path: 'folder/file', type: 'file', content: 'content\n'.repeat(40), xattrs },
    { path: 'folder/large', type: 'file', content: 'large\n'.repeat(50_000), xattrs },
    { path: 'folder/plain', type: 'file', content: 'plain' },
    { path: 'link', type: 'symlink', content: 'folder/plain', xattrs: { 'security.selinux': 'label' } },
  ];
  const path = join(await temporaryDirectory(), 'a.img');
  const options = ['-comp', 'lzo', '-quiet', '-no-progress', '-mkfs-time', '1700000000', path];
  const { SOURCE_DATE_EPOCH: _, ...env } = process.env;
  execFileSync('sqfstar', options, { input: tarWithXattrs(entries), env, stdio: ['pipe', 'ignore', 'inherit'] });

  const image = await openImage(path);
  expect([...(await readImage(image)).keys()].sort()).toEqual(
    ['/folder', ...entries.slice(1).map((entry) => `/${entry.path}`)].sort(),
  );
  for (const entry of entries.filter(({ type }) => type === 'file')) {
    const bytes = await image.readFile(`/${entry.path}`, { maxBytes: 1_000_000 });
    expect(Buffer.from(bytes).toString()).toBe(entry.content);
  }
  expect(await image.readLink('/link')).toBe('folder/plain');
  expect(Buffer.from(await image.readFile('/link', { maxBytes: 10 })).toString()).toBe('plain');
});
