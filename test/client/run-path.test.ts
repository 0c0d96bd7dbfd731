import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { Stages } from '../../src/client/device/stages.js';
import { surveyImages } from '../../src/client/device/survey.js';
import { openMirrors } from '../../src/client/download/mirrors.js';
import type { DeltaHop } from '../../src/client/hop.js';
import { mirrorFiles } from '../../src/client/mirror-files.js';
import { runPath } from '../../src/client/run-path.js';
import { parseSeriesMeta } from '../../src/metadata/meta.js';
import { temporaryDirectory, temporaryDirectoryOfSuite } from '../support/temporary-directory.js';
import { haveTools } from '../support/tools.js';
import { opened } from './device/support/device-directory.js';
import { startFaultyServer } from './support/faulty-server.js';
import { type BuiltMirror, buildMirrorOf, deviceWith, filesOf, versionIn } from './support/updates.js';

const MIB = 1024 * 1024;

describe.skipIf(!haveTools('cksum'))('a path of four deltas', () => {
  const dir = temporaryDirectoryOfSuite();
  let mirror: BuiltMirror;
  let files: ReadonlyMap<string, Buffer>;

  beforeAll(async () => {
    mirror = await buildMirrorOf(5, dir, 'neighbours', 300_000);
    files = filesOf(mirror);
  });

  // A list of commands takes 1 MiB at least.
  test.each([
    { views: 'all', viewsMemoryBytes: 3 * MIB, made: [4] },
    { views: 'two', viewsMemoryBytes: 2 * MIB, made: [3, 4] },
    { views: 'one', viewsMemoryBytes: MIB, made: [2, 4] },
    { views: 'no', viewsMemoryBytes: 0, made: [1, 2, 3, 4] },
  ])('with memory for $views of its images between makes only those that it must, and keeps one', async (row) => {
    const [base = '', ...others] = mirror.images;
    const { device, events } = await opened(await deviceWith(join(await temporaryDirectory(), 'device'), base));
    const server = await startFaultyServer({ files, random: () => 0.5 });
    const retry = { attempts: 1, firstPauseMs: 1, onEvent: device.onEvent };
    const mirrors = await openMirrors({ roots: [server.url], retry });
    onTestFinished(() => mirrors.close());
    const [path = '', text] = [...files].find(([name]) => name.startsWith('meta/')) ?? [];
    const meta = parseSeriesMeta(String(text), path);
    const hops = meta.images
      .filter(({ version }) => version !== versionIn(base))
      .sort((a, b) => (a.version < b.version ? -1 : 1))
      .map((image): DeltaHop => ({ kind: 'delta', image, delta: image.diffs[0]!, base: image.diffs[0]!.version }));
    const present = await surveyImages(device, meta);
    const stages = new Stages(device, null);
    const { viewsMemoryBytes } = row;
    const source = mirrorFiles(mirrors, { ...device, directory: device.place.partialDir });
    await runPath(hops, { device, files: source, meta, present, stages, keepDeltas: false, viewsMemoryBytes });
    const made = events.filter((event) => event.type === 'job-finished' && event.kind === 'patch');
    const nameOf = (index: number) => hops[index - 1]?.image.filename;
    expect(made).toMatchObject(row.made.map((index) => ({ path: nameOf(index) })));
    const target = device.place.partialPath(String(nameOf(4)));
    expect(readFileSync(target).equals(readFileSync(String(others.at(-1))))).toBe(true);
    const images = readdirSync(device.place.partialDir).filter((name) => name.endsWith('.img'));
    expect(images.sort()).toEqual(row.made.slice(-2).map(nameOf));
  });
});
