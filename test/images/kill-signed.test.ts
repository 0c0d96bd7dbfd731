import { execFileSync, spawnSync } from 'node:child_process';
import { linkSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { generateSecretKey } from '../../src/trust/openpgp/generate-key.js';
import { Passphrase } from '../../src/trust/passphrase.js';
import { projectRoot, runCli } from '../cli/run.js';
import { dailyStamps } from '../support/image-name.js';
import { readClaims } from '../support/mirror-claims.js';
import { makeRawImages } from '../support/raw-images.js';
import { servedTree } from '../support/served-tree.js';
import { temporaryDirectoryOfSuite } from '../support/temporary-directory.js';
import { haveTools } from '../support/tools.js';
import { isGoodForGpgv } from '../trust/openpgp/gnupg.js';
import { expectValidMirror } from './expect-valid-mirror.js';

const PASSPHRASE = 'a phrase';

/** A file that the build gives its name, and which of the renames of its thread that is. */
interface Rename {
  readonly path: string;
  readonly count: number;
}

// strace kills the program as it enters the call: the file still has its old bytes then.
describe.skipIf(!haveTools('strace', 'gpgv'))('a build that is killed as it replaces signed lists', () => {
  const folder = temporaryDirectoryOfSuite();
  const imagesDir = join(folder, 'images');
  const before = join(folder, 'before');
  const key = join(folder, 'key.asc');
  const arguments_ = ['--quiet', '--base-url', 'https://images.example.org', '--pgp-key', key, imagesDir];
  const env = { UPDATE_REPOSITORY_PASSPHRASE: PASSPHRASE };
  let named: ReadonlyMap<string, string>;
  let reference: Record<string, string>;
  let renames: Rename[];

  beforeAll(async () => {
    const passphrase = new Passphrase(PASSPHRASE, 'test');
    const kind = { algorithm: 'ed25519', userId: 'test', created: new Date(), expires: null } as const;
    await generateSecretKey(key, { ...kind, passphrase });
    const series = { stem: 'puavo-os-acme-bookworm', arch: 'amd64', seed: 'signed', sizeBytes: 100_000 };
    const images = await makeRawImages({ ...series, dir: join(folder, 'pool'), stamps: dailyStamps(3) });
    mkdirSync(imagesDir);
    for (const image of images.slice(0, 2)) linkSync(image, join(imagesDir, basename(image)));
    expect(await runCli([...arguments_, before], env)).toMatchObject({ code: 0 });
    for (const image of images.slice(2)) linkSync(image, join(imagesDir, basename(image)));
    named = readClaims(before).named;
    const mirror = copyOfBefore();
    const log = join(folder, 'strace.log');
    expect(traced(['-s', '500', '-o', log, '-e', 'trace=rename'], mirror).status).toBe(0);
    renames = indexRenames(readFileSync(log, 'utf8'), mirror);
    reference = lists(mirror);
  });

  test('is valid, and its lists and signatures are completed by the next one, wherever it was', async () => {
    expect(renames.map(({ path }) => path)).toEqual(
      expect.arrayContaining(['CKSUMS', 'CKSUMS.asc', 'SHA256SUMS', 'SHA256SUMS.gpg', 'SHA256SUMS.asc', 'index.json']),
    );
    const torn: string[] = [];
    for (const { path, count } of renames) {
      const mirror = copyOfBefore();
      expect(traced(['-e', `inject=rename:signal=SIGKILL:when=${count}`], mirror).signal, path).toBe('SIGKILL');
      torn.push(...badSignatures(mirror).filter((bad) => bad === path));
      await expectValidMirror(mirror, named);
      expect(await runCli([...arguments_, mirror], env), path).toMatchObject({ code: 0, stderr: '' });
      expect(badSignatures(mirror), path).toEqual([]);
      expect(lists(mirror), path).toEqual(reference);
    }
    // Each signature was met at the one moment at which its list was new and it was not.
    expect(torn).toEqual(renames.map(({ path }) => path).filter((path) => /\.(asc|gpg)$/.test(path)));
  }, 600_000);

  test('is not completed without the key', async () => {
    const mirror = copyOfBefore();
    const { count } = renames.find(({ path }) => path === 'SHA256SUMS.gpg') ?? expect.unreachable();
    expect(traced(['-e', `inject=rename:signal=SIGKILL:when=${count}`], mirror).signal).toBe('SIGKILL');
    const { code, stderr } = await runCli(['--quiet', imagesDir, mirror]);
    expect(code).toBe(2);
    expect(stderr).toContain('KEY.gpg: expected its secret key');
  }, 120_000);

  function copyOfBefore(): string {
    const mirror = join(folder, 'mirror');
    rmSync(mirror, { recursive: true, force: true });
    execFileSync('cp', ['-al', before, mirror]);
    return mirror;
  }

  /** What a reader finds but the signatures, which have the time in them. */
  function lists(mirror: string): Record<string, string> {
    return Object.fromEntries(Object.entries(servedTree(mirror)).filter(([path]) => !/\.(asc|gpg)$/.test(path)));
  }

  function badSignatures(mirror: string): string[] {
    const read = (path: string) => readFileSync(join(mirror, path));
    return Object.keys(servedTree(mirror)).filter((path) => {
      if (!/\.(asc|gpg)$/.test(path) || path === 'KEY.gpg') return false;
      const data = read(path.replace(/\.(asc|gpg)$/, ''));
      return !isGoodForGpgv(folder, { data, signature: read(path), keyring: read('KEY.gpg') });
    });
  }

  /** One thread for all asynchronous calls, since strace counts the calls of each thread by itself. */
  function traced(trace: readonly string[], mirror: string) {
    const program = join(projectRoot, 'bin', 'update-repository.js');
    const command = ['-f', '-qq', ...trace, process.execPath, program, ...arguments_, mirror];
    const variables = { ...process.env, ...env, UV_THREADPOOL_SIZE: '1' };
    return spawnSync('strace', command, { env: variables, stdio: ['ignore', 'ignore', 'ignore'], timeout: 120_000 });
  }
});

/** The renames by which files of the mirror that lists and signatures are get their names. */
function indexRenames(log: string, mirror: string): Rename[] {
  const threads = new Map<string, number>();
  const renames: Rename[] = [];
  for (const [, thread = '', target = ''] of log.matchAll(/^(\d+) +rename\("[^"]*", "([^"]*)"\)/gm)) {
    const count = (threads.get(thread) ?? 0) + 1;
    threads.set(thread, count);
    const path = target.slice(mirror.length + 1);
    if (target.startsWith(`${mirror}/`) && !path.startsWith('.') && !/\.(img|rdiff)$/.test(path)) {
      renames.push({ path, count });
    }
  }
  return renames;
}
