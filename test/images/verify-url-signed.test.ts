import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { KeyRing, type RepositoryEvent, rotateKey } from 'update-repository';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { type VerifyUrlOptions, verifyUrl } from '../../src/images/verify-url.js';
import { notes, problems } from './support/events.js';
import { PASSPHRASE, signedWorkshop } from './support/signed-workshop.js';
import { startWebServer, type WebFault } from './support/web-server.js';
import { addImages, build, SERIES, verify } from './support/workshop.js';

const DAY_MS = 86_400_000;

afterEach(() => {
  vi.useRealTimers();
});

async function verifyServed(url: string, changes: Partial<VerifyUrlOptions> = {}) {
  const events: RepositoryEvent[] = [];
  const { signal } = new AbortController();
  const onEvent = (event: RepositoryEvent) => void events.push(event);
  const summary = await verifyUrl({ url, transfers: 2, signal, onEvent, ...changes });
  return { summary, events };
}

function rootOf(mirrorDir: string, version = 1): string {
  return readFileSync(join(mirrorDir, 'metadata', `${version}.root.json`), 'utf8');
}

describe('verify of the URL of a signed mirror', () => {
  it('finds nothing wrong, and says whose root it believed', async () => {
    const { mirrorDir, ring, keys } = await signedWorkshop();
    await rotateKey({ mirrorDir, ring, onEvent: () => undefined }, { role: 'snapshot', keyid: null }, null);
    const url = await startWebServer(mirrorDir);
    const run = await verifyServed(url);
    expect(problems(run)).toEqual([]);
    expect(notes(run, 'info')).toEqual([expect.stringContaining('metadata: believed from 1.root.json of this very')]);
    for (const trustedRoot of [readFileSync(join(keys, '1.root.json'), 'utf8'), rootOf(mirrorDir, 2)]) {
      const trusting = await verifyServed(url, { trustedRoot });
      expect(problems(trusting)).toEqual([]);
      expect(notes(trusting, 'info')).toEqual([]);
    }
  });

  it('finds another root, metadata that is gone, and metadata that is too long', async () => {
    const { mirrorDir } = await signedWorkshop();
    const other = await signedWorkshop();
    const url = await startWebServer(mirrorDir);
    const foreign = await verifyServed(url, { trustedRoot: rootOf(other.mirrorDir) });
    expect(problems(foreign)).toEqual(['error malformed metadata']);

    const serve = async (path: string, fault: WebFault) => {
      const faulty = await startWebServer(mirrorDir, (asked) => (asked === path ? fault : null));
      return problems(await verifyServed(faulty, { trustedRoot: rootOf(mirrorDir) }));
    };
    expect(await serve('metadata/timestamp.json', 'missing')).toEqual(['error missing metadata/timestamp.json']);
    expect(await serve('metadata/1.snapshot.json', 'missing')).toEqual(['error malformed metadata']);
    expect(await serve(`metadata/1.${SERIES}.json`, 'flipped')).toEqual(['error malformed metadata']);
    expect(await serve('metadata/1.targets.json', 'endless')).toEqual([expect.stringContaining('metadata')]);
    expect(await serve('metadata/1.mirror.json', 'broken')).toEqual(['error unreadable metadata']);
  });

  it('compares the indexes with what is signed, and their copies', async () => {
    const workshop = await signedWorkshop();
    const { mirrorDir, ring } = workshop;
    const old = join(workshop.folder, 'old');
    await cp(join(mirrorDir, 'metadata'), old, { recursive: true });
    await addImages(workshop, [3]);
    await build(workshop, { sign: await KeyRing.open(ring.directory, PASSPHRASE) });
    rmSync(join(mirrorDir, 'metadata'), { recursive: true });
    await cp(old, join(mirrorDir, 'metadata'), { recursive: true });
    const indexes = ['CKSUMS', 'SHA256SUMS', 'index.json', `meta/${SERIES}.json`, 'rdiffs/SHA256SUMS'];
    expect(problems(await verifyServed(await startWebServer(mirrorDir)))).toEqual(
      indexes.map((path) => `error inconsistent ${path}`),
    );
  });

  it('finds copies that are gone or changed, as verify of the directory does', async () => {
    const workshop = await signedWorkshop();
    const copies = join(workshop.mirrorDir, 'metadata');
    const copyOf = (name: string) => readdirSync(copies).find((file) => file.endsWith(`.${name}`)) ?? '';
    const [gone, changed] = [copyOf('CKSUMS'), copyOf('index.json')];
    const text = readFileSync(join(copies, changed), 'utf8');
    expect(changed).toBe(`${createHash('sha256').update(text).digest('hex')}.index.json`);
    rmSync(join(copies, gone));
    writeFileSync(join(copies, changed), text.replace('amd64', 'amd65'));
    const found = [`error missing metadata/${gone}`, `error mismatch metadata/${changed}`].sort();
    expect(problems(await verifyServed(await startWebServer(workshop.mirrorDir)))).toEqual(found);
    expect(problems(await verify(workshop))).toEqual(found);
  });

  it('tells what expires and what is expired', async () => {
    const { mirrorDir } = await signedWorkshop();
    const url = await startWebServer(mirrorDir);
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 5 * DAY_MS });
    expect(problems(await verifyServed(url))).toEqual(['warning stale metadata/timestamp.json']);
    vi.setSystemTime(Date.now() + 3 * DAY_MS);
    expect(problems(await verifyServed(url))).toEqual(['error stale metadata/timestamp.json']);
  });
});
