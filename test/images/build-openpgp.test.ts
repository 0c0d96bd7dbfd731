import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  findSigner,
  type ListSigning,
  Passphrase,
  type RefreshOptions,
  type RepositoryEvent,
  refreshMirror,
} from 'update-repository';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { releaseOfMirror } from '../../src/images/mirror-release.js';
import { FileStorage } from '../../src/publish/file-storage.js';
import { publish } from '../../src/publish/publish.js';
import { rollBack } from '../../src/publish/rollback.js';
import { generateSecretKey, type KeyAlgorithm } from '../../src/trust/openpgp/generate-key.js';
import { defaults } from '../publish/support/releases.js';
import { servedTree } from '../support/served-tree.js';
import { temporaryDirectory, temporaryDirectoryOfSuite } from '../support/temporary-directory.js';
import { haveTools, requireTools } from '../support/tools.js';
import { flipped, GnupgHome, isGoodForGpgv } from '../trust/openpgp/gnupg.js';
import { quickKeys } from '../trust/support/quick-keys.js';
import { notes, problems, writtenIndexes } from './support/events.js';
import { fileStates } from './support/file-states.js';
import { addImages, build, dayImage, makeWorkshop, SERIES, verify, type Workshop } from './support/workshop.js';

const PHRASE = new Passphrase('a phrase', 'the test');
const DAY_MS = 86_400_000;
const META = `meta/${SERIES}.json`;
/** All files that a signed mirror of one series has for OpenPGP. */
const SIGNATURES = [
  ...['CKSUMS.asc', 'SHA256SUMS.asc', 'SHA256SUMS.gpg', `${META}.asc`],
  ...['rdiffs/SHA256SUMS.asc', 'rdiffs/SHA256SUMS.gpg'],
];

const suite = temporaryDirectoryOfSuite();

beforeAll(async () => {
  await Promise.all([newKey('one', 'ed25519'), newKey('other', 'ed25519'), newKey('rsa', 'rsa3072')]);
});

afterEach(() => {
  vi.unstubAllEnvs();
});

async function newKey(userId: string, algorithm: KeyAlgorithm): Promise<void> {
  const key = { algorithm, userId, created: new Date(), expires: null, passphrase: PHRASE };
  await generateSecretKey(keyFile(userId), key);
}

function keyFile(name: string): string {
  return join(suite, `${name}.asc`);
}

/** The key of this name, and how often its passphrase was asked for. */
async function signerOf(name: string, passphrase = PHRASE) {
  let asked = 0;
  const askPassphrase = async () => {
    asked++;
    return passphrase;
  };
  const signer = await findSigner({ kind: 'file', path: keyFile(name), askPassphrase });
  return { signer, timesAsked: () => asked };
}

async function signedWorkshop(name = 'one') {
  const workshop = await makeWorkshop(2);
  const { signer } = await signerOf(name);
  const first = await build(workshop, { signLists: signer });
  return { ...workshop, signer, first };
}

function read({ mirrorDir }: Pick<Workshop, 'mirrorDir'>, path: string): Buffer {
  return readFileSync(join(mirrorDir, path));
}

function signaturesOf({ mirrorDir }: Pick<Workshop, 'mirrorDir'>): string[] {
  return Object.keys(servedTree(mirrorDir)).filter((path) => /\.(asc|gpg)$/.test(path) && path !== 'KEY.gpg');
}

/** Each signature of a mirror, and whether gpgv takes it by the mirror's KEY.gpg. */
async function gpgvSays(workshop: Pick<Workshop, 'mirrorDir'>): Promise<Record<string, boolean>> {
  const folder = await temporaryDirectory();
  const files = { keyring: read(workshop, 'KEY.gpg') };
  const verdicts = signaturesOf(workshop).map((path) => {
    const data = read(workshop, path.replace(/\.(asc|gpg)$/, ''));
    return [path, isGoodForGpgv(folder, { ...files, data, signature: read(workshop, path) })] as const;
  });
  return Object.fromEntries(verdicts);
}

const ALL_GOOD = Object.fromEntries(SIGNATURES.map((path) => [path, true]));

describe('a build with an OpenPGP key', () => {
  it.skipIf(!haveTools('gpgv')).each(['one', 'rsa'])('signs its lists so that gpgv verifies them: %s', async (name) => {
    const workshop = await signedWorkshop(name);
    expect(await gpgvSays(workshop)).toEqual(ALL_GOOD);
    expect((await verify(workshop)).summary).toMatchObject({ errors: 0, warnings: 0 });
  });

  it('writes each signature right behind its list, and the key before all', async () => {
    const { first } = await signedWorkshop();
    expect(writtenIndexes(first)).toEqual([
      'KEY.gpg',
      ...[META, `${META}.asc`],
      ...['CKSUMS', 'CKSUMS.asc'],
      ...['SHA256SUMS', 'SHA256SUMS.gpg', 'SHA256SUMS.asc'],
      ...['rdiffs/SHA256SUMS', 'rdiffs/SHA256SUMS.gpg', 'rdiffs/SHA256SUMS.asc'],
      'index.json',
    ]);
  });

  it('is found out by gpgv and by verify when one bit of a list or a signature is turned', async (context) => {
    requireTools(context, 'gpgv');
    const workshop = await signedWorkshop();
    for (const [path, signatures] of [
      ['SHA256SUMS.gpg', ['SHA256SUMS.gpg']],
      [`${META}.asc`, [`${META}.asc`]],
      ['SHA256SUMS', ['SHA256SUMS.asc', 'SHA256SUMS.gpg']],
      ['CKSUMS', ['CKSUMS.asc']],
    ] as const) {
      const bytes = read(workshop, path);
      writeFileSync(join(workshop.mirrorDir, path), flipped(bytes, Math.floor(bytes.length / 2)));
      const bad = Object.fromEntries(signatures.map((signature) => [signature, false]));
      expect(await gpgvSays(workshop)).toEqual({ ...ALL_GOOD, ...bad });
      const run = await verify(workshop);
      expect(problems(run)).toEqual(
        expect.arrayContaining(signatures.map((signature) => `error mismatch ${signature}`)),
      );
      await expect(releaseOfMirror(workshop.mirrorDir)).rejects.toMatchObject({ code: 'CONFIG' });
      writeFileSync(join(workshop.mirrorDir, path), bytes);
    }
    expect((await verify(workshop)).summary).toMatchObject({ errors: 0 });
  });

  it('of which nothing changed writes nothing, asks for no passphrase, and says so', async () => {
    const workshop = await signedWorkshop();
    const before = fileStates(workshop.folder);
    const { signer, timesAsked } = await signerOf('one');
    const run = await build(workshop, { signLists: signer });
    expect(run.summary.changed).toBe(false);
    expect(notes(run, 'info')).toEqual(['KEY.gpg: up to date, nothing signed']);
    expect(timesAsked()).toBe(0);
    expect(fileStates(workshop.folder)).toEqual(before);
  });

  it('signs the lists that changed, and those whose signatures are missing or damaged', async () => {
    const workshop = await signedWorkshop();
    rmSync(join(workshop.mirrorDir, 'CKSUMS.asc'));
    writeFileSync(join(workshop.mirrorDir, `${META}.asc`), 'nothing');
    const repaired = await build(workshop, { signLists: workshop.signer });
    expect(writtenIndexes(repaired)).toEqual([`${META}.asc`, 'CKSUMS.asc']);
    expect(repaired.summary).toMatchObject({ changed: true, examined: 0 });
    await addImages(workshop, [3]);
    await build(workshop, { signLists: workshop.signer });
    expect((await verify(workshop)).summary).toMatchObject({ errors: 0 });
  });

  it('signs what it knows, not what somebody wrote into a list', async () => {
    const workshop = await signedWorkshop();
    const honest = read(workshop, 'SHA256SUMS');
    writeFileSync(join(workshop.mirrorDir, 'SHA256SUMS'), flipped(honest, 5));
    await build(workshop, { signLists: workshop.signer });
    expect(read(workshop, 'SHA256SUMS').equals(honest)).toBe(true);
    expect((await verify(workshop)).summary).toMatchObject({ errors: 0 });
  });

  it('signs everything anew by another key', async () => {
    const workshop = await signedWorkshop();
    const { signer } = await signerOf('other');
    const run = await build(workshop, { signLists: signer });
    expect(writtenIndexes(run)).toHaveLength(1 + SIGNATURES.length);
    expect(read(workshop, 'KEY.gpg')).toEqual(Buffer.from(signer.publicKey.binary));
    expect((await verify(workshop)).summary).toMatchObject({ errors: 0 });
  });

  it('is refused before anything is done where the passphrase is another one, naming the file', async () => {
    const workshop = await signedWorkshop();
    await addImages(workshop, [3]);
    const before = fileStates(workshop.folder);
    const { signer } = await signerOf('one', new Passphrase('another phrase', 'the test'));
    await expect(build(workshop, { signLists: signer })).rejects.toMatchObject({
      code: 'CONFIG',
      message: `${keyFile('one')}: expected the passphrase of the key, found another one`,
    });
    expect(fileStates(workshop.folder)).toEqual(before);
  });

  it('shows with --dry-run that it would sign, and does not', async () => {
    const workshop = await makeWorkshop(1);
    const { signer, timesAsked } = await signerOf('one');
    await build(workshop);
    const before = fileStates(workshop.folder);
    const { events, summary } = await build(workshop, { signLists: signer, dryRun: true });
    const plan = events.find((event) => event.type === 'plan');
    expect(plan?.actions.map(({ action, path }) => `${action} ${path}`)).toEqual(['sign KEY.gpg']);
    expect(summary.changed).toBe(true);
    expect(timesAsked()).toBe(0);
    expect(fileStates(workshop.folder)).toEqual(before);
  });

  it('removes the signature of a series that is gone with its meta file, also where a build was killed between', async () => {
    const workshop = await signedWorkshop();
    const stem = 'puavo-os-other-bookworm';
    await addImages(workshop, [1], { stem });
    await build(workshop, { signLists: workshop.signer });
    const signature = `meta/${stem}-amd64.json.asc`;
    expect(signaturesOf(workshop)).toContain(signature);
    const bytes = read(workshop, signature);
    rmSync(join(workshop.imagesDir, dayImage(1, stem)));
    await build(workshop, { signLists: workshop.signer });
    expect(signaturesOf(workshop)).toEqual(SIGNATURES);
    writeFileSync(join(workshop.mirrorDir, signature), bytes);
    const run = await build(workshop, { signLists: workshop.signer });
    expect(run.summary.changed).toBe(true);
    expect(signaturesOf(workshop)).toEqual(SIGNATURES);
  });

  it('signs also the lists from which replaced images are withdrawn', async () => {
    const workshop = await signedWorkshop();
    await addImages(workshop, [2], { seed: 'other bytes' });
    const run = await build(workshop, { signLists: workshop.signer, replace: true });
    const lists = writtenIndexes(run).filter((path) => path === 'SHA256SUMS' || path === 'SHA256SUMS.gpg');
    expect(lists).toEqual(['SHA256SUMS', 'SHA256SUMS.gpg', 'SHA256SUMS', 'SHA256SUMS.gpg']);
    expect((await verify(workshop)).summary).toMatchObject({ errors: 0 });
  });
});

describe('a key that ends', () => {
  afterEach(() => {
    vi.useRealTimers();
  });

  async function keyThatEnds(name: string, days: number): Promise<Date> {
    const [created, expires] = [-100, days].map((day) => new Date(Date.now() + day * DAY_MS)) as [Date, Date];
    await generateSecretKey(keyFile(name), {
      algorithm: 'ed25519',
      userId: name,
      created,
      expires,
      passphrase: PHRASE,
    });
    return expires;
  }

  it('is warned of for 30 days by build, refresh and verify, and afterwards, with the key at hand and without', async () => {
    const end = (await keyThatEnds('ending', 31)).toISOString().slice(0, 19);
    const workshop = await signedWorkshop('ending');
    expect([...notes(workshop.first, 'warning'), ...problems(await verify(workshop))]).toEqual([]);
    const warned = async (day: number, verb: string, signLists?: ListSigning) => {
      vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + day * DAY_MS });
      const warning = `KEY.gpg: ${verb} at ${end}Z: put the end off, or sign with another key`;
      expect(notes(await build(workshop, { signLists }), 'warning')).toEqual([expect.stringContaining(warning)]);
      const events: RepositoryEvent[] = [];
      const { signal } = new AbortController();
      const options = { mirrorDir: workshop.mirrorDir, ring: null, breakLock: false, signal };
      await refreshMirror({ ...options, signLists, onEvent: (event) => events.push(event) } as RefreshOptions);
      expect(notes({ events }, 'warning')).toEqual([expect.stringContaining(warning)]);
      const { events: found, summary } = await verify(workshop);
      expect(summary).toMatchObject({ errors: 0, warnings: 1 });
      expect(problems({ events: found })).toEqual(['warning stale KEY.gpg']);
      vi.useRealTimers();
    };
    await warned(2, 'expires', workshop.signer);
    await warned(2, 'expires');
    await warned(32, 'expired');
    if (haveTools('gpgv')) expect(await gpgvSays(workshop)).toEqual(ALL_GOOD);
  });

  it('signs nothing afterwards, which is told before any work', async () => {
    await keyThatEnds('ended', -1);
    await expect(signerOf('ended')).rejects.toMatchObject({
      code: 'CONFIG',
      message: `${keyFile('ended')}: expected a key that can sign, found "Primary key is expired"`,
    });
  });
});

describe.skipIf(!haveTools('gpg', 'gpg-agent', 'gpgconf', 'gpgv'))('a build that signs by gpg', () => {
  const home = new GnupgHome();

  it('is refused before any work where the key has ended', async () => {
    const day = ['--faked-system-time', '20200101T000000'];
    home.run([...day, '--passphrase', '', '--quick-generate-key', 'Ended', 'ed25519', 'sign', '1d']);
    vi.stubEnv('GNUPGHOME', home.path);
    await expect(
      findSigner({ kind: 'gpg', keyId: 'Ended', signal: new AbortController().signal }),
    ).rejects.toMatchObject({
      code: 'CONFIG',
      message: 'gpg key "Ended": expected one that is still good, found that it expired at 2020-01-02T00:00:00Z',
    });
  });

  it('has signatures that gpgv verifies, and asks gpg for none where nothing changed', async () => {
    home.makeKey('Mirror', 'ed25519');
    vi.stubEnv('GNUPGHOME', home.path);
    const workshop = await makeWorkshop(2);
    const find = () => findSigner({ kind: 'gpg', keyId: 'Mirror', signal: new AbortController().signal });
    await build(workshop, { signLists: await find() });
    expect(await gpgvSays(workshop)).toEqual(ALL_GOOD);
    const run = await build(workshop, { signLists: await find() });
    expect(run.summary.changed).toBe(false);
  });

  it('takes a KEY.gpg of ours into its keyring', async () => {
    const workshop = await signedWorkshop();
    home.run(['--import'], read(workshop, 'KEY.gpg'));
    expect(home.fingerprint('one')).toBe(workshop.signer.publicKey.fingerprint);
  });
});

describe('a build without a key of a mirror whose lists are signed', () => {
  it('is refused before anything is done where something changes, and names the file and the options', async () => {
    const workshop = await signedWorkshop();
    await addImages(workshop, [3]);
    const before = fileStates(workshop.folder);
    await expect(build(workshop)).rejects.toMatchObject({
      code: 'CONFIG',
      message: expect.stringContaining('mirror/KEY.gpg: expected its secret key'),
      hint: expect.stringMatching(/--pgp-key.*--gpg-key.*--no-pgp/),
    });
    expect(fileStates(workshop.folder)).toEqual(before);
  });

  it('is up to date where nothing changes', async () => {
    const workshop = await signedWorkshop();
    expect((await build(workshop)).summary.changed).toBe(false);
  });

  it('ends the signing where that is wanted: no signature and no key stays', async () => {
    const workshop = await signedWorkshop();
    const dry = await build(workshop, { signLists: 'none', dryRun: true });
    expect(dry.summary.changed).toBe(true);
    await addImages(workshop, [3]);
    const run = await build(workshop, { signLists: 'none' });
    expect(run.events.filter(({ type }) => type === 'file-removed').at(-1)).toMatchObject({ path: 'KEY.gpg' });
    expect(Object.keys(servedTree(workshop.mirrorDir)).filter((path) => /\.(asc|gpg)$/.test(path))).toEqual([]);
    expect((await verify(workshop)).summary).toMatchObject({ errors: 0 });
    expect((await build(workshop, { signLists: 'none' })).summary.changed).toBe(false);
  });
});

describe('verify', () => {
  it('names signatures that are missing, a key that is none, and signatures without a key', async () => {
    const workshop = await signedWorkshop();
    rmSync(join(workshop.mirrorDir, 'SHA256SUMS.gpg'));
    expect(problems(await verify(workshop))).toEqual(['error missing SHA256SUMS.gpg']);
    writeFileSync(join(workshop.mirrorDir, 'KEY.gpg'), 'no key');
    expect(problems(await verify(workshop))).toEqual(['error malformed KEY.gpg']);
    rmSync(join(workshop.mirrorDir, 'KEY.gpg'));
    expect(problems(await verify(workshop))).toEqual(['warning missing KEY.gpg']);
  });
});

describe('refresh with an OpenPGP key', () => {
  async function refresh({ mirrorDir }: Workshop, signLists: Exclude<ListSigning, 'none'>) {
    const events: RepositoryEvent[] = [];
    const onEvent = (event: RepositoryEvent) => void events.push(event);
    return await refreshMirror({
      mirrorDir,
      ring: null,
      signLists,
      breakLock: false,
      signal: new AbortController().signal,
      onEvent,
    });
  }

  it('makes what is missing where another signature vouches for the list, and nothing where nothing is', async () => {
    const workshop = await signedWorkshop();
    rmSync(join(workshop.mirrorDir, 'SHA256SUMS.asc'));
    expect((await refresh(workshop, workshop.signer)).written).toEqual(['SHA256SUMS.asc']);
    const before = fileStates(workshop.folder);
    const { signer, timesAsked } = await signerOf('one');
    expect((await refresh(workshop, signer)).written).toEqual([]);
    expect(timesAsked()).toBe(0);
    expect(fileStates(workshop.folder)).toEqual(before);
  });

  it('signs no list that somebody changed, or that it has never signed', async () => {
    const workshop = await signedWorkshop();
    const before = fileStates(workshop.folder);
    const { signer: other } = await signerOf('other');
    await expect(refresh(workshop, other)).rejects.toMatchObject({
      code: 'CONFIG',
      message: expect.stringContaining(META),
    });
    expect(fileStates(workshop.folder)).toEqual(before);
    writeFileSync(join(workshop.mirrorDir, 'SHA256SUMS'), flipped(read(workshop, 'SHA256SUMS'), 5));
    await expect(refresh(workshop, workshop.signer)).rejects.toMatchObject({
      code: 'CONFIG',
      message: expect.stringMatching(/SHA256SUMS: expected metadata or a signature by this key .*, found neither$/),
    });
  });

  it('signs by another key what the metadata vouches for', async () => {
    const workshop = await signedWorkshop();
    const ring = await quickKeys(join(workshop.folder, 'keys'), PHRASE);
    await build(workshop, { signLists: workshop.signer, sign: ring });
    const { signer: other } = await signerOf('other');
    expect([...(await refresh(workshop, other)).written].sort()).toEqual([
      'CKSUMS.asc',
      'KEY.gpg',
      ...SIGNATURES.slice(1),
    ]);
    expect((await verify(workshop)).summary).toMatchObject({ errors: 0, warnings: 0 });

    const list = join(workshop.mirrorDir, 'rdiffs', 'SHA256SUMS');
    writeFileSync(
      list,
      readFileSync(list, 'utf8').replace(/^./, (digit) => (digit === '0' ? '1' : '0')),
    );
    const refused = { code: 'CONFIG', message: expect.stringContaining('rdiffs/SHA256SUMS: expected metadata or') };
    await expect(refresh(workshop, workshop.signer)).rejects.toMatchObject(refused);
  });
});

describe('the release of a mirror whose lists are signed', () => {
  it('has each list and its signatures in one stage, the key in the first', async () => {
    const { mirrorDir } = await signedWorkshop();
    const { indexStages } = await releaseOfMirror(mirrorDir);
    expect(indexStages.map((stage) => stage.map(({ path }) => path))).toEqual([
      ['KEY.gpg', META, `${META}.asc`],
      ['CKSUMS', 'CKSUMS.asc'],
      [
        ...['SHA256SUMS', 'SHA256SUMS.gpg', 'SHA256SUMS.asc'],
        ...['rdiffs/SHA256SUMS', 'rdiffs/SHA256SUMS.gpg', 'rdiffs/SHA256SUMS.asc'],
      ],
      ['index.json'],
    ]);
    const types = new Map(indexStages.flat().map(({ path, mediaType }) => [path, mediaType]));
    expect(types.get('SHA256SUMS.gpg')).toBe('application/pgp-signature');
    expect(types.get('CKSUMS.asc')).toBe('application/pgp-signature');
  });

  it('is published with its signatures, and a rollback brings those back that belong to the lists', async (context) => {
    requireTools(context, 'gpgv');
    const workshop = await signedWorkshop();
    const www = join(workshop.folder, 'www');
    const storage = new FileStorage(www);
    const publishIt = async () => await publish(await releaseOfMirror(workshop.mirrorDir), defaults(storage));
    await publishIt();
    const before = servedTree(www);
    await addImages(workshop, [3]);
    await build(workshop, { signLists: workshop.signer });
    await publishIt();
    expect(await gpgvSays({ mirrorDir: www })).toEqual(ALL_GOOD);
    await rollBack(defaults(storage));
    expect(await gpgvSays({ mirrorDir: www })).toEqual(ALL_GOOD);
    for (const path of ['SHA256SUMS', ...SIGNATURES, 'KEY.gpg']) expect(servedTree(www)[path], path).toBe(before[path]);
  });

  it('is refused where a signature is missing, naming it', async () => {
    const { mirrorDir } = await signedWorkshop();
    rmSync(join(mirrorDir, 'CKSUMS.asc'));
    await expect(releaseOfMirror(mirrorDir)).rejects.toMatchObject({
      code: 'CONFIG',
      message: `${mirrorDir}/CKSUMS.asc: expected a good signature over CKSUMS by KEY.gpg, found none`,
    });
  });
});
