import type { LeftOutReason } from '../../events.js';
import type { ImageVersion } from '../../metadata/brands.js';
import type { MetaDiff, MetaImage, MetaZst } from '../../metadata/meta.js';
import type { LocalImage } from '../local-image.js';
import type { ByteCosts } from './path.js';
import type { DeviceState, PathLimits, PlanRequest } from './request.js';

/**
 * Versions and the ways between them, as seen from the wanted one: the meta file names with each image the deltas that
 * lead to it, so a search goes backwards and needs no other index.
 */
export interface UpdateGraph {
  readonly wanted: MetaImage;
  readonly images: ReadonlyMap<ImageVersion, MetaImage>;
  /** Those whose bytes are the mirror's, as far as the mirror says. */
  readonly present: ReadonlyMap<ImageVersion, LocalImage>;
  readonly device: DeviceState;
  readonly limits: PathLimits;
}

export function buildGraph({ meta, device, limits }: PlanRequest, wanted: MetaImage): UpdateGraph {
  const images = new Map(meta.images.map((image) => [image.version, image]));
  const present = device.present.filter((image) => hasMirrorsBytes(image, images.get(image.version)));
  return { wanted, images, present: new Map(present.map((image) => [image.version, image])), device, limits };
}

/** A version that the mirror no longer lists has nothing to be compared with: its deltas tell. */
export function hasMirrorsBytes(image: LocalImage, listed: MetaImage | undefined): boolean {
  return listed === undefined || listed.sha256 === image.sha256;
}

/** The forms in which a delta can be fetched: as it is, and compressed where the mirror has that. */
export function formsOf(delta: MetaDiff): readonly DeltaForm[] {
  return delta.zst === undefined ? [delta] : [delta, delta.zst];
}

/** The delta itself, or its compressed form. */
export type DeltaForm = MetaDiff | MetaZst;

/** Why a delta, fetched in one of its forms, is no way to `image`; null where it is one. */
export function deltaFault(
  delta: MetaDiff,
  form: DeltaForm,
  image: MetaImage,
  graph: UpdateGraph,
): LeftOutReason | null {
  const { limits, present, images } = graph;
  if (limits.failed.has(form.filename)) return { kind: 'failed' };
  if (form.size >= limits.maxDeltaShare * image.size) return { kind: 'delta-share', share: form.size / image.size };
  if (!present.has(delta.version) && !images.has(delta.version)) return { kind: 'no-base', base: delta.version };
  return null;
}

/** Why a whole image is not fetched; null where it may be. */
export function imageFault(image: MetaImage, { limits }: UpdateGraph): LeftOutReason | null {
  if (!limits.wholeImages) return { kind: 'whole-images-off' };
  return limits.failed.has(image.filename) ? { kind: 'failed' } : null;
}

/**
 * What the delta costs, fetched in one of its forms. The last one of a path streams from the network: the base is read and
 * the target is written, less the share that is made already. Any other, and one that is kept, is spooled, which is to be
 * written and read again.
 */
export function deltaCosts(delta: MetaDiff, form: DeltaForm, image: MetaImage, graph: UpdateGraph): ByteCosts {
  const isLast = image === graph.wanted;
  const making = isLast ? makingCosts(delta, image, graph) : { workBytes: 0, diskBytes: 0 };
  if (form !== delta) return compressedCosts(delta, form, making, graph);
  const spooled = bytesThere(delta.filename, delta.size, graph);
  if (isLast && graph.limits.keepsDeltas !== true) {
    const { deltaBytes } = checkpointOf(delta, graph);
    return { downloadBytes: delta.size - Math.max(spooled, Math.min(deltaBytes, delta.size)), ...making };
  }
  const left = delta.size - spooled;
  const workBytes = left + delta.size + making.workBytes;
  return { downloadBytes: left, workBytes, diskBytes: left + making.diskBytes };
}

/**
 * A compressed delta is written, read, and unpacked to a file that is written and read: the delta takes its room beside it,
 * also where it is the last one of a path. It is gone before the target is made.
 */
function compressedCosts(
  delta: MetaDiff,
  form: DeltaForm,
  making: Pick<ByteCosts, 'workBytes' | 'diskBytes'>,
  graph: UpdateGraph,
): ByteCosts {
  const left = form.size - bytesThere(form.filename, form.size, graph);
  const deltaRoom = delta.size - bytesThere(delta.filename, delta.size, graph);
  return {
    downloadBytes: left,
    workBytes: left + form.size + 2 * delta.size + making.workBytes,
    diskBytes: deltaRoom + Math.max(left, making.diskBytes),
  };
}

/** What it costs to make the wanted image, beside the delta that it is made by. */
function makingCosts(
  delta: MetaDiff,
  image: MetaImage,
  graph: UpdateGraph,
): Pick<ByteCosts, 'workBytes' | 'diskBytes'> {
  const { share } = checkpointOf(delta, graph);
  return {
    workBytes: Math.round((baseSize(delta.version, graph) + image.size) * (1 - share)),
    diskBytes: image.size - bytesOccupied(image, graph),
  };
}

/** What the whole image costs, as the target or as the image that the deltas behind it start from. */
export function imageCosts(image: MetaImage, graph: UpdateGraph): ByteCosts {
  const left = image.size - bytesThere(image.filename, image.size, graph);
  return { downloadBytes: left, workBytes: left, diskBytes: image.size - bytesOccupied(image, graph) };
}

function checkpointOf(delta: MetaDiff, { device, wanted }: UpdateGraph): { deltaBytes: number; share: number } {
  const { checkpoint } = device;
  const isOfDelta =
    checkpoint?.target === wanted.version &&
    checkpoint.base === delta.version &&
    checkpoint.deltaFilename === delta.filename;
  if (!isOfDelta) return { deltaBytes: 0, share: 0 };
  return { deltaBytes: checkpoint.deltaBytes, share: Math.min(1, checkpoint.targetBytes / wanted.size) };
}

/** A delta with a base of unknown size is no way to anywhere, see {@link deltaFault}. */
function baseSize(version: ImageVersion, { present, images }: UpdateGraph): number {
  return present.get(version)?.sizeBytes ?? images.get(version)?.size ?? 0;
}

function bytesThere(filename: string, sizeBytes: number, { device }: UpdateGraph): number {
  return Math.min(device.partial.get(filename) ?? 0, sizeBytes);
}

/** What is in the place of an unfinished image is written over, whichever way it came there. */
function bytesOccupied(image: MetaImage, graph: UpdateGraph): number {
  const { checkpoint } = graph.device;
  const made = checkpoint?.target === image.version ? Math.min(checkpoint.targetBytes, image.size) : 0;
  return Math.max(made, bytesThere(image.filename, image.size, graph));
}
