import { statfsSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, type TestContext, test } from 'vitest';
import { runCli } from '../cli/run.js';
import { dailyStamps } from '../support/image-name.js';
import { makeRawImages } from '../support/raw-images.js';
import { servedTree } from '../support/served-tree.js';
import { mountSmallDisk, type SmallDisk } from '../support/small-disk.js';
import { temporaryDirectory, temporaryDirectoryOfSuite } from '../support/temporary-directory.js';
import { expectValidMirror } from './expect-valid-mirror.js';

const folder = temporaryDirectoryOfSuite();
const imagesDir = join(folder, 'images');
const ampleBytes = 20_000_000;
const pageBytes = 4096;

/** Images whose deltas are worth compressing, and so compressed. */
const compressibleDir = join(folder, 'compressible');

beforeAll(async () => {
  const series = { stem: 'puavo-os-acme-bookworm', arch: 'amd64', seed: 'full disk', stamps: dailyStamps(4) };
  await makeRawImages({ ...series, dir: imagesDir, sizeBytes: 1_000_000 });
  await makeRawImages({ ...series, dir: compressibleDir, sizeBytes: 1_000_000, compressible: true });
});

// The images are copies here and most of the mirror. So the disk is full in the first image, in a later one, among the
// deltas and, as far as it can be told, in the records and indexes at the end.
test.for([
  { share: 0.02, pages: 0 },
  { share: 0.5, pages: 0 },
  { share: 0.95, pages: 0 },
  { share: 1, pages: -16 },
  { share: 1, pages: -4 },
  { share: 1, pages: -2 },
  { share: 1, pages: -1 },
])(
  'a disk that is too small gives one clear error and a valid mirror, and a larger one completes it: %o',
  async ({ share, pages }, context) => {
    known ??= await wholeBuild(context, []);
    await expectClearEnd(context, known, Math.floor(known.usedBytes * share) + pages * pageBytes, []);
  },
);

test('so does one that is full as deltas are compressed', async (context) => {
  const flags = ['--compress-deltas'];
  const plain = await wholeBuild(context, ['--no-compress-deltas']);
  const whole = await wholeBuild(context, flags);
  expect(Object.keys(whole.tree).filter((path) => path.endsWith('.rdiff.zst'))).toHaveLength(9);
  await expectClearEnd(context, whole, (plain.usedBytes + whole.usedBytes) / 2, flags);
});

interface WholeBuild {
  readonly usedBytes: number;
  readonly tree: Record<string, string>;
}

let known: WholeBuild | undefined;

/** What a build leaves on a disk that is large enough. */
async function wholeBuild(context: TestContext, flags: readonly string[]): Promise<WholeBuild> {
  const disk = await mountDisk(context, ampleBytes);
  expect(await build(disk, flags)).toMatchObject({ code: 0 });
  const { blocks, bfree, bsize } = statfsSync(disk.path);
  return { usedBytes: (blocks - bfree) * bsize, tree: servedTree(mirrorOn(disk)) };
}

async function expectClearEnd(
  context: TestContext,
  whole: WholeBuild,
  sizeBytes: number,
  flags: readonly string[],
): Promise<void> {
  const disk = await mountDisk(context, Math.floor(sizeBytes));
  const full = await build(disk, flags);
  expect(full.code, full.stderr).toBe(6);
  expect(full.stderr).toMatch(/^update-repository: [^\n]+: no space left on device\nhint: free some space [^\n]+\n$/m);
  await expectValidMirror(mirrorOn(disk), new Map());

  disk.resize(ampleBytes);
  expect(await build(disk, flags)).toMatchObject({ code: 0, stderr: '' });
  expect(servedTree(mirrorOn(disk))).toEqual(whole.tree);
}

async function mountDisk(context: TestContext, sizeBytes: number): Promise<SmallDisk> {
  return mountSmallDisk(context, join(await temporaryDirectory(), 'disk'), sizeBytes);
}

function mirrorOn(disk: SmallDisk): string {
  return join(disk.path, 'mirror');
}

/** With flags the images are those that have compressible deltas. */
function build(disk: SmallDisk, flags: readonly string[]) {
  return runCli([
    '--quiet',
    '--link',
    'copy',
    '--deltas',
    'puavo',
    '--base-url',
    'https://images.example.org',
    ...flags,
    flags.length === 0 ? imagesDir : compressibleDir,
    mirrorOn(disk),
  ]);
}
