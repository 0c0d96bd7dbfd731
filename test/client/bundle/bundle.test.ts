import { execFile } from 'node:child_process';
import { createReadStream } from 'node:fs';
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { type BundledFile, MANIFEST_NAME, renderManifest } from '../../../src/client/bundle/manifest.js';
import { type OpenBundle, openBundle } from '../../../src/client/bundle/read-bundle.js';
import { writeBundle } from '../../../src/client/bundle/write-bundle.js';
import { fileNameOf } from '../../../src/client/hop.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';
import { requireTools } from '../../support/tools.js';
import { localImage, sampleMeta, versionOf } from '../plan/series.js';
import { opening, pieces, SAMPLE_METADATA, type SampleBundle, sampleBundle } from './sample-bundle.js';

const run = promisify(execFile);
const signal = new AbortController().signal;

async function written(sample: SampleBundle, directory: string): Promise<string> {
  const path = join(directory, 'update.tar');
  const { manifest } = sample;
  const sizeBytes = await writeBundle({ manifest, openFile: opening(sample), path, force: false, signal });
  expect((await stat(path)).size).toBe(sizeBytes);
  return path;
}

/** The names of the files in their order, all of which have the bytes of `sample`. */
async function namesRead({ metadata, files }: OpenBundle, { contents }: SampleBundle): Promise<string[]> {
  const names = [...metadata.keys()];
  for (const [name, text] of metadata) expect(text, name).toBe(contents.get(name)?.toString());
  for await (const { hop, bytes } of files) {
    const name = fileNameOf(hop);
    const all: Uint8Array[] = [];
    for await (const piece of bytes) all.push(piece);
    expect(Buffer.concat(all).equals(contents.get(name)!), name).toBe(true);
    names.push(name);
  }
  return names;
}

describe('a bundle', () => {
  it.each([
    ['of deltas', sampleBundle()],
    ['that begins with a whole image', sampleBundle({ whole: true })],
    ['with an empty file', sampleBundle({ firstBytes: 0 })],
    ['with a file of whole blocks', sampleBundle({ firstBytes: 1024 })],
    ['with signed metadata', sampleBundle({ metadata: SAMPLE_METADATA })],
  ])('%s is read as it was written', async (_, sample) => {
    const path = await written(sample, await temporaryDirectory());
    const bundle = await openBundle(createReadStream(path), 'update.tar');
    expect(bundle.manifest).toEqual(sample.manifest);
    expect(await namesRead(bundle, sample)).toEqual([...sample.contents.keys()]);
  });

  it('has the same bytes each time, and no file before it is complete', async () => {
    const directory = await temporaryDirectory();
    const sample = sampleBundle();
    const first = await readFile(await written(sample, directory));
    const path = join(directory, 'again.tar');
    const openFile = (file: BundledFile) => {
      expect(file.size).toBe(sample.contents.get(file.filename)?.length);
      return watched(pieces(sample.contents.get(file.filename)!), async () => {
        expect(await readdir(directory)).not.toContain('again.tar');
      });
    };
    await writeBundle({ manifest: sample.manifest, openFile, path, force: false, signal });
    expect((await readFile(path)).equals(first)).toBe(true);
    expect((await readdir(directory)).sort()).toEqual(['again.tar', 'update.tar']);
  });

  it('is a tar archive that GNU tar lists and extracts', async (context) => {
    requireTools(context, 'tar');
    const directory = await temporaryDirectory();
    const sample = sampleBundle({ metadata: SAMPLE_METADATA });
    const path = await written(sample, directory);
    const names = [MANIFEST_NAME, ...sample.contents.keys()];
    const listed = await run('tar', ['--list', '--file', path]);
    expect(listed.stdout).toBe(names.map((name) => `${name}\n`).join(''));
    expect(listed.stderr).toBe('');
    const into = join(directory, 'out');
    await mkdir(into);
    await run('tar', ['--extract', '--file', path, '--directory', into]);
    expect(await readFile(join(into, MANIFEST_NAME), 'utf8')).toBe(renderManifest(sample.manifest));
    for (const [name, bytes] of sample.contents) expect((await readFile(join(into, name))).equals(bytes)).toBe(true);
  });

  it.for(['ustar', 'pax', 'gnu'])('may be made by GNU tar as well, in its format %s', async (format, context) => {
    requireTools(context, 'tar');
    const directory = await temporaryDirectory();
    // ustar has no place for the longest of the names.
    const metadata = format === 'ustar' ? new Map([...SAMPLE_METADATA].slice(0, 1)) : SAMPLE_METADATA;
    const sample = sampleBundle({ metadata });
    await writeFile(join(directory, MANIFEST_NAME), renderManifest(sample.manifest));
    await mkdir(join(directory, 'metadata', 'meta'), { recursive: true });
    for (const [name, bytes] of sample.contents) await writeFile(join(directory, name), bytes);
    const path = join(directory, 'made.tar');
    const members = [MANIFEST_NAME, ...sample.contents.keys()];
    await run('tar', ['--create', `--format=${format}`, '--file', path, '--directory', directory, ...members]);
    const bundle = await openBundle(createReadStream(path), 'made.tar');
    expect(await namesRead(bundle, sample)).toEqual([...sample.contents.keys()]);
  });

  it('may be read in part: what is left of a file is compared all the same', async () => {
    const sample = sampleBundle();
    const path = await written(sample, await temporaryDirectory());
    const names: string[] = [];
    for await (const { hop, bytes } of (await openBundle(createReadStream(path), 'update.tar')).files) {
      names.push(fileNameOf(hop));
      for await (const piece of bytes) if (piece.length > 0) break;
    }
    expect(names).toEqual([...sample.contents.keys()]);
  });

  it('that is read only to its first file ends the reading of its source', async () => {
    const path = await written(sampleBundle(), await temporaryDirectory());
    const source = createReadStream(path, { highWaterMark: 4096 });
    for await (const _ of (await openBundle(source, 'update.tar')).files) break;
    await expect.poll(() => source.destroyed).toBe(true);
  });

  it('says what is on the device already', () => {
    const { manifest } = sampleBundle();
    expect(manifest).toMatchObject({ from: versionOf(1), to: versionOf(3) });
    expect(manifest.meta.images[0]).toMatchObject({ sha256: localImage(1, 900).sha256, diffs: [] });
    expect(sampleMeta([]).series).toBe(manifest.series);
    expect(sampleBundle({ whole: true }).manifest.from).toBeNull();
  });
});

describe('a bundle is not written', () => {
  const { manifest, contents } = sampleBundle();
  const [firstName, first] = [...contents][0]!;

  it.each<[string, Buffer, string]>([
    ['too short', first.subarray(1), `${firstName}: expected ${first.length} bytes, found ${first.length - 1} bytes`],
    ['too long', Buffer.concat([first, first]), `${firstName}: expected ${first.length} bytes, found more`],
    ['other bytes', Buffer.from(first).fill(1, 5, 6), `${firstName}: expected sha256 `],
  ])('of a file that is %s', async (_, bytes, message) => {
    const directory = await temporaryDirectory();
    const request = { manifest, openFile: () => pieces(bytes), path: join(directory, 'x.tar'), force: false, signal };
    await expect(writeBundle(request)).rejects.toMatchObject({
      code: 'VERIFICATION',
      message: expect.stringContaining(message),
    });
    expect(await readdir(directory)).toEqual([]);
  });

  it('of a file that does not end, of which no more is read than there should be', async () => {
    const directory = await temporaryDirectory();
    let given = 0;
    async function* endless(): AsyncIterable<Uint8Array> {
      for (; given < 2 ** 28; given += 10_000) yield first.subarray(0, 10_000);
    }
    const request = { manifest, openFile: endless, path: join(directory, 'x.tar'), force: false, signal };
    await expect(writeBundle(request)).rejects.toMatchObject({ message: expect.stringMatching(/found more$/) });
    expect(given).toBeLessThanOrEqual(first.length + 10_000);
  });

  it('where the disk is full', async () => {
    const request = { manifest, openFile: opening(sampleBundle()), path: '/dev/full', force: true, signal };
    await expect(writeBundle(request)).rejects.toMatchObject({ code: 'NO_SPACE' });
  });

  it('to the end when it is stopped, or its source fails', async () => {
    const directory = await temporaryDirectory();
    const path = join(directory, 'x.tar');
    const stop = new AbortController();
    const openFile = () => watched(pieces(first), async () => stop.abort());
    await expect(writeBundle({ manifest, openFile, path, force: false, signal: stop.signal })).rejects.toMatchObject({
      code: 'INTERRUPTED',
    });
    const failing = () =>
      watched(pieces(first), async () => {
        throw new Error('the source failed');
      });
    await expect(writeBundle({ manifest, openFile: failing, path, force: false, signal })).rejects.toThrow(
      'the source failed',
    );
    expect(await readdir(directory)).toEqual([]);
  });
});

async function* watched(bytes: AsyncIterable<Uint8Array>, look: () => Promise<void>): AsyncIterable<Uint8Array> {
  for await (const piece of bytes) {
    await look();
    yield piece;
  }
}
