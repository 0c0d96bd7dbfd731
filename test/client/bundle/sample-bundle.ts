import { createHash } from 'node:crypto';
import { type BundledFile, type BundleManifest, makeManifest } from '../../../src/client/bundle/manifest.js';
import type { DeltaHop, Hop, ImageHop } from '../../../src/client/hop.js';
import type { SeriesName, Sha256Hex, Sha512Hex } from '../../../src/metadata/brands.js';
import type { Digests } from '../../../src/metadata/digests.js';
import type { MetaImage } from '../../../src/metadata/meta.js';
import { pseudoRandomBytes } from '../../support/pseudo-random.js';
import { deltaFile, imageFile, sampleDiff, sampleImage } from '../plan/series.js';

/** A bundle with the bytes of its files. */
export interface SampleBundle {
  readonly manifest: BundleManifest;
  readonly contents: ReadonlyMap<string, Buffer>;
}

/** Files below metadata/ that a bundle may carry; of no sense to anybody. */
export const SAMPLE_METADATA: ReadonlyMap<string, Buffer> = new Map([
  ['metadata/1.root.json', Buffer.from('{ "ä": 1 }')],
  [`metadata/meta/${'0'.repeat(64)}.puavo-os-with-a-name-that-is-rather-long-amd64.json`, Buffer.alloc(2000, ' ')],
]);

/**
 * From 1 by deltas to 3, or with `whole` by the whole image of 2; the first file is of `firstBytes`, the second of 700. With
 * `metadata` these files are before them.
 */
export function sampleBundle({
  whole = false,
  firstBytes = 200_000,
  metadata = new Map(),
}: {
  readonly whole?: boolean;
  readonly firstBytes?: number;
  readonly metadata?: ReadonlyMap<string, Buffer>;
} = {}): SampleBundle {
  const [first, second] = [pseudoRandomBytes('first', firstBytes), pseudoRandomBytes('second', 700)];
  const delta = { ...sampleDiff(1, 2, first.length), ...digestsOf(first) };
  const next = { ...sampleDiff(2, 3, second.length), ...digestsOf(second) };
  const middle = imageWith(2, whole ? first : pseudoRandomBytes('middle', 1000));
  const start: Hop = whole ? imageHop(middle) : deltaHop(1, { ...middle, diffs: [delta] });
  const target = { ...sampleImage({ number: 3, size: 1000 }), diffs: [next] };
  const base = whole ? undefined : sampleImage({ number: 1, size: 900 });
  return {
    manifest: makeManifest(
      'acme-amd64' as SeriesName,
      [start, deltaHop(2, target)],
      base,
      [...metadata].map(([filename, bytes]) => ({ filename, size: bytes.length, sha256: digestsOf(bytes).sha256 })),
    ),
    contents: new Map([...metadata, [whole ? imageFile(2) : deltaFile(1, 2), first], [deltaFile(2, 3), second]]),
  };
}

export async function* pieces(bytes: Uint8Array, pieceBytes = 10_000): AsyncIterable<Uint8Array> {
  for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes);
}

export function opening({ contents }: SampleBundle): (file: BundledFile) => AsyncIterable<Uint8Array> {
  return ({ filename }) => pieces(contents.get(filename)!);
}

function imageWith(number: number, bytes: Buffer): MetaImage {
  return { ...sampleImage({ number, size: bytes.length }), ...digestsOf(bytes) };
}

function imageHop(image: MetaImage): ImageHop {
  return { kind: 'image', image };
}

function deltaHop(base: number, image: MetaImage): DeltaHop {
  const [delta] = image.diffs;
  return { kind: 'delta', base: sampleDiff(base, 0, 0).version, delta: delta!, image };
}

function digestsOf(bytes: Buffer): Digests {
  const hex = (name: string) => createHash(name).update(bytes).digest('hex');
  return { cksum: '0', sha256: hex('sha256') as Sha256Hex, sha512: hex('sha512') as Sha512Hex };
}
