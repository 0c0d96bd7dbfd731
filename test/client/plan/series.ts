import type { LocalImage } from '../../../src/client/local-image.js';
import type { PlanRequest } from '../../../src/client/plan/request.js';
import type { ImageVersion, SeriesName, Sha256Hex, Sha512Hex } from '../../../src/metadata/brands.js';
import type { MetaDiff, MetaImage, MetaZst, SeriesMeta } from '../../../src/metadata/meta.js';

/** A mirror's series for plans: images are numbered, a delta is `[base, bytes]`, with a name of its own and the bytes of its compressed form where it has them. */
export interface SampleImage {
  readonly number: number;
  readonly size: number;
  readonly diffs?: readonly SampleDelta[];
}

export type SampleDelta = readonly [
  base: number,
  size: number,
  filename?: string | undefined,
  zstSize?: number | undefined,
];

export function sampleMeta(images: readonly SampleImage[]): SeriesMeta {
  return { series: 'acme-amd64' as SeriesName, images: images.map(sampleImage) };
}

export function sampleImage({ number, size, diffs = [] }: SampleImage): MetaImage {
  return {
    diffs: diffs.map(([base, bytes, filename, zstSize]) => {
      const diff = sampleDiff(base, number, bytes, filename);
      return zstSize === undefined ? diff : { ...diff, zst: compressed(diff, zstSize) };
    }),
    filename: imageFile(number),
    id: imageFile(number).slice(0, -'.img'.length),
    'puavo-conf': {},
    size,
    urls: ['https://images.example/x'],
    version: versionOf(number),
    ...digestsOf(number),
  };
}

export function sampleDiff(base: number, target: number, size: number, filename = deltaFile(base, target)): MetaDiff {
  return { filename, urls: ['https://images.example/x'], version: versionOf(base), size, ...digestsOf(base) };
}

function compressed({ filename, urls, cksum, sha256, sha512 }: MetaDiff, size: number): MetaZst {
  return { filename: `${filename}.zst`, urls, size, cksum, sha256, sha512 };
}

export function localImage(number: number, sizeBytes: number): LocalImage {
  const filename = imageFile(number);
  return { version: versionOf(number), filename, path: filename, sizeBytes, sha256: digestsOf(number).sha256 };
}

export function versionOf(number: number): ImageVersion {
  return String(20240101000000 + number) as ImageVersion;
}

export function imageFile(number: number): string {
  return `acme-${stampOf(number)}-amd64.img`;
}

export function deltaFile(base: number, target: number): string {
  return `acme-${stampOf(base)}--${stampOf(target)}-amd64.rdiff`;
}

/** Parts of a request that matter to a test; the rest is roomy and of round numbers. */
export interface Sample {
  readonly images: readonly SampleImage[];
  readonly wanted: number;
  readonly present?: readonly LocalImage[];
  readonly device?: Partial<PlanRequest['device']>;
  readonly rates?: Partial<PlanRequest['rates']>;
  readonly limits?: Partial<PlanRequest['limits']>;
}

export function sampleRequest({ images, wanted, present = [], device, rates, limits }: Sample): PlanRequest {
  return {
    meta: sampleMeta(images),
    wanted: versionOf(wanted),
    device: { present, partial: new Map(), checkpoint: null, freeBytes: 1e15, ...device },
    rates: { downloadBytesPerSecond: 10, diskBytesPerSecond: 1000, hopSeconds: 1, ...rates },
    limits: { maxHops: 4, maxDeltaShare: 0.8, wholeImages: true, failed: new Set(), ...limits },
  };
}

function digestsOf(number: number): { cksum: string; sha256: Sha256Hex; sha512: Sha512Hex } {
  const hex = number.toString(16);
  return { cksum: '0', sha256: hex.padStart(64, '0') as Sha256Hex, sha512: hex.padStart(128, '0') as Sha512Hex };
}

function stampOf(number: number): string {
  return `2024-01-01-${String(number).padStart(6, '0')}`;
}
