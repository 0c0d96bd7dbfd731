import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { runCli } from '../../cli/run.js';
import { dayImage, makeWorkshop } from '../../images/support/workshop.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';
import { type FaultyServer, startFaultyServer } from '../support/faulty-server.js';
import { deviceWith, filesOf, versionIn } from '../support/updates.js';

const ENV = { UPDATE_REPOSITORY_PASSPHRASE: 'correct horse battery staple' };
const STABLE = 'channels/stable.json';
const dayVersion = (day: number) => versionIn(dayImage(day));

async function done(...args: readonly string[]): Promise<string> {
  const { stdout, stderr, code } = await runCli(args, ENV);
  expect({ args, code, stderr }).toMatchObject({ code: 0 });
  return stdout;
}

/** A signed mirror of three days, whose keys it remembers, and a place that it is published to. */
async function signedMirror() {
  const { folder, imagesDir, mirrorDir } = await makeWorkshop(3);
  const keys = join(folder, 'keys');
  await done('key', 'init', keys);
  await done('--sign', keys, '--base-url', 'https://images.example.org', imagesDir, mirrorDir);
  return { mirror: mirrorDir, www: join(folder, 'www'), root: join(keys, '1.root.json') };
}

/** Has the server show what is in a directory. */
function show(server: FaultyServer, www: string): void {
  server.files.clear();
  for (const [path, bytes] of filesOf({ root: www, images: [] })) server.files.set(path, bytes);
}

async function follow(server: FaultyServer, device: string, ...options: readonly string[]) {
  const { code, stdout } = await runCli([
    '--json',
    'update',
    '--target',
    'channel:stable',
    ...options,
    server.url,
    device,
  ]);
  const last = JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '');
  return { code, to: last.to, authenticated: last.authenticated, error: last.error };
}

it('a device with a root follows a channel that is set and published, and nobody else who changes it on the server', async () => {
  const { mirror, www, root } = await signedMirror();
  expect(await done('channel', 'set', mirror, 'stable', dayVersion(2))).toMatch(
    new RegExp(`: channel stable is ${dayVersion(2)} of \\S+, 5 files written, `),
  );
  await done('publish', mirror, www);
  const server = await startFaultyServer({ files: new Map(), random: () => 0.5 });
  show(server, www);
  const [device, unwary] = [await temporaryDirectory(), await temporaryDirectory()];
  await deviceWith(device, null);
  expect(await follow(server, device, '--trust', root)).toMatchObject({ to: dayVersion(2), authenticated: true });
  expect(await follow(server, unwary)).toMatchObject({ to: dayVersion(2), authenticated: false });

  // Who holds the server has another channel file under its name, and then in the place of its copy.
  const evil = Buffer.from(readFileSync(join(www, STABLE), 'utf8').replace(dayVersion(2), dayVersion(3)));
  const copies = readdirSync(join(www, 'metadata/channels')).map((name) => `metadata/channels/${name}`);
  expect(copies).toHaveLength(1);
  server.files.set(STABLE, evil);
  expect(await follow(server, unwary)).toMatchObject({ to: dayVersion(3) });
  expect(await follow(server, device)).toMatchObject({ code: 0, to: dayVersion(2) });
  server.files.set(String(copies[0]), evil);
  expect(await follow(server, device)).toMatchObject({
    code: 3,
    error: { code: 'VERIFICATION', data: { reason: 'arbitrary-software' } },
  });
  expect((await runCli(['verify', server.url])).stderr).toContain(`${STABLE}: inconsistent`);

  await done('channel', 'set', mirror, 'stable', dayVersion(3));
  await done('publish', mirror, www);
  show(server, www);
  expect(await follow(server, device)).toMatchObject({ to: dayVersion(3), authenticated: true });
  await done('verify', '--trust', root, server.url);

  await done('channel', 'remove', mirror, 'stable');
  expect(await done('channel', 'list', mirror)).toBe(`${mirror}: no channels\n`);
  await done('publish', mirror, www);
  expect(existsSync(join(www, STABLE))).toBe(false);
  show(server, www);
  expect(await follow(server, device)).toMatchObject({ code: 2, error: { code: 'NOT_FOUND' } });
}, 300_000);

it('a rollback of a publish brings the channels of before, and leaves alone what others put beside them', async () => {
  const { mirror, www } = await signedMirror();
  await done('publish', mirror, www);
  await done('channel', 'set', mirror, 'stable', dayVersion(1));
  await done('channel', 'set', mirror, 'beta', dayVersion(3).replace(/^(....)(..)(..)/, '$1-$2-$3-'));
  expect(await done('channel', 'list', mirror)).toMatch(
    new RegExp(`^beta    ${dayVersion(3)}  \\S+\nstable  ${dayVersion(1)}  \\S+\n$`),
  );
  await done('publish', mirror, www);
  const first = readFileSync(join(www, STABLE), 'utf8');
  writeFileSync(join(www, 'channels/theirs.json'), 'by hand');
  await done('channel', 'set', mirror, 'stable', dayVersion(2));
  await done('channel', 'remove', mirror, 'beta');
  expect(await done('publish', '--verify', 'full', mirror, www)).toContain('generation 3');
  expect(readdirSync(join(www, 'channels')).sort()).toEqual(['stable.json', 'theirs.json']);
  expect(readFileSync(join(www, STABLE), 'utf8')).not.toBe(first);
  await done('publish', '--rollback', www);
  expect(readFileSync(join(www, STABLE), 'utf8')).toBe(first);
  expect(readdirSync(join(www, 'channels')).sort()).toEqual(['beta.json', 'stable.json', 'theirs.json']);
  await done('verify', www);
  await done('prune', '--grace', '0', www);
  await done('verify', www);
  // A copy remembers nothing, and what it publishes is what was signed.
  await done('publish', www, `${www}-2`);
  expect(readFileSync(join(`${www}-2`, STABLE), 'utf8')).toBe(first);
  writeFileSync(join(www, STABLE), first.replace(dayVersion(1), dayVersion(2)));
  expect(await runCli(['publish', www, `${www}-3`])).toMatchObject({ code: 2 });
}, 300_000);
