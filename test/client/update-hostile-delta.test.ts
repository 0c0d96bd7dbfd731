import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import type { MirrorSource } from '../../src/client/session.js';
import { parseSha256Hex, parseSha512Hex } from '../../src/metadata/brands.js';
import { type MetaDiff, parseSeriesMeta, renderSeriesMeta } from '../../src/metadata/meta.js';
import { commands, copy, literal } from '../delta/support/commands.js';
import { temporaryDirectory, temporaryDirectoryOfSuite } from '../support/temporary-directory.js';
import { haveTools } from '../support/tools.js';
import { type FaultyServer, startFaultyServer } from './support/faulty-server.js';
import {
  type BuiltMirror,
  buildMirrorOf,
  currentBytes,
  deltaPathOf,
  deviceWith,
  filesOf,
  partialNames,
  updateTo,
  versionIn,
} from './support/updates.js';

type Make = (delta: Buffer, baseBytes: number, targetBytes: number) => Buffer;

const IMAGE_BYTES = 120_000;
/** As many copies as a delta of some kilobytes holds, each of the whole base: gigabytes. */
const bomb = commands(...Array.from({ length: 4_000 }, () => copy(0, IMAGE_BYTES)));

describe.skipIf(!haveTools('cksum'))('a delta that the mirror lists with its real sha256', () => {
  const dir = temporaryDirectoryOfSuite();
  let mirror: BuiltMirror;
  let files: ReadonlyMap<string, Buffer>;

  beforeAll(async () => {
    mirror = await buildMirrorOf(3, dir, 'neighbours', IMAGE_BYTES);
    files = filesOf(mirror);
  });

  const hostile: readonly [string, Make, RegExp][] = [
    ['reads beyond the base', (_, baseBytes) => commands(literal('abc'), copy(baseBytes, 1)), /at byte 8 of the delta/],
    ['reads from far beyond it', () => commands(copy(2 ** 31, 9)), /at byte 4 of the delta/],
    ['writes beyond the target', (delta) => appended(delta, literal('more')), /at byte \d+ of the delta: .*at least/],
    ['is a bomb', () => bomb, /at byte \d+ of the delta: expected a target of \d+ bytes, found at least/],
    ['makes too little', () => commands(literal('little')), /at byte \d+ of the delta: expected a target of/],
    ['is truncated', (delta) => delta.subarray(0, delta.length >> 1), /at byte \d+ of the delta: expected its end/],
    ['has no end', (delta) => delta.subarray(0, -1), /at byte \d+ of the delta: expected its end command/],
    ['has more behind its end', (delta) => Buffer.concat([delta, Buffer.of(0)]), /expected nothing after the end/],
    ['has a reserved command', () => commands(Buffer.of(0x55)), /at byte 4 of the delta/],
    ['is no delta', () => Buffer.from('<html>'.repeat(9)), /at byte 0 of the delta/],
    [
      'makes another image',
      (_, __, targetBytes) => commands(copy(0, 60_000), copy(0, targetBytes - 60_000)),
      /expected sha256 [0-9a-f]{64}, found [0-9a-f]{64}/,
    ],
  ];

  test.each(hostile)(
    'and %s as the last one is refused with its place, and the old image is whole',
    async (_, ...how) => {
      const [make, message] = how;
      const [, base, target] = mirror.images.map(String) as [string, string, string];
      const { server, path } = await servedWith(base, target, make);
      const device = await deviceWith(await temporaryDirectory(), base);
      const code = /sha256/.test(message.source) ? 'VERIFICATION' : 'FORMAT';
      const refused = updateTo(versionIn(target), device, sourceOf(server), { policy: { fallback: 'never' } });
      await expect(refused).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
      await expect(refused).rejects.toMatchObject({ message: expect.stringContaining(path) });
      expect(currentBytes(device).equals(readFileSync(base))).toBe(true);
      expect(partialNames(device)).toEqual([]);
      const { summary } = await updateTo(versionIn(target), device, sourceOf(server));
      expect(summary.changed).toBe(true);
      expect(currentBytes(device).equals(readFileSync(target))).toBe(true);
    },
  );

  test.each(hostile)('and %s on the way is refused, and the old image is whole', async (_, make, message) => {
    const [first, middle, target] = mirror.images.map(String) as [string, string, string];
    const { server } = await servedWith(first, middle, make);
    const device = await deviceWith(await temporaryDirectory(), first);
    const refused = updateTo(versionIn(target), device, sourceOf(server), { policy: { fallback: 'never' } });
    // Only what comes of the last delta is compared with a sha256.
    const isSilent = /sha256/.test(message.source);
    await expect(refused).rejects.toMatchObject({
      code: isSilent ? 'VERIFICATION' : 'FORMAT',
      message: expect.stringMatching(message),
    });
    expect(currentBytes(device).equals(readFileSync(first))).toBe(true);
    const { summary } = await updateTo(versionIn(target), device, sourceOf(server));
    expect(summary.changed).toBe(true);
    expect(currentBytes(device).equals(readFileSync(target))).toBe(true);
  });

  /** Serves the mirror with another delta between two images, listed as what it is. */
  async function servedWith(
    base: string,
    target: string,
    make: Make,
  ): Promise<{ readonly server: FaultyServer; readonly path: string }> {
    const path = deltaPathOf(base, target);
    const bytes = make(Buffer.from(files.get(path)!), readFileSync(base).length, readFileSync(target).length);
    const changed = new Map(files).set(path, bytes);
    const metaPath = [...files.keys()].find((name) => name.startsWith('meta/'))!;
    const { series, images } = parseSeriesMeta(files.get(metaPath)!.toString(), metaPath);
    const hexOf = (algorithm: string) => createHash(algorithm).update(bytes).digest('hex');
    const really = {
      size: bytes.length,
      sha256: parseSha256Hex(hexOf('sha256'), path),
      sha512: parseSha512Hex(hexOf('sha512'), path),
    };
    const listed = (diff: MetaDiff) => (path.endsWith(`/${diff.filename}`) ? { ...diff, ...really } : diff);
    const meta = { series, images: images.map((image) => ({ ...image, diffs: image.diffs.map(listed) })) };
    changed.set(metaPath, Buffer.from(renderSeriesMeta(meta)));
    return { server: await startFaultyServer({ files: changed, random: Math.random }), path };
  }
});

/** The URLs of the metadata lead nowhere: they are not waited for. */
function sourceOf({ url }: FaultyServer): MirrorSource {
  return { urls: [url], patience: { attempts: 2, firstPauseMs: 1 } };
}

function appended(delta: Buffer, command: Buffer): Buffer {
  return Buffer.concat([delta.subarray(0, -1), command, Buffer.of(0)]);
}
