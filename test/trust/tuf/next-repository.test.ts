import { describe, expect, it } from 'vitest';
import { renderSeriesMeta } from '../../../src/metadata/meta.js';
import { metaPath } from '../../../src/metadata/mirror-paths.js';
import { repositoryContents } from '../../../src/trust/tuf/contents.js';
import { MAX_BYTES } from '../../../src/trust/tuf/documents.js';
import { NO_DRAFTS } from '../../../src/trust/tuf/drafts.js';
import { listExpiries } from '../../../src/trust/tuf/expiries.js';
import { DEFAULT_LIFETIMES } from '../../../src/trust/tuf/lifetimes.js';
import { nextRepository } from '../../../src/trust/tuf/next-repository.js';
import { SigningKey } from '../../../src/trust/tuf/signing-key.js';
import { allKeys, assignmentsOf, onlineKeys, sampleKeys } from './support/sample-keys.js';
import { daysLater, NOW, SampleMirror } from './support/sample-mirror.js';
import { sampleContents, samplePaths, sampleSeries } from './support/sample-series.js';

const os = (count: number) => sampleContents([sampleSeries('puavo-os', count)]);

/** The metadata files of one step, its copies of indexes left out. */
function metadataOf(stages: string[][] | undefined): string[][] | undefined {
  const isCopy = (path: string) => /[0-9a-f]{64}\./.test(path);
  return stages?.map((stage) => stage.filter((path) => !isCopy(path))).filter((stage) => stage.length > 0);
}

describe('nextRepository', () => {
  it('writes copies of indexes, targets and roles, snapshot, root and timestamp in this order', async () => {
    const contents = os(1);
    const mirror = await SampleMirror.make(contents);
    const [copies, ...stages] = mirror.written[0] ?? [];
    const sha256 = contents.series[0]?.meta.entry.hashes.sha256;
    expect(copies).toContain(`metadata/meta/${sha256}.puavo-os-amd64.json`);
    expect(copies).toContain(`metadata/${contents.indexes.get('index.json')?.entry.hashes.sha256}.index.json`);
    expect(copies).toHaveLength(5);
    expect(stages).toEqual([
      ['metadata/1.targets.json', 'metadata/1.puavo-os-amd64.json', 'metadata/1.mirror.json'],
      ['metadata/1.snapshot.json'],
      ['metadata/1.root.json'],
      ['metadata/timestamp.json'],
    ]);
  });

  it('writes and signs nothing when nothing changed, whichever order the files come in', async () => {
    const [meta] = [sampleSeries('puavo-os', 3)];
    const mirror = await SampleMirror.make(sampleContents([meta]));
    const turned = { ...meta, images: [...meta.images].reverse() };
    const texts = new Map([...sampleContents([meta]).indexes].map(([path, { text }]) => [path, text]));
    const contents = repositoryContents([turned], texts.set(metaPath(meta.series), renderSeriesMeta(meta)));
    expect(await mirror.step({ contents, now: daysLater(2) })).toBeNull();
    expect(await mirror.step({ contents, keys: [] })).toBeNull();
  });

  it('gives a new version to what changed and to what names it, and to nothing else', async () => {
    const other = sampleSeries('puavo-old', 1);
    const mirror = await SampleMirror.make(sampleContents([sampleSeries('puavo-os', 1), other]));
    await mirror.step({
      contents: sampleContents([sampleSeries('puavo-os', 2), other]),
      keys: onlineKeys(mirror.keys),
    });
    expect(metadataOf(mirror.written[1])).toEqual([
      ['metadata/2.puavo-os-amd64.json'],
      ['metadata/2.snapshot.json'],
      ['metadata/timestamp.json'],
    ]);
    const { timestamp } = await mirror.current();
    expect(timestamp.signed.version).toBe(2);
  });

  it('signs anew what is due, by the keys at hand', async () => {
    const mirror = await SampleMirror.make(os(1));
    await mirror.step({ keys: onlineKeys(mirror.keys), now: daysLater(3.5) });
    expect(mirror.written[1]).toEqual([['metadata/timestamp.json']]);
    await mirror.step({ keys: onlineKeys(mirror.keys), now: daysLater(20) });
    expect(mirror.written[2]).toEqual([
      ['metadata/2.puavo-os-amd64.json', 'metadata/2.mirror.json'],
      ['metadata/2.snapshot.json'],
      ['metadata/timestamp.json'],
    ]);
    await mirror.step({ now: daysLater(360) });
    expect(mirror.written[3]?.flat()).toContain('metadata/2.root.json');
    expect((await mirror.current()).root.signed.expires).toBe('2028-02-24T12:00:00Z');
  });

  it('needs the keys of targets for a new series, and says so', async () => {
    const mirror = await SampleMirror.make(os(1));
    const before = new Map(mirror.files);
    const contents = sampleContents([sampleSeries('puavo-os', 1), sampleSeries('puavo-new', 1)]);
    const { id } = mirror.keys.targets;
    await expect(mirror.step({ contents, keys: onlineKeys(mirror.keys) })).rejects.toMatchObject({
      code: 'CONFIG',
      message:
        'series puavo-new-amd64: expected a delegation of it, found none; ' +
        `role targets: expected key ${id} to sign with, found none of them at hand`,
      hint: expect.stringContaining('key sign'),
    });
    expect(mirror.files).toEqual(before);
    await mirror.step({ contents });
    expect(metadataOf(mirror.written[1])?.[0]).toEqual([
      'metadata/2.targets.json',
      'metadata/2.mirror.json',
      'metadata/1.puavo-new-amd64.json',
    ]);
  });

  it('gives a new series the key of the others, and none that was replaced or that nobody heard of', async () => {
    const mirror = await SampleMirror.make(os(1));
    const contents = sampleContents([sampleSeries('puavo-os', 1), sampleSeries('puavo-new', 1)]);
    const { online } = mirror.keys;
    const stale = SigningKey.generate('ed25519');
    const assigned = (...keys: SigningKey[]) => {
      const series = { keys: keys.map(({ publicKey }) => publicKey), threshold: 1 };
      return { contents, drafts: NO_DRAFTS, online: { series, mirror: series } };
    };
    const signing = { keys: allKeys(mirror.keys), lifetimes: DEFAULT_LIFETIMES, now: NOW };
    const current = await mirror.current();
    expect(() => nextRepository(current, assigned(stale), signing)).toThrow(
      `role series: expected a key that signs for other series, ${online.id}, found ${stale.id}, which does not`,
    );
    const next = nextRepository(current, assigned(stale, online), signing);
    const roles = next?.repository.targets.signed.delegations?.roles ?? [];
    expect(roles.find(({ name }) => name === 'puavo-new-amd64')?.keyids).toEqual([online.id]);
  });

  it('needs the keys of targets no more for images of a series that is delegated', async () => {
    const mirror = await SampleMirror.make(os(0));
    // A series without images names no family yet.
    await expect(mirror.step({ contents: os(1), keys: onlineKeys(mirror.keys) })).rejects.toThrow(/role targets/);
    await mirror.step({ contents: os(1) });
    expect(await mirror.step({ contents: os(5), keys: onlineKeys(mirror.keys) })).not.toBeNull();
  });

  it('gives a family of images that two series have to the one that is named by it', async () => {
    const [testing, stable] = [sampleSeries('puavo-os', 3, 'a-testing'), sampleSeries('puavo-os', 2)];
    const mirror = await SampleMirror.make(sampleContents([testing, stable]));
    const { roles } = await mirror.current();
    expect(Object.keys(roles.get('a-testing')?.signed.targets ?? {})).toEqual(['meta/a-testing.json']);
    expect(Object.keys(roles.get('puavo-os-amd64')?.signed.targets ?? {})).toHaveLength(1 + 3 + 2 * 2);
  });

  it('leaves a family with its role when a series comes that is named by it', async () => {
    const testing = sampleSeries('puavo-os', 3, 'a-testing');
    const mirror = await SampleMirror.make(sampleContents([testing]));
    await mirror.step({ contents: sampleContents([testing, sampleSeries('puavo-os', 3)]) });
    const { roles } = await mirror.current();
    expect(Object.keys(roles.get('puavo-os-amd64')?.signed.targets ?? {})).toEqual(['meta/puavo-os-amd64.json']);
  });

  it.each(['root', 'targets', 'snapshot', 'timestamp', 'mirror', 'constructor', 'a.bin-f', 'a*', 'a{b,c}', '!a'])(
    'refuses the series %s',
    async (name) => {
      const contents = sampleContents([sampleSeries('puavo-os', 1, name)]);
      await expect(SampleMirror.make(contents)).rejects.toMatchObject({ code: 'NAME' });
    },
  );

  it('refuses an image whose name a pattern cannot spell', async () => {
    const contents = sampleContents([sampleSeries('puavo[o]s', 1, 'puavo')]);
    await expect(SampleMirror.make(contents)).rejects.toMatchObject({
      code: 'NAME',
      message: 'puavo[o]s-2024-01-01-060000-amd64.img: expected a name that a path pattern can spell, found [ in it',
    });
  });

  it('leaves out the list of the deltas and the file of a day, so that no role has to be widened', () => {
    const { indexes } = repositoryContents(
      [],
      new Map([
        ['SHA256SUMS', ''],
        ['rdiffs/SHA256SUMS', ''],
        ['BEST-BEFORE-2026-04-01', ''],
      ]),
    );
    expect([...indexes.keys()]).toEqual(['SHA256SUMS']);
  });

  it('refuses an index that no role speaks of', () => {
    expect(() => repositoryContents([], new Map([['channels/a/b.json', '{}']]))).toThrow(
      /channels\/a\/b.json: expected/,
    );
  });

  it('says which key is missing for a role whose metadata has to change', async () => {
    const mirror = await SampleMirror.make(os(1));
    const { online, snapshot, timestamp } = mirror.keys;
    for (const missing of [online, snapshot, timestamp]) {
      const keys = [online, snapshot, timestamp].filter((key) => key !== missing);
      await expect(mirror.step({ contents: os(2), keys })).rejects.toMatchObject({
        code: 'CONFIG',
        message: expect.stringContaining(`expected key ${missing.id} to sign with`),
      });
    }
  });

  it('makes nothing without the first root and targets', () => {
    const keys = sampleKeys();
    const signing = { keys: allKeys(keys), lifetimes: DEFAULT_LIFETIMES, now: NOW };
    const change = { contents: os(1), drafts: NO_DRAFTS, online: assignmentsOf(keys) };
    expect(() => nextRepository(null, change, signing)).toThrow(/role root: expected its first metadata, found none/);
  });

  it('keeps every file below what clients take, for a series of 10,000 files and for 10,000 files in 50 series', async () => {
    const one = sampleContents([sampleSeries('puavo-os-opinsys-bookworm', 3_334)]);
    const many = sampleContents(Array.from({ length: 50 }, (_, n) => sampleSeries(`puavo-os-class${n}-bookworm`, 67)));
    for (const contents of [one, many]) {
      expect(samplePaths(contents).length).toBeGreaterThanOrEqual(9_950);
      const mirror = await SampleMirror.make(contents);
      for (const [path, bytes] of mirror.files) {
        const maxBytes = path.endsWith('.targets.json') ? MAX_BYTES.targets : 512_000;
        if (/^metadata\/\d+\.|timestamp/.test(path)) expect(bytes.length, path).toBeLessThan(maxBytes);
      }
      expect(await mirror.step({ contents, keys: [] })).toBeNull();
    }
  }, 120_000);

  it('refuses a file that clients would not take', async () => {
    const contents = sampleContents(
      Array.from({ length: 6_000 }, (_, n) => sampleSeries(`${'long'.repeat(44)}${n}`, 1)),
    );
    await expect(SampleMirror.make(contents)).rejects.toMatchObject({
      code: 'CONFIG',
      message: expect.stringMatching(/metadata\/1.targets.json: expected at most the 5000000 bytes .* 6001 delegated/),
    });
  }, 120_000);
});

describe('the last version that clients take', () => {
  const MAX = 2 ** 31 - 1;

  it('is followed by none: that is told before anything is signed', async () => {
    const mirror = await SampleMirror.make(os(1));
    const { timestamp, ...others } = await mirror.current();
    const at = (version: number) => ({ ...timestamp, signed: { ...timestamp.signed, version } });
    const signed: string[] = [];
    const keys = allKeys(mirror.keys).map((key) => ({
      id: key.id,
      sign: (bytes: Buffer) => {
        signed.push(key.id);
        return key.sign(bytes);
      },
    }));
    const step = (version: number) => {
      const current = { ...others, timestamp: at(version) };
      const change = { contents: null, drafts: NO_DRAFTS, online: assignmentsOf(mirror.keys) };
      return nextRepository(current, change, { keys, lifetimes: DEFAULT_LIFETIMES, now: daysLater(5) });
    };
    expect(() => step(MAX)).toThrow(
      expect.objectContaining({
        code: 'CONFIG',
        message: `role timestamp: expected metadata that another version can follow, found version ${MAX}, the last that clients take`,
      }),
    );
    expect(signed).toEqual([]);
    expect(step(MAX - 1)?.repository.timestamp.signed.version).toBe(MAX);
  });
});

describe('listExpiries', () => {
  it('tells what ends when, what ends first before the others', async () => {
    const repository = await (await SampleMirror.make(os(1))).current();
    const list = (days: number) => listExpiries(repository, DEFAULT_LIFETIMES, daysLater(days));
    expect(list(0).map(({ role, state }) => `${role} ${state}`)).toEqual([
      'timestamp good',
      'snapshot good',
      'puavo-os-amd64 good',
      'mirror good',
      'root good',
      'targets good',
    ]);
    expect(list(3.5)[0]).toMatchObject({ role: 'timestamp', expires: '2026-03-08T12:00:00Z', state: 'due' });
    expect(list(7).filter(({ state }) => state === 'expired')).toMatchObject([{ role: 'timestamp', version: 1 }]);
    expect(list(310).filter(({ state }) => state === 'due')).toMatchObject([{ role: 'root' }, { role: 'targets' }]);
  });
});
