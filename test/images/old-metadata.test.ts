import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { KeyRing, rotateKey } from 'update-repository';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { metadataPaths } from '../../src/images/metadata-paths.js';
import { readFrom } from '../../src/trust/tuf/metadata-directory.js';
import { readRepository } from '../../src/trust/tuf/repository.js';
import { pseudoRandomNumbers } from '../support/pseudo-random.js';
import { servedTree } from '../support/served-tree.js';
import { eventsOf, problems } from './support/events.js';
import { cutShort, metadataOf, PASSPHRASE, refresh, signedWorkshop } from './support/signed-workshop.js';
import { addImages, build, dayImage, prune, SERIES, verify, type Workshop } from './support/workshop.js';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

afterEach(() => {
  vi.useRealTimers();
});

function later(milliseconds: number): void {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + milliseconds });
}

/** What is below `metadata/`. */
function metadataFiles({ mirrorDir }: Pick<Workshop, 'mirrorDir'>): string[] {
  return Object.keys(servedTree(mirrorDir)).filter((path) => path.startsWith('metadata/'));
}

/** What the newest metadata needs, the timestamp too. */
async function neededFiles({ mirrorDir }: Pick<Workshop, 'mirrorDir'>): Promise<string[]> {
  return [...metadataPaths(await metadataOf(mirrorDir)), 'metadata/timestamp.json'];
}

describe('prune of old metadata', () => {
  it('waits for the grace period, then leaves what the newest needs', async () => {
    const workshop = await signedWorkshop();
    const before = metadataFiles(workshop);
    await addImages(workshop, [3]);
    await build(workshop, { sign: workshop.ring });
    const all = metadataFiles(workshop);
    expect(all).toEqual(expect.arrayContaining(before));

    later(HOUR_MS - 60_000);
    expect((await prune(workshop, { graceMs: HOUR_MS })).summary).toMatchObject({ removed: 0, waiting: 8 });
    expect(metadataFiles(workshop)).toEqual(all);
    expect(problems(await verify(workshop)).filter((problem) => problem.includes('metadata/'))).toEqual([]);

    later(2 * 60_000);
    const run = await prune(workshop, { graceMs: HOUR_MS });
    expect(eventsOf(run, 'file-removed').map(({ path }) => path)).toEqual(
      expect.arrayContaining(['1.snapshot', '1.mirror', `1.${SERIES}`].map((name) => `metadata/${name}.json`)),
    );
    expect(run.summary).toMatchObject({ removed: 8, waiting: 0 });
    expect(metadataFiles(workshop).sort()).toEqual((await neededFiles(workshop)).sort());
    expect((await verify(workshop)).summary).toMatchObject({ errors: 0, warnings: 0 });
  });

  it('keeps all roots', async () => {
    const workshop = await signedWorkshop();
    const { mirrorDir, ring } = workshop;
    await rotateKey({ mirrorDir, ring, onEvent: () => undefined }, { role: 'root', keyid: null }, null);
    await prune(workshop);
    expect(metadataFiles(workshop)).toEqual(expect.arrayContaining(['metadata/1.root.json', 'metadata/2.root.json']));
  });

  it('is part of a refresh and of a build that ask for it, also where there is nothing to sign', async () => {
    const workshop = await signedWorkshop();
    later(4 * DAY_MS);
    await addImages(workshop, [3]);
    await build(workshop, { sign: workshop.ring });
    later(HOUR_MS);
    const early = await refresh(workshop.mirrorDir, workshop.ring, { prune: { graceMs: 2 * HOUR_MS } });
    expect(eventsOf(early, 'prune-summary')).toMatchObject([]);
    later(2 * HOUR_MS);
    const late = await refresh(workshop.mirrorDir, workshop.ring, { prune: { graceMs: 2 * HOUR_MS } });
    expect(eventsOf(late, 'prune-summary')).toMatchObject([{ removed: 8 }]);
    expect(late.summary.written).toEqual([]);

    await addImages(workshop, [4]);
    await build(workshop, { sign: workshop.ring });
    expect(
      eventsOf(await build(workshop, { sign: workshop.ring, prune: { graceMs: 0 } }), 'prune-summary'),
    ).toMatchObject([{ removed: 8 }]);
    expect(metadataFiles(workshop).sort()).toEqual((await neededFiles(workshop)).sort());
  });

  it('leaves alone what is not named as metadata', async () => {
    const workshop = await signedWorkshop();
    const foreign = ['README', 'note.json', '1.txt', 'abc.index.json', 'meta/1.old.json'].map(
      (name) => `metadata/${name}`,
    );
    for (const path of foreign) writeFileSync(join(workshop.mirrorDir, path), 'foreign');
    await prune(workshop);
    for (const path of foreign) expect(existsSync(join(workshop.mirrorDir, path)), path).toBe(true);
  });

  it('removes what a killed build wrote before its timestamp, when nothing came of it', async () => {
    const workshop = await signedWorkshop();
    const orphans = ['metadata/2.snapshot.json', `metadata/${'0'.repeat(64)}.index.json`];
    for (const path of orphans) writeFileSync(join(workshop.mirrorDir, path), '{}');
    expect((await prune(workshop, { graceMs: HOUR_MS })).summary).toMatchObject({ removed: 0, waiting: 2 });
    later(2 * HOUR_MS);
    const run = await prune(workshop, { graceMs: HOUR_MS });
    expect(
      eventsOf(run, 'file-removed')
        .map(({ path }) => path)
        .sort(),
    ).toEqual(orphans.sort());
  });

  it('does not keep a build from completing a new root that was cut short', async () => {
    const workshop = await signedWorkshop();
    const { mirrorDir, keys } = workshop;
    await cutShort(workshop, 'timestamp.json');
    await build(workshop, { sign: await KeyRing.open(keys, PASSPHRASE), prune: { graceMs: 0 } });
    expect(await metadataOf(mirrorDir)).toMatchObject({ root: { signed: { version: 2 } } });
    expect(existsSync(join(mirrorDir, '.update-repository', 'unfinished-metadata.json'))).toBe(false);
  });
});

/** A timestamp that clients may have read. */
interface Seen {
  readonly text: string;
  readonly rootVersion: number;
  /** When the next one took its place. */
  replacedAt: number;
}

/** Reads all that a timestamp leads to, as a client does that read it then. */
async function expectResolves({ mirrorDir }: Workshop, { text, rootVersion }: Seen): Promise<void> {
  const read = readFrom(mirrorDir);
  const repository = await readRepository(async (fileName, maxBytes) => {
    if (fileName === 'timestamp.json') return text;
    return fileName === `${rootVersion + 1}.root.json` ? null : await read(fileName, maxBytes);
  }, null);
  if (repository === null) throw new Error('no metadata');
  for (const path of metadataPaths(repository)) {
    const bytes = readFileSync(join(mirrorDir, path));
    const [, sha256] = /([0-9a-f]{64})\.[^/]+$/.exec(path) ?? [];
    if (sha256 !== undefined) expect(createHash('sha256').update(bytes).digest('hex'), path).toBe(sha256);
  }
}

describe('after any sequence of builds, refreshes, rotations and prunes', () => {
  const GRACE_MS = 36 * HOUR_MS;

  it.each(['a', 'b', 'c'])('each timestamp within the grace period leads to all of its metadata (%s)', async (seed) => {
    const workshop = await signedWorkshop();
    const { mirrorDir, keys } = workshop;
    const random = pseudoRandomNumbers(seed);
    const below = (count: number) => Math.floor(random() * count);
    const grace = { graceMs: GRACE_MS };
    let ring = workshop.ring;
    const steps: (() => Promise<unknown>)[] = [
      async () => {
        const day = 1 + below(4);
        if (existsSync(join(workshop.imagesDir, dayImage(day))) && readdirSync(workshop.imagesDir).length > 1) {
          rmSync(join(workshop.imagesDir, dayImage(day)));
        } else await addImages(workshop, [day]);
        await build(workshop, { sign: ring, prune: below(2) === 0 ? grace : undefined });
      },
      () => refresh(mirrorDir, ring, { prune: below(2) === 0 ? grace : undefined }),
      () => prune(workshop, grace),
      async () => later(below(3) * DAY_MS + below(24) * HOUR_MS),
      async () => later(below(24) * HOUR_MS),
    ];
    const seen: Seen[] = [];
    const look = async () => {
      const text = readFileSync(join(mirrorDir, 'metadata', 'timestamp.json'), 'utf8');
      const last = seen.at(-1);
      if (last?.text === text) return;
      if (last !== undefined) last.replacedAt = Date.now();
      seen.push({ text, rootVersion: (await metadataOf(mirrorDir)).root.signed.version, replacedAt: Infinity });
    };
    await look();
    for (let step = 0; step < 24; step++) {
      if (step === 12) {
        await rotateKey({ mirrorDir, ring, onEvent: () => undefined }, { role: 'snapshot', keyid: null }, null);
        ring = await KeyRing.open(keys, PASSPHRASE);
      } else await steps[below(steps.length)]?.();
      await look();
      const within = seen.filter(({ replacedAt }) => replacedAt > Date.now() - GRACE_MS);
      for (const one of within) await expectResolves(workshop, one);
    }
    expect(seen.length).toBeGreaterThan(3);
    later(2 * GRACE_MS);
    await prune(workshop, grace);
    expect(metadataFiles(workshop).sort()).toEqual((await neededFiles(workshop)).sort());
  });
});
