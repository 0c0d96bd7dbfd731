import { spawnSync } from 'node:child_process';
import { pack } from 'tar-stream';
import { expect, it } from 'vitest';
import { memberHeader } from '../../../src/client/bundle/member-header.js';
import { TarReader } from '../../../src/client/bundle/tar-reader.js';
import { requireTools } from '../../support/tools.js';

const MOST_OF_USTAR = 8 ** 11 - 1;

/** The beginning of an archive whose member is of `size`. */
async function beginning(name: string, size: number): Promise<Buffer> {
  const archive = pack();
  archive.entry(memberHeader(name, size)).write(Buffer.alloc(512));
  const all: Buffer[] = [];
  for (let turn = 0; turn < 20; turn += 1) {
    for (let piece = archive.read(); piece !== null; piece = archive.read()) all.push(piece as Buffer);
    await new Promise((resolve) => setImmediate(resolve));
  }
  return Buffer.concat(all);
}

it.for([
  ['small.img', 5],
  ['most-of-ustar.img', MOST_OF_USTAR],
  ['beyond-ustar.img', MOST_OF_USTAR + 1],
  ['huge.img', 2 ** 52 + 1],
  [`${'long-'.repeat(40)}.img`, 5],
] as const)('%s says its size to GNU tar and to us', async ([name, size], context) => {
  requireTools(context, 'tar');
  const bytes = await beginning(name, size);
  const reader = new TarReader(
    (async function* () {
      yield bytes;
    })(),
    'x.tar',
  );
  expect(await reader.next()).toMatchObject({ name, sizeBytes: size, isFile: true });
  await reader.close();
  const { stdout } = spawnSync('tar', ['--list', '--verbose', '--file', '-'], { input: bytes, encoding: 'utf8' });
  expect(stdout).toMatch(new RegExp(`^-rw-r--r-- 0/0 +${size} 1970-01-01 00:00 ${name}\n$`));
});

it('uses pax only where ustar has no room', async () => {
  expect((await beginning('a.img', MOST_OF_USTAR)).toString('latin1')).not.toContain('PaxHeader');
  expect((await beginning('a.img', MOST_OF_USTAR + 1)).toString('latin1')).toContain(`size=${MOST_OF_USTAR + 1}\n`);
});
