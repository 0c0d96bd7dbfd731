import { copyFileSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import { beforeAll } from 'vitest';
import { plainLayout } from '../../../src/client/device/plain-layout.js';
import { type PolicyChoices, policyOf } from '../../../src/client/policy/policy.js';
import type { MirrorSource } from '../../../src/client/session.js';
import { type UpdateOptions, updateDevice } from '../../../src/client/update.js';
import type { RepositoryEvent, UpdateSummaryEvent } from '../../../src/events.js';
import { isImageVersion } from '../../../src/metadata/brands.js';
import { classifyImageName } from '../../../src/metadata/image-name.js';
import { runCli } from '../../cli/run.js';
import { dailyStamps } from '../../support/image-name.js';
import { makeRawImages } from '../../support/raw-images.js';
import { temporaryDirectoryOfSuite } from '../../support/temporary-directory.js';

/** A built mirror, and the images that it is of. */
export interface BuiltMirror {
  readonly root: string;
  /** Paths, oldest first. */
  readonly images: readonly string[];
}

/** Builds a mirror of so many versions of raw images below `dir`, with the deltas of a policy; compressed ones, too, if asked. */
export async function buildMirrorOf(
  versions: number,
  dir: string,
  deltas: string,
  sizeBytes = 300_000,
  compressed = false,
): Promise<BuiltMirror> {
  const [pool, root] = [join(dir, 'images'), join(dir, 'mirror')];
  const stamps = dailyStamps(versions);
  const stem = 'puavo-os-test-bookworm';
  const about = { dir: pool, stem, arch: 'amd64', stamps, seed: 'updates', sizeBytes, compressible: compressed };
  const images = await makeRawImages(about);
  const options = ['--base-url', 'https://images.invalid', '--deltas', deltas];
  if (compressed) options.push('--compress-deltas');
  const built = await runCli(['--quiet', ...options, pool, root]);
  if (built.code !== 0) throw new Error(built.stderr);
  return { root, images };
}

/** The same for a whole file of tests, small, outside of which it is called: built before the first of them. */
export function builtForSuite(versions: number, deltas: string): () => BuiltMirror {
  const dir = temporaryDirectoryOfSuite();
  let built: BuiltMirror | undefined;
  beforeAll(async () => {
    built = await buildMirrorOf(versions, dir, deltas, 20_000);
  }, 60_000);
  return () => {
    if (built === undefined) throw new Error('the mirror is built before the tests, not before that');
    return built;
  };
}

/** The files of a mirror by their paths, as {@link startFaultyServer} serves them. */
export function filesOf({ root }: BuiltMirror): ReadonlyMap<string, Buffer> {
  const names = readdirSync(root, { recursive: true, withFileTypes: true });
  const paths = names.filter((name) => name.isFile()).map((name) => join(name.parentPath, name.name));
  return new Map(paths.map((path) => [relative(root, path), readFileSync(path)]));
}

/** The path of the delta between two images of a mirror. */
export function deltaPathOf(base: string, target: string): string {
  const [from, to] = [base, target].map((path) => /\d{4}-\d\d-\d\d-\d{6}/.exec(path)?.[0]);
  return `rdiffs/${basename(target).replace(String(to), `${from}--${to}`).replace('.img', '.rdiff')}`;
}

/** A device's directory with one of the images, which is current. */
export async function deviceWith(dir: string, image: string | null): Promise<string> {
  mkdirSync(dir, { recursive: true });
  if (image === null) return dir;
  const name = image.slice(image.lastIndexOf('/') + 1);
  copyFileSync(image, join(dir, name));
  await plainLayout(dir).point('current', name);
  return dir;
}

export function versionIn(image: string): string {
  const found = classifyImageName(image.slice(image.lastIndexOf('/') + 1));
  if (found.kind !== 'image') throw new Error(image);
  return found.name.version;
}

/** What an update did, and all that it told. */
export interface Updated {
  readonly summary: UpdateSummaryEvent;
  readonly events: readonly RepositoryEvent[];
}

/** A slow line: what is small here is worth what is large elsewhere. */
const SLOW_LINE = { downloadBytesPerSecond: 10_000, maxHops: 6 };

/** Brings a device to a version of a mirror, with what else `options` say. */
export async function updateTo(
  version: string,
  dir: string,
  source: MirrorSource,
  { policy = {}, ...options }: Omit<Partial<UpdateOptions>, 'policy'> & { readonly policy?: PolicyChoices } = {},
): Promise<Updated> {
  if (!isImageVersion(version)) throw new Error(version);
  const events: RepositoryEvent[] = [];
  const target = { kind: 'version', version } as const;
  const summary = await updateDevice({
    source,
    device: { dir, layout: 'plain' },
    policy: policyOf({ target, allowDowngrade: true, ...SLOW_LINE, ...policy }),
    signal: new AbortController().signal,
    onEvent: (event) => events.push(event),
    ...options,
  });
  return { summary, events };
}

/** The bytes of the current image. */
export function currentBytes(dir: string): Buffer {
  return readFileSync(join(dir, 'current'));
}

/** What earlier runs have left of files. */
export function partialNames(dir: string): string[] {
  return readdirSync(join(dir, '.update-repository', 'partial')).sort();
}
