import type { PlanRequest } from '../../../src/client/plan/request.js';
import type { ImageVersion } from '../../../src/metadata/brands.js';
import type { MetaDiff, MetaImage, MetaZst } from '../../../src/metadata/meta.js';

/** A path that was enumerated, with its costs counted in their own way. */
export interface EnumeratedPath {
  readonly files: readonly string[];
  /** The images and deltas of the files, whether they are fetched compressed or not. */
  readonly ways: readonly string[];
  readonly downloadBytes: number;
  readonly diskBytes: number;
  readonly seconds: number;
}

interface Step {
  readonly image: MetaImage;
  readonly delta: MetaDiff | null;
  readonly zst?: MetaZst;
}

/**
 * Every path of a request that the limits allow and that fits, walked forwards from each start, costs as docs/client.md
 * has them. For small graphs.
 */
export function enumeratePaths(request: PlanRequest): EnumeratedPath[] {
  const { meta, wanted, device, limits } = request;
  const present = new Set(device.present.map(({ version }) => version));
  const found: EnumeratedPath[] = [];
  const walk = (at: ImageVersion, steps: readonly Step[], passed: ReadonlySet<ImageVersion>): void => {
    if (at === wanted) {
      found.push(costed(steps, request));
      return;
    }
    if (steps.length >= limits.maxHops) return;
    for (const image of meta.images) {
      if (passed.has(image.version) || present.has(image.version)) continue;
      for (const delta of image.diffs.filter(({ version }) => version === at)) {
        const { zst } = delta;
        const isAllowed = (file: MetaDiff | MetaZst) =>
          file.size < limits.maxDeltaShare * image.size && !limits.failed.has(file.filename);
        const now = new Set([...passed, image.version]);
        if (isAllowed(delta)) walk(image.version, [...steps, { image, delta }], now);
        if (zst !== undefined && isAllowed(zst)) walk(image.version, [...steps, { image, delta, zst }], now);
      }
    }
  };
  for (const version of present) walk(version, [], new Set([version]));
  for (const image of meta.images) {
    if (!limits.wholeImages || limits.failed.has(image.filename) || present.has(image.version)) continue;
    walk(image.version, [{ image, delta: null }], new Set([image.version]));
  }
  return found.filter(({ diskBytes }) => diskBytes <= device.freeBytes);
}

function costed(steps: readonly Step[], { meta, device, rates }: PlanRequest): EnumeratedPath {
  const sizeOf = (version: ImageVersion) =>
    device.present.find((image) => image.version === version)?.sizeBytes ??
    meta.images.find((image) => image.version === version)!.size;
  let [download, work, disk] = [0, 0, 0];
  for (const [index, { image, delta, zst }] of steps.entries()) {
    const isLast = index === steps.length - 1;
    const { size, filename } = delta ?? image;
    const { checkpoint } = device;
    const made = checkpoint?.target === image.version ? checkpoint.targetBytes : 0;
    const occupied = Math.max(made, device.partial.get(image.filename) ?? 0);
    const left = size - (device.partial.get(filename) ?? 0);
    if (delta === null) {
      download += left;
      work += left;
      disk += size - occupied;
      continue;
    }
    const zstLeft = zst === undefined ? 0 : zst.size - (device.partial.get(zst.filename) ?? 0);
    if (isLast) {
      const goesOn =
        checkpoint?.target === image.version &&
        checkpoint.base === delta.version &&
        checkpoint.deltaFilename === filename;
      const share = goesOn ? checkpoint.targetBytes / image.size : 0;
      work += Math.round((sizeOf(delta.version) + image.size) * (1 - share));
      if (zst === undefined) {
        download += Math.min(left, goesOn ? size - checkpoint.deltaBytes : size);
        disk += image.size - occupied;
      } else {
        disk += left + Math.max(zstLeft, image.size - occupied);
      }
    } else if (zst === undefined) {
      download += left;
      work += left + size;
      disk += left;
    } else disk += zstLeft + left;
    if (zst !== undefined) {
      download += zstLeft;
      work += zstLeft + zst.size + size + size;
    }
  }
  const { downloadBytesPerSecond, diskBytesPerSecond, hopSeconds } = rates;
  const seconds = download / downloadBytesPerSecond + work / diskBytesPerSecond + steps.length * hopSeconds;
  const files = steps.map(({ image, delta, zst }) => (zst ?? delta ?? image).filename);
  const ways = steps.map(({ image, delta }) => (delta ?? image).filename);
  return { files, ways, downloadBytes: download, diskBytes: disk, seconds };
}
