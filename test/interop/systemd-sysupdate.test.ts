import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { generateSecretKey } from '../../src/trust/openpgp/generate-key.js';
import { openKeySigner } from '../../src/trust/openpgp/key-signer.js';
import { signLists } from '../../src/trust/openpgp/sign-lists.js';
import { Passphrase } from '../../src/trust/passphrase.js';
import { startWebServer } from '../images/support/web-server.js';
import { build, dayDeltaPath, dayImage, makeWorkshop, STEM } from '../images/support/workshop.js';
import { temporaryDirectory, temporaryDirectoryOfSuite } from '../support/temporary-directory.js';
import type { Skippable } from '../support/tools.js';
import { copyTrixieRoot, type Ran, runInRoot } from './trixie-root.js';

const NEWEST = dayImage(3);

describe('systemd-sysupdate of Debian trixie, with the key of a mirror', () => {
  const folder = temporaryDirectoryOfSuite();
  const mirror = join(folder, 'mirror');

  beforeAll(async () => {
    await build(await makeWorkshop(3, { folder }));
    await sign(folder, mirror);
  });

  it('is systemd 257', async (context) => {
    const root = await copyTrixieRoot(context, await temporaryDirectory());
    expect((await runInRoot(root, SYSUPDATE, '--version')).said).toMatch(/^systemd 257 /);
  }, 300_000);

  it('installs the newest image of a mirror that has deltas', async (context) => {
    expect(existsSync(join(mirror, dayDeltaPath(2, 3)))).toBe(true);
    const { code, said, images, root } = await update(context, mirror);
    expect(code, said).toBe(0);
    expect(said).toContain('Signature verification succeeded.');
    expect(images).toEqual([NEWEST]);
    expect(readFileSync(join(root, 'images', NEWEST)).equals(readFileSync(join(mirror, NEWEST)))).toBe(true);
  }, 300_000);

  it('refuses an image with one changed byte', async (context) => {
    const { code, said, images } = await update(context, mirror, NEWEST);
    expect(code).not.toBe(0);
    expect(said).toContain('Signature verification succeeded.');
    expect(said).toMatch(/Checksum of .*\.img file did not check out/);
    expect(images).toEqual([]);
  }, 300_000);

  it('refuses a SHA256SUMS with one changed byte', async (context) => {
    const { code, said, images } = await update(context, mirror, 'SHA256SUMS');
    expect(code).not.toBe(0);
    expect(said).not.toContain('Signature verification succeeded.');
    expect(said).toMatch(/BAD signature/i);
    expect(images).toEqual([]);
  }, 300_000);

  it('refuses a SHA256SUMS that has deltas too, for which they have a list of their own', async (context) => {
    const other = await temporaryDirectory();
    const list = readFileSync(join(mirror, 'SHA256SUMS'), 'utf8');
    const deltas = readFileSync(join(mirror, 'rdiffs/SHA256SUMS'), 'utf8').replaceAll('  ', '  rdiffs/');
    writeFileSync(join(other, 'SHA256SUMS'), list + deltas);
    await sign(other, other);
    const { code, said, images } = await update(context, other);
    expect(code).not.toBe(0);
    expect(said).toContain('Signature verification succeeded.');
    expect(said).toMatch(/Invalid filename specified/);
    expect(images).toEqual([]);
  }, 300_000);
});

const SYSUPDATE = '/usr/lib/systemd/systemd-sysupdate';

interface Updated extends Ran {
  readonly root: string;
  /** What is in the directory of images afterwards. */
  readonly images: readonly string[];
}

/** Lets a fresh root update from a mirror that a web server shows, with one byte of `flipped` changed. */
async function update(context: Skippable, mirror: string, flipped?: string): Promise<Updated> {
  const root = await copyTrixieRoot(context, await temporaryDirectory());
  const url = await startWebServer(mirror, (path) => (path === flipped ? 'flipped' : null));
  const pattern = `MatchPattern=${STEM}-@v-amd64.img`;
  const source = ['[Source]', 'Type=url-file', `Path=${url}`, pattern];
  const target = ['[Target]', 'Type=regular-file', 'Path=/images', pattern, 'InstancesMax=2'];
  mkdirSync(join(root, 'etc/sysupdate.d'));
  mkdirSync(join(root, 'images'));
  writeFileSync(join(root, 'etc/sysupdate.d/10-image.transfer'), [...source, '', ...target, ''].join('\n'));
  writeFileSync(join(root, 'etc/systemd/import-pubring.gpg'), readFileSync(join(mirror, 'KEY.gpg')));
  const ran = await runInRoot(root, SYSUPDATE, '--no-pager', 'update');
  return { ...ran, root, images: readdirSync(join(root, 'images')) };
}

/** Signs the lists of a mirror with a key of its own, which is made in `folder`. */
async function sign(folder: string, mirror: string): Promise<void> {
  const path = join(folder, 'key.asc');
  const passphrase = new Passphrase('secret', 'test');
  const created = new Date('2026-01-01T00:00:00Z');
  await generateSecretKey(path, { algorithm: 'ed25519', userId: 'mirror', created, expires: null, passphrase });
  const signer = await openKeySigner({ path, askPassphrase: async () => passphrase, now: () => new Date() });
  const lists = ['SHA256SUMS', 'rdiffs/SHA256SUMS', 'CKSUMS'].filter((list) => existsSync(join(mirror, list)));
  const texts = new Map(lists.map((list) => [list, readFileSync(join(mirror, list), 'utf8')]));
  const { write } = await signLists(texts, new Map(), signer, new Date());
  for (const [file, bytes] of write) writeFileSync(join(mirror, file), bytes);
}
