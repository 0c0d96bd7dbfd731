import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';
import { type Device, type DeviceOptions, openDevice } from '../../../../src/client/device/device.js';
import type { Hooks } from '../../../../src/client/device/make-current.js';
import { plainLayout } from '../../../../src/client/device/plain-layout.js';
import type { PublishedImage } from '../../../../src/client/device/survey.js';
import type { RepositoryEvent } from '../../../../src/events.js';
import { parseImageVersion, parseSeriesName, parseSha256Hex, parseSha512Hex } from '../../../../src/metadata/brands.js';
import { parseImageName } from '../../../../src/metadata/image-name.js';
import type { MetaImage, SeriesMeta } from '../../../../src/metadata/meta.js';
import { dailyStamps, imageName } from '../../../support/image-name.js';
import { pseudoRandomBytes } from '../../../support/pseudo-random.js';

export const STEM = 'puavo-os-acme-bookworm';
export const SERIES = parseSeriesName(`${STEM}-amd64`, 'test');

/** The file name of the image of the day, counted from 1. */
export function dayImage(day: number, stem = STEM): string {
  return imageName({ stem, stamp: dailyStamps(day).at(-1) ?? '', arch: 'amd64' });
}

/** The bytes of the image of the day. */
export function dayBytes(day: number, sizeBytes = 20_000): Buffer {
  return pseudoRandomBytes(`day ${day}`, sizeBytes + day);
}

export function sha256Hex(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** The image of the day as a mirror has it. */
export function dayPublished(day: number, sizeBytes?: number): PublishedImage {
  const bytes = dayBytes(day, sizeBytes);
  return {
    series: SERIES,
    version: parseImageName(dayImage(day)).version,
    filename: dayImage(day),
    sha256: parseSha256Hex(sha256Hex(bytes), 'test'),
    size: bytes.length,
  };
}

/** A mirror's meta with the images of these days. */
export function metaOf(days: readonly number[], extra: readonly Partial<MetaImage>[] = []): SeriesMeta {
  return { series: SERIES, images: [...days.map(dayMeta), ...extra.map((image) => ({ ...dayMeta(1), ...image }))] };
}

function dayMeta(day: number): MetaImage {
  const { filename, sha256, size, version } = dayPublished(day);
  return {
    diffs: [],
    filename,
    id: filename.slice(0, -'.img'.length),
    'puavo-conf': {},
    size: size ?? 0,
    urls: [`https://images.example.org/${filename}`],
    version: parseImageVersion(version, 'test'),
    cksum: '1',
    sha256,
    sha512: parseSha512Hex('0'.repeat(128), 'test'),
  };
}

/** Puts the image of the day into the directory. */
export function addImage(dir: string, day: number, sizeBytes?: number): void {
  writeFileSync(join(dir, dayImage(day)), dayBytes(day, sizeBytes));
}

/** Puts the image of the day where a download or a delta has made it. */
export function addMade(dir: string, day: number, sizeBytes?: number): void {
  const path = join(dir, '.update-repository', 'partial', dayImage(day));
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, dayBytes(day, sizeBytes));
  const { sha256, size } = dayPublished(day, sizeBytes);
  writeFileSync(`${path}.json`, JSON.stringify({ kind: 'download', sha256, sizeBytes: size }));
}

/** An open device, and what it told. */
export interface OpenedDevice {
  readonly device: Device;
  readonly events: RepositoryEvent[];
}

/** Opens a directory until it is closed, or the test is over. */
export async function opened(dir: string, options: Partial<DeviceOptions> = {}): Promise<OpenedDevice> {
  const events: RepositoryEvent[] = [];
  const device = await openDevice(dir, {
    layout: plainLayout,
    breakLock: false,
    signal: new AbortController().signal,
    onEvent: (event) => events.push(event),
    ...options,
  });
  onTestFinished(() => device.close());
  return { device, events };
}

export const NO_HOOKS: Hooks = { preActivate: null, postActivate: null, timeoutMs: 20_000 };

/** The content of a file of the directory as text; null where there is none. */
export function textIn(dir: string, name: string): string | null {
  return existsSync(join(dir, name)) ? readFileSync(join(dir, name), 'utf8') : null;
}
