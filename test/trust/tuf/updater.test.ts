import { readFileSync } from 'node:fs';
import { Metadata, MetadataKind } from '@tufjs/models';
import fc from 'fast-check';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { renderSeriesMeta } from '../../../src/metadata/meta.js';
import { metaPath } from '../../../src/metadata/mirror-paths.js';
import { repositoryContents } from '../../../src/trust/tuf/contents.js';
import { changeKey } from '../../../src/trust/tuf/key-changes.js';
import { DEFAULT_LIFETIMES } from '../../../src/trust/tuf/lifetimes.js';
import { SigningKey } from '../../../src/trust/tuf/signing-key.js';
import { seriesMeta } from '../../metadata/arbitraries.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';
import { allKeys } from './support/sample-keys.js';
import { daysLater, NOW, SampleMirror } from './support/sample-mirror.js';
import { sampleBytes, sampleContents, samplePaths, sampleSeries } from './support/sample-series.js';
import { inMemoryUpdater, Stranger, serveFiles } from './support/stranger.js';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'], now: NOW });
  return () => vi.useRealTimers();
});

async function strangerTo(mirror: SampleMirror): Promise<Stranger> {
  const root = mirror.text('metadata/1.root.json');
  if (root === null) throw new Error('the mirror has no root');
  return new Stranger(await temporaryDirectory(), await serveFiles(mirror.files), root);
}

describe("tuf-js' own updater", () => {
  it('verifies and downloads images, deltas and indexes', async () => {
    const contents = sampleContents([sampleSeries('puavo-os-trixie', 2), sampleSeries('puavo-os', 2)]);
    const stranger = await strangerTo(await SampleMirror.make(contents));
    for (const path of samplePaths(contents)) {
      expect(readFileSync(await stranger.fetchFile(path))).toEqual(sampleBytes(path));
    }
    for (const { name, meta } of contents.series) {
      expect(readFileSync(await stranger.fetchIndex(metaPath(name)), 'utf8')).toBe(meta.text);
    }
    for (const [path, { text }] of contents.indexes) {
      expect(readFileSync(await stranger.fetchIndex(path), 'utf8')).toBe(text);
    }
  });

  it('learns the version and the base of a file', async () => {
    const stranger = await strangerTo(await SampleMirror.make(sampleContents([sampleSeries('puavo-os', 2)])));
    const delta = 'rdiffs/puavo-os-2024-01-01-060000--2024-01-02-060000-amd64.rdiff.zst';
    const image = 'puavo-os-2024-01-02-060000-amd64.img';
    expect((await stranger.find(image))?.custom).toEqual({ version: '20240102060000' });
    expect((await stranger.find(delta))?.custom).toEqual({ version: '20240102060000', base: '20240101060000' });
  });

  it('refuses an image of other bytes', async () => {
    const mirror = await SampleMirror.make(sampleContents([sampleSeries('puavo-os', 1)]));
    const path = 'puavo-os-2024-01-01-060000-amd64.img';
    mirror.files.set(path, Buffer.from(sampleBytes(path).toString().replace('bytes', 'bites')));
    await expect((await strangerTo(mirror)).fetchFile(path)).rejects.toThrow(/Expected hash/);
  });

  it('finds a new image after an update, in the folder of the one before', async () => {
    const mirror = await SampleMirror.make(sampleContents([sampleSeries('puavo-os', 1)]));
    const stranger = await strangerTo(mirror);
    const path = 'puavo-os-2024-01-02-060000-amd64.img';
    expect(await stranger.find(path)).toBeUndefined();
    await mirror.step({ contents: sampleContents([sampleSeries('puavo-os', 2)]) });
    expect(readFileSync(await stranger.fetchFile(path))).toEqual(sampleBytes(path));
  });

  it('still updates after a series is gone from the mirror, and finds its files no more', async () => {
    const both = sampleContents([sampleSeries('puavo-os', 1), sampleSeries('puavo-old', 1)]);
    const mirror = await SampleMirror.make(both);
    const stranger = await strangerTo(mirror);
    expect(await stranger.find('puavo-old-2024-01-01-060000-amd64.img')).toBeDefined();
    await mirror.step({ contents: sampleContents([sampleSeries('puavo-os', 2)]) });
    expect(await stranger.find('puavo-old-2024-01-01-060000-amd64.img')).toBeUndefined();
    expect(await stranger.find('puavo-os-2024-01-02-060000-amd64.img')).toBeDefined();
  });

  it('refuses a mirror whose timestamp nobody renewed, and takes it once that is done', async () => {
    const mirror = await SampleMirror.make(sampleContents([sampleSeries('puavo-os', 1)]));
    const stranger = await strangerTo(mirror);
    vi.setSystemTime(daysLater(7.1));
    await expect(stranger.refresh()).rejects.toThrow(/timestamp.json is expired/);
    await mirror.step({ now: daysLater(7.1) });
    await stranger.refresh();
  });

  it('follows three rotations of every key that it slept through', async () => {
    const contents = sampleContents([sampleSeries('puavo-os', 2)]);
    const mirror = await SampleMirror.make(contents);
    const stranger = await strangerTo(mirror);
    await stranger.refresh();
    let keys = allKeys(mirror.keys);
    for (let round = 0; round < 3; round++) {
      for (const [index, old] of keys.entries()) {
        const successor = SigningKey.generate(index % 2 === 0 ? 'ed25519' : 'ecdsa');
        const change = { from: old.id, to: successor.publicKey, roles: null };
        const drafts = changeKey(await mirror.current(), change, { lifetimes: DEFAULT_LIFETIMES, now: NOW });
        keys = keys.map((key) => (key === old ? successor : key));
        await mirror.step({ drafts, keys: [...keys, old] });
      }
    }
    // Seven keys, of which the one for series is not in root.
    expect((await mirror.current()).root.signed.version).toBe(1 + 3 * 6);
    for (const path of samplePaths(contents)) {
      expect(readFileSync(await stranger.fetchFile(path))).toEqual(sampleBytes(path));
    }
  });

  it('refuses what a revoked key signs', async () => {
    const contents = sampleContents([sampleSeries('puavo-os', 1)]);
    const mirror = await SampleMirror.make(contents);
    const stolen = await SampleMirror.make(contents, mirror.keys);
    const stranger = await strangerTo(mirror);
    const change = { from: mirror.keys.timestamp.id, to: SigningKey.generate('ed25519'), roles: null };
    const making = { lifetimes: DEFAULT_LIFETIMES, now: NOW };
    const drafts = changeKey(await mirror.current(), { ...change, to: change.to.publicKey }, making);
    await mirror.step({ drafts, keys: [...allKeys(mirror.keys), change.to] });
    await stranger.refresh();
    await stolen.step({ now: daysLater(4) });
    mirror.files.set('metadata/timestamp.json', stolen.files.get('metadata/timestamp.json') ?? Buffer.of());
    await expect(stranger.refresh()).rejects.toThrow(/timestamp was signed by 0\/1 keys/);
  });

  it('finds every file of any series, by whichever role speaks of it', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(seriesMeta, { maxLength: 3, selector: ({ series }) => series }),
        async (metas) => {
          const texts = new Map(metas.map((meta) => [metaPath(meta.series), renderSeriesMeta(meta)]));
          const contents = repositoryContents(metas, texts);
          const mirror = await SampleMirror.make(contents);
          const updater = inMemoryUpdater(await temporaryDirectory(), mirror.files);
          for (const { name, files, meta } of contents.series) {
            for (const path of [...files.keys(), metaPath(name)]) {
              // Of a file in two series the first counts.
              const first = contents.series.flatMap(({ files }) => files.get(path) ?? [])[0] ?? meta.entry;
              expect((await updater.getTargetInfo(path))?.hashes).toEqual(first.hashes);
            }
          }
        },
      ),
      { numRuns: 25 },
    );
  }, 120_000);

  it('takes from the role of a series no file of another series', async () => {
    const stems = ['puavo', 'puavo-os', 'puavo-os-2024', 'puavo-os-trixie', 'os', 'a.b', 'a+b', 'axb', 'ä-os'];
    const metas = stems.map((stem) => sampleSeries(stem, 2));
    const contents = sampleContents(metas);
    const mirror = await SampleMirror.make(contents);
    const paths = [...samplePaths(contents), ...metas.map(({ series }) => metaPath(series)), 'index.json', 'CKSUMS'];
    const targets = JSON.parse(mirror.text('metadata/1.targets.json') ?? '');
    const { delegations } = Metadata.fromJSON(MetadataKind.Targets, targets).signed;
    for (const path of paths) {
      const roles = [...(delegations?.rolesForTarget(path) ?? [])].map(({ role }) => role);
      const owner = contents.series.find(({ name, files }) => files.has(path) || metaPath(name) === path);
      expect(roles, path).toEqual([owner?.name ?? 'mirror']);
    }
  });

  it('takes another series for no more than what it says of its own files', async () => {
    const contents = sampleContents([sampleSeries('puavo-os', 1), sampleSeries('puavo-os-trixie', 1)]);
    const mirror = await SampleMirror.make(contents);
    const stranger = await strangerTo(mirror);
    const [own, other, missing] = [
      'puavo-os-2024-01-01',
      'puavo-os-trixie-2024-01-01',
      'puavo-os-trixie-2024-01-02',
    ].map((start) => `${start}-060000-amd64.img`) as [string, string, string];
    const evil = { length: 666, hashes: contents.series[0]!.meta.entry.hashes };
    await mirror.forge('puavo-os-amd64', (signed) => ({
      ...signed,
      targets: { [own]: evil, [other]: evil, [missing]: evil },
    }));
    expect((await stranger.find(own))?.length).toBe(666);
    expect((await stranger.find(other))?.length).toBe(sampleBytes(other).length);
    expect(await stranger.find(missing)).toBeUndefined();
  });

  it('finds the files of a large series in its parts', async () => {
    const contents = sampleContents([sampleSeries('puavo-os', 400)]);
    const mirror = await SampleMirror.make(contents);
    const stranger = await strangerTo(mirror);
    const paths = samplePaths(contents);
    expect(paths.length).toBeGreaterThan(1_000);
    for (const path of [...paths.slice(0, 3), ...paths.slice(-3)]) {
      expect(readFileSync(await stranger.fetchFile(path))).toEqual(sampleBytes(path));
    }
    expect(readFileSync(await stranger.fetchIndex('meta/puavo-os-amd64.json'), 'utf8')).toBe(
      contents.series[0]?.meta.text,
    );
  });

  it('goes along when a large series shrinks and grows again', async () => {
    const mirror = await SampleMirror.make(sampleContents([sampleSeries('puavo-os', 400)]));
    const stranger = await strangerTo(mirror);
    const [first, last] = ['puavo-os-2024-01-01-060000-amd64.img', 'puavo-os-2025-02-03-060000-amd64.img'];
    for (const count of [390, 10, 400]) {
      await mirror.step({ contents: sampleContents([sampleSeries('puavo-os', count)]) });
      expect(await stranger.find(first)).toBeDefined();
      expect((await stranger.find(last)) !== undefined).toBe(count === 400);
    }
  });
});
