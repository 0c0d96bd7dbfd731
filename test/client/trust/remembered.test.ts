import { existsSync, readFileSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { openPlace } from '../../../src/client/session.js';
import { runCli, startCli } from '../../cli/run.js';
import { pseudoRandomNumbers } from '../../support/pseudo-random.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';
import { type FaultyServer, startFaultyServer } from '../support/faulty-server.js';
import { replaceKeys, SignedMirror } from '../support/signed-mirror.js';
import { builtForSuite, deviceWith, filesOf, versionIn } from '../support/updates.js';

const built = builtForSuite(3, 'neighbours');

interface Place {
  readonly mirror: SignedMirror;
  readonly server: FaultyServer;
  readonly device: string;
  readonly root: string;
}

async function makePlace(): Promise<Place> {
  const mirror = await SignedMirror.make(filesOf(built()), 2);
  const server = await startFaultyServer({ files: mirror.files, random: () => 0.5 });
  const dir = await temporaryDirectory();
  const root = join(dir, 'root.json');
  writeFileSync(root, mirror.files.get('metadata/1.root.json') ?? '');
  return { mirror, server, device: await deviceWith(join(dir, 'device'), null), root };
}

async function update({ server, device }: Place, ...options: string[]) {
  const { code, stdout } = await runCli(['--json', 'update', ...options, server.url, device]);
  const events = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  const warnings = events.filter(({ type, level }) => type === 'note' && level === 'warning');
  return {
    code,
    summary: events.find(({ type }) => type === 'update-summary'),
    error: events.find(({ type }) => type === 'error')?.error,
    warnings: warnings.map(({ message }) => String(message)),
  };
}

function forgetMetadata({ server }: Place): void {
  for (const path of [...server.files.keys()]) if (path.startsWith('metadata/')) server.files.delete(path);
}

function show({ server }: Place, files: ReadonlyMap<string, Buffer>): void {
  for (const [path, bytes] of files) server.files.set(path, bytes);
}

/** Updates by one of the roots of the mirror, which is given to the device. */
async function updateFrom(version: number, place: Place) {
  writeFileSync(place.root, place.mirror.files.get(`metadata/${version}.root.json`) ?? '');
  return await update(place, '--trust', place.root);
}

const trustPath = ({ device }: Place) => join(device, '.update-repository', 'trust.json');

describe('update', () => {
  it('remembers the root that it was given, and takes nothing without it from then on', async () => {
    const place = await makePlace();
    expect(await update(place, '--trust', place.root)).toMatchObject({ code: 0, summary: { authenticated: true } });
    expect(await update(place)).toMatchObject({ code: 0, summary: { authenticated: true } });
    forgetMetadata(place);
    const refused = await update(place);
    expect(refused).toMatchObject({ code: 3, error: { code: 'VERIFICATION', data: { reason: 'missing-metadata' } } });
    expect(await update(place, '--check')).toMatchObject({ code: 3 });
    expect(await update(place, '--plan')).toMatchObject({ code: 3 });
    const insecure = await update(place, '--insecure');
    expect(insecure).toMatchObject({ code: 0, summary: { authenticated: false } });
    expect(insecure.warnings.join()).toMatch(/INSECURE/);
    expect(await update(place)).toMatchObject({ code: 3 });
  });

  it('says that nobody vouches for a mirror where no root was given', async () => {
    const place = await makePlace();
    expect(await update(place)).toMatchObject({ code: 0, summary: { authenticated: false }, warnings: [] });
    expect(existsSync(trustPath(place))).toBe(false);
  });

  it('trusts the first root of a mirror only when asked for, and no other one later', async () => {
    const place = await makePlace();
    const first = await update(place, '--trust-on-first-use');
    expect(first).toMatchObject({ code: 0, summary: { authenticated: true } });
    expect(first.warnings.join()).toMatch(/on first use: the root with sha256 [0-9a-f]{64}/);
    const other = await SignedMirror.make(filesOf(built()), 3);
    for (const [path, bytes] of other.files) place.server.files.set(path, bytes);
    const second = await update(place, '--trust-on-first-use');
    expect(second).toMatchObject({ code: 3, error: { data: { reason: 'wrong-key' } } });
  });

  it('takes the same root again for nothing new, and another one for a new beginning', async () => {
    const place = await makePlace();
    await update(place, '--trust', place.root);
    const earlier = place.mirror.files;
    await place.mirror.show(3);
    for (const [path, bytes] of place.mirror.files) place.server.files.set(path, bytes);
    expect(await update(place, '--trust', place.root)).toMatchObject({ code: 0, warnings: [] });
    for (const [path, bytes] of earlier) place.server.files.set(path, bytes);
    expect(await update(place, '--trust', place.root)).toMatchObject({
      code: 3,
      error: { data: { reason: 'rollback' } },
    });
    const other = await SignedMirror.make(filesOf(built()), 3);
    for (const [path, bytes] of other.files) place.server.files.set(path, bytes);
    writeFileSync(place.root, other.files.get('metadata/1.root.json') ?? '');
    const anew = await update(place, '--trust', place.root);
    expect(anew).toMatchObject({ code: 0, summary: { authenticated: true } });
    expect(anew.warnings.join()).toMatch(/another root than the one that is remembered/);
  });

  it('keeps what it has seen where it is given another root of the same chain, an earlier or a later one', async () => {
    for (const first of [1, 2, 3]) {
      const place = await makePlace();
      const { mirror } = place;
      await replaceKeys(mirror, mirror.signing.keys.root.slice(0, 2));
      const old = mirror.files;
      await mirror.show(3);
      show(place, mirror.files);
      expect(await updateFrom(first, place)).toMatchObject({ code: 0, warnings: [] });
      show(place, old);
      for (const root of [1, 3, 2, 1]) {
        const refused = { code: 3, error: { data: { reason: 'rollback', role: 'timestamp' } }, warnings: [] };
        expect(await updateFrom(root, place), `${root} after ${first}`).toMatchObject(refused);
      }
      show(place, mirror.files);
      for (const root of [1, 3, 2, 1]) expect(await updateFrom(root, place)).toMatchObject({ code: 0, warnings: [] });
    }
  });

  it('keeps what it has seen where it is given a root that leads on from what it has seen', async () => {
    const place = await makePlace();
    const { mirror } = place;
    const old = mirror.files;
    await mirror.show(3);
    show(place, mirror.files);
    expect(await updateFrom(1, place)).toMatchObject({ code: 0, warnings: [] });
    await replaceKeys(mirror, mirror.signing.keys.root.slice(0, 2));
    show(place, new Map([...mirror.files, ...old]));
    expect(await updateFrom(3, place)).toMatchObject({
      code: 3,
      error: { data: { reason: 'rollback', role: 'timestamp' } },
      warnings: [],
    });
    show(place, mirror.files);
    expect(await updateFrom(3, place)).toMatchObject({ code: 0, warnings: [] });
  });

  it('knows the roots that it followed where a mirror keeps them back, with the key that they replaced', async () => {
    const place = await makePlace();
    const { mirror } = place;
    const [root] = mirror.signing.keys.root;
    await replaceKeys(mirror, [root]);
    const old = mirror.files;
    await replaceKeys(mirror, [mirror.signing.keys.timestamp]);
    show(place, mirror.files);
    expect(await updateFrom(1, place)).toMatchObject({ code: 0, warnings: [] });
    show(place, old);
    place.server.files.delete('metadata/3.root.json');
    expect(await updateFrom(2, place)).toMatchObject({
      code: 3,
      error: { data: { reason: 'wrong-key', role: 'timestamp' } },
      warnings: [],
    });
  });

  it('refuses what is remembered where it is damaged, until the root is given again', async () => {
    const place = await makePlace();
    await update(place, '--trust', place.root);
    writeFileSync(trustPath(place), '{"format":1}');
    expect(await update(place)).toMatchObject({ code: 3, error: { code: 'FORMAT' } });
    expect(await update(place, '--trust', place.root)).toMatchObject({ code: 0, summary: { authenticated: true } });
  });

  it('follows no link in the place of what is remembered, and does not go on without it', async () => {
    const place = await makePlace();
    await update(place, '--trust', place.root);
    renameSync(trustPath(place), `${trustPath(place)}.elsewhere`);
    symlinkSync('trust.json.elsewhere', trustPath(place));
    expect(await update(place)).toMatchObject({ code: 1, error: { code: 'IO' } });
  });

  it.each([
    ['nothing', '', 3],
    ['a page', '<html></html>', 3],
    ['a timestamp', 'metadata/timestamp.json', 3],
  ])('refuses %s in the place of a root', async (_, text, code) => {
    const place = await makePlace();
    writeFileSync(place.root, place.server.files.get(text) ?? text);
    expect(await update(place, '--trust', place.root)).toMatchObject({ code, error: { code: 'FORMAT' } });
  });

  it('is planned and checked by what is remembered while another one holds the directory, which stays as it is', async () => {
    const place = await makePlace();
    await update(place, '--trust', place.root);
    await place.mirror.show(3);
    for (const [path, bytes] of place.mirror.files) place.server.files.set(path, bytes);
    const before = readFileSync(trustPath(place), 'utf8');
    const { signal } = new AbortController();
    const options = { layout: 'plain' as const, dir: place.device };
    const holder = await openPlace(options, { signal, onEvent: () => undefined }, 'change');
    try {
      expect(await update(place, '--check')).toMatchObject({ code: 10 });
      expect(readFileSync(trustPath(place), 'utf8')).toBe(before);
    } finally {
      await holder.close();
    }
    expect(await update(place, '--plan')).toMatchObject({ code: 10 });
    expect(readFileSync(trustPath(place), 'utf8')).not.toBe(before);
  });

  it.each(['stable', 'schools/basel.json'])('follows no channel %s that nobody signed', async (name) => {
    const place = await makePlace();
    const path = name.endsWith('.json') ? name : `channels/${name}.json`;
    const { series } = place.mirror.meta(1);
    const channel = { format: 1, series, version: versionIn(String(built().images[0])) };
    place.server.files.set(path, Buffer.from(JSON.stringify(channel)));
    const target = ['--target', `channel:${name}`];
    expect(await update(place, ...target)).toMatchObject({ code: 0, summary: { to: channel.version } });
    const refused = await update(place, ...target, '--trust', place.root);
    expect(refused).toMatchObject({ code: 2, error: { code: 'NOT_FOUND', message: expect.stringContaining(path) } });
  });

  it('takes a bundle only when nobody need vouch for it', async () => {
    const place = await makePlace();
    const bundle = join(await temporaryDirectory(), 'one.tar');
    const made = await runCli([
      'bundle',
      '--output',
      bundle,
      place.server.url,
      'none',
      versionIn(String(built().images[1])),
    ]);
    expect(made.code, made.stderr).toBe(0);
    await update(place, '--trust', place.root);
    const refused = await runCli(['--json', 'update', bundle, place.device]);
    expect(refused).toMatchObject({ code: 3 });
    expect(refused.stdout).toMatch(/missing-metadata/);
    expect(await runCli(['update', '--insecure', bundle, place.device])).toMatchObject({ code: 0 });
  });

  it('that is killed at any instant leaves what it trusted before, or what it verified', async () => {
    const place = await makePlace();
    await update(place, '--trust', place.root);
    const random = pseudoRandomNumbers('trust');
    let before = readFileSync(trustPath(place), 'utf8');
    for (let run = 0; run < 10; run++) {
      await place.mirror.show(run % 2 === 0 ? 3 : 2);
      for (const [path, bytes] of place.mirror.files) place.server.files.set(path, bytes);
      const child = startCli(['--quiet', 'update', '--check', place.server.url, place.device]);
      const ended = new Promise((resolve) => child.once('close', resolve));
      child.stdout.resume();
      child.stderr.resume();
      await sleep(150 + random() * 500);
      child.kill('SIGKILL');
      await ended;
      const now = readFileSync(trustPath(place), 'utf8');
      const timestamp = place.server.files.get('metadata/timestamp.json')?.toString();
      expect([JSON.parse(before).timestamp, timestamp]).toContain(JSON.parse(now).timestamp);
      expect(now === before || JSON.parse(now).timestamp === timestamp).toBe(true);
      before = now;
    }
    expect(await update(place)).toMatchObject({ code: 0, summary: { authenticated: true } });
  }, 60_000);
});
