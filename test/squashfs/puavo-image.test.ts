import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { readPuavoImage } from '../../src/squashfs/puavo-image.js';
import type { Squashfs } from '../../src/squashfs/squashfs.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { requireTools } from '../support/tools.js';
import { openImage, packTree } from './make-image.js';

const DEFINITIONS = '/usr/share/puavo-conf/definitions';

/** An image of files (path to content) and symbolic links (path to `{ to }`). */
async function imageOfFiles(
  files: Readonly<Record<string, string | Buffer | { readonly to: string }>>,
): Promise<Squashfs> {
  const folder = await temporaryDirectory();
  const tree = join(folder, 'tree');
  mkdirSync(tree);
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(tree, path)), { recursive: true });
    if (typeof content === 'string' || Buffer.isBuffer(content)) writeFileSync(join(tree, path), content);
    else symlinkSync(content.to, join(tree, path));
  }
  packTree(tree, join(folder, 'a.img'), '-comp', 'lzo');
  return openImage(join(folder, 'a.img'));
}

it('definition files come sorted bytewise, and the name without blanks round it', async (context) => {
  requireTools(context, 'mksquashfs');
  const image = await imageOfFiles({
    [`${DEFINITIONS}/puavo-b.json`]: '{"b": {}}',
    [`${DEFINITIONS}/puavo-a.json`]: '{"ä": {}}\n',
    [`${DEFINITIONS}/puavo.json`]: '{}',
    [`${DEFINITIONS}/Z.json`]: '',
    [`${DEFINITIONS}/é.json`]: { to: '/opt/real' },
    [`${DEFINITIONS}/.hidden.json`]: 'no definition',
    [`${DEFINITIONS}/README`]: 'no definition',
    '/opt/real': 'linked',
    '/etc/puavo-image/name': '  puavo-os-acme-buster-2022-01-17-120001-amd64.img\n',
  });
  expect(await readPuavoImage(image)).toEqual({
    innerName: 'puavo-os-acme-buster-2022-01-17-120001-amd64.img',
    definitionFiles: [
      { path: `${DEFINITIONS}/Z.json`, text: '' },
      { path: `${DEFINITIONS}/puavo-a.json`, text: '{"ä": {}}\n' },
      { path: `${DEFINITIONS}/puavo-b.json`, text: '{"b": {}}' },
      { path: `${DEFINITIONS}/puavo.json`, text: '{}' },
      { path: `${DEFINITIONS}/é.json`, text: 'linked' },
    ],
  });
});

it('an image without either has no name and no definitions', async (context) => {
  requireTools(context, 'mksquashfs');
  const image = await imageOfFiles({ '/etc/hostname': 'x' });
  expect(await readPuavoImage(image)).toEqual({ innerName: null, definitionFiles: [] });
});

it.for([
  [
    'is no UTF-8',
    { [`${DEFINITIONS}/x.json`]: Buffer.from('{"\xe4": {}}', 'latin1') },
    'expected text in UTF-8, found other bytes',
  ],
  [
    'is a link to nowhere',
    { [`${DEFINITIONS}/x.json`]: { to: 'y' } },
    'expected a definition file, found a link to nowhere',
  ],
] as const)('a definition file that %s is refused', async ([, files, message], context) => {
  requireTools(context, 'mksquashfs');
  const image = await imageOfFiles(files);
  await expect(readPuavoImage(image)).rejects.toMatchObject({
    code: 'FORMAT',
    message: `test.img: ${DEFINITIONS}/x.json: ${message}`,
  });
});

it('a definition file of more than 1 MiB is refused', async (context) => {
  requireTools(context, 'mksquashfs');
  const largest = await imageOfFiles({ [`${DEFINITIONS}/x.json`]: Buffer.alloc(1_048_576, ' ') });
  expect((await readPuavoImage(largest)).definitionFiles[0]?.text).toHaveLength(1_048_576);
  const larger = await imageOfFiles({ [`${DEFINITIONS}/x.json`]: Buffer.alloc(1_048_577, ' ') });
  await expect(readPuavoImage(larger)).rejects.toMatchObject({
    code: 'FORMAT',
    message: `test.img: expected "${DEFINITIONS}/x.json" to have at most 1048576 bytes, found 1048577`,
  });
});

it('a folder in place of a definition file is refused', async (context) => {
  requireTools(context, 'mksquashfs');
  const image = await imageOfFiles({ [`${DEFINITIONS}/x.json/inside`]: '' });
  await expect(readPuavoImage(image)).rejects.toMatchObject({ code: 'FORMAT' });
});

/** An image that is only claimed: `count` definition files of `bytes` each. */
function claimedImage(count: number, bytes: Uint8Array): Squashfs {
  const missing = async () => Promise.reject(new Error('not asked for'));
  return {
    name: 'claimed.img',
    info: {
      compressor: 'lzo',
      blockSizeBytes: 131_072,
      bytesUsed: 1,
      inodeCount: 1,
      createdAtSeconds: 0,
      versionMajor: 4,
      versionMinor: 0,
    },
    list: async () => Array.from({ length: count }, (_, i) => ({ name: `${i}.json`, type: 'file' as const })),
    readFile: async () => bytes,
    readLink: missing,
    stat: missing,
  };
}

it('more than 10,000 definition files are refused, and more than 64 MiB in all', async () => {
  const small = new Uint8Array(2);
  expect((await readPuavoImage(claimedImage(10_000, small))).definitionFiles).toHaveLength(10_000);
  await expect(readPuavoImage(claimedImage(10_001, small))).rejects.toMatchObject({
    code: 'FORMAT',
    message: `claimed.img: ${DEFINITIONS}: expected at most 10000 definition files, found 10001`,
  });
  const large = new Uint8Array(1_048_576);
  expect((await readPuavoImage(claimedImage(64, large))).definitionFiles).toHaveLength(64);
  await expect(readPuavoImage(claimedImage(65, large))).rejects.toMatchObject({ code: 'FORMAT' });
});
