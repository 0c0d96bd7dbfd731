import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { changeKey } from '../../../src/trust/tuf/key-changes.js';
import { DEFAULT_LIFETIMES } from '../../../src/trust/tuf/lifetimes.js';
import { SigningKey } from '../../../src/trust/tuf/signing-key.js';
import { runCli } from '../../cli/run.js';
import { evenly } from '../../support/kill-instants.js';
import { temporaryDirectory, temporaryDirectoryOfSuite } from '../../support/temporary-directory.js';
import { haveTools } from '../../support/tools.js';
import { killCliAt, observeCli } from '../../support/traced-cli.js';
import { allKeys } from '../../trust/tuf/support/sample-keys.js';
import { type FaultyServer, startFaultyServer } from '../support/faulty-server.js';
import { SignedMirror } from '../support/signed-mirror.js';
import { type BuiltMirror, buildMirrorOf, currentBytes, deviceWith, filesOf } from '../support/updates.js';

/** Of each of the four. */
const kills = Math.ceil(Number(process.env.SOAK_KILLS ?? 12) / 4);
const seed = process.env.SOAK_SEED ?? '1';

type Files = ReadonlyMap<string, Buffer>;

interface Scene {
  readonly name: string;
  /** Whether the device has been updated from the mirror's first state. */
  readonly remembers: boolean;
  /** Whether the key of timestamp was replaced since, and with it the root. */
  readonly rotated?: boolean;
  /** What is not there of the mirror's second state; it then cannot be verified. */
  readonly missing?: RegExp;
}

const scenes: readonly Scene[] = [
  { name: 'the first one', remembers: false },
  { name: 'one to the next version', remembers: true },
  { name: 'one to the next version by the next root', remembers: true, rotated: true },
  { name: 'one from a mirror without all of its metadata', remembers: true, missing: /^metadata\/\d+\.puavo-/ },
];

/** What trust.json has. */
interface Trusted {
  readonly root: string;
  readonly timestamp: string | null;
  readonly snapshot: string | null;
  readonly roles: Readonly<Record<string, string>>;
}

const suite = temporaryDirectoryOfSuite();
let built: BuiltMirror;

// The program is killed by strace as it enters a chosen system call.
describe.skipIf(!haveTools('strace', 'cksum'))('an update --trust', () => {
  beforeAll(async () => {
    built = await buildMirrorOf(2, suite, 'neighbours', 20_000);
  }, 60_000);

  test.each(scenes)(
    `$name that is killed at ${kills} instants (SOAK_SEED=${seed}) trusts what it did before or what it verified, and the next one completes`,
    async (scene) => {
      const { mirror, server, root, known, earlier } = await makeWorld(scene);
      const dir = await temporaryDirectory();
      const device = join(dir, 'device');
      const args = ['update', '--quiet', '--trust', root, server.url, device];
      const honest = mirror.files;
      const broken = new Map([...honest].filter(([path]) => scene.missing?.test(path) !== true));
      const history = [...earlier, ...honest].map(([, bytes]) => bytes.toString());
      const before = trustOf(known);
      const copyKnown = () => {
        rmSync(device, { recursive: true, force: true });
        execFileSync('cp', ['-a', known, device]);
        serve(server, broken);
      };
      copyKnown();
      const instants = await observeCli(join(dir, 'strace.log'), args, {}, scene.missing === undefined ? 0 : 3);
      const found = { before: 0, verified: 0 };
      const chosen = evenly(instants, kills, seed);
      for (const instant of chosen) {
        const where = `killed at ${instant.call} ${instant.count}`;
        copyKnown();
        await killCliAt(instant, args);
        const now = trustOf(device);
        if (now !== before) expectVerified(JSON.parse(now ?? ''), history, where);
        if (scene.missing !== undefined) expect(now, where).toBe(before);
        found[now === before ? 'before' : 'verified'] += 1;
        serve(server, honest);
        expect(await runCli(args), where).toMatchObject({ code: 0, stderr: '' });
        expect(currentBytes(device).equals(readFileSync(String(built.images[1]))), where).toBe(true);
        await expectNoWayBack(server, earlier, device, where);
      }
      console.log(`${chosen.length} kills of ${instants.length} instants: ${JSON.stringify(found)}`);
    },
    120_000 + kills * 30_000,
  );
});

/** A mirror of one version and then of two, and a device that knows the first state, or nothing yet. */
async function makeWorld({ remembers, rotated = false }: Scene) {
  const mirror = await SignedMirror.make(filesOf(built), 1);
  const earlier = mirror.files;
  const server = await startFaultyServer({ files: earlier, random: () => 0.5 });
  const dir = await temporaryDirectory();
  const root = join(dir, 'root.json');
  writeFileSync(root, earlier.get('metadata/1.root.json') ?? '');
  const known = await deviceWith(join(dir, 'known'), null);
  if (remembers) expect(await runCli(['update', '--trust', root, server.url, known])).toMatchObject({ code: 0 });
  if (rotated) await rotateTimestamp(mirror);
  else await mirror.show(2);
  return { mirror, server, root, known, earlier };
}

async function rotateTimestamp(mirror: SignedMirror): Promise<void> {
  const { timestamp } = mirror.signing.keys;
  const successor = SigningKey.generate('ed25519');
  const change = { from: timestamp.id, to: successor.publicKey, roles: null };
  const making = { lifetimes: DEFAULT_LIFETIMES, now: new Date() };
  const drafts = changeKey(await mirror.signing.current(), change, making);
  await mirror.show(2, drafts, [...allKeys(mirror.signing.keys), successor]);
}

function serve({ files }: FaultyServer, shown: Files): void {
  files.clear();
  for (const [path, bytes] of shown) files.set(path, bytes);
}

function trustOf(device: string): string | null {
  const path = join(device, '.update-repository', 'trust.json');
  return existsSync(path) ? readFileSync(path, 'utf8') : null;
}

/** Every file of it is one that the mirror had, and each is the one that the file above it names. */
function expectVerified(
  { root, timestamp, snapshot, roles }: Trusted,
  history: readonly string[],
  where: string,
): void {
  const texts = [root, timestamp ?? '', snapshot ?? '', ...Object.values(roles)];
  for (const text of texts) expect(history, where).toContain(text);
  const named = { ...metaIn(timestamp), ...metaIn(snapshot) };
  for (const [role, text] of [['snapshot', snapshot ?? ''] as const, ...Object.entries(roles)]) {
    expect(createHash('sha256').update(text).digest('hex'), `${where}: ${role}`).toBe(
      named[`${role}.json`]?.hashes.sha256,
    );
  }
  const { keyids } = JSON.parse(root).signed.roles.timestamp;
  expect(keyids, where).toContain(JSON.parse(timestamp ?? '').signatures[0].keyid);
}

function metaIn(text: string | null): Record<string, { readonly hashes: { readonly sha256: string } }> {
  return JSON.parse(text ?? '').signed.meta;
}

/** What the mirror was before is refused, and nothing of it is remembered. */
async function expectNoWayBack(server: FaultyServer, earlier: Files, device: string, where: string): Promise<void> {
  const trusted = trustOf(device);
  for (const [path, bytes] of earlier) server.files.set(path, bytes);
  const { code, stdout } = await runCli(['--json', 'update', server.url, device]);
  expect(code, where).toBe(3);
  expect(stdout, where).toMatch(/"reason":"(rollback|wrong-key)"/);
  expect(trustOf(device), where).toBe(trusted);
}
