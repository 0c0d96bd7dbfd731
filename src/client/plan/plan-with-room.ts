import { fileNameOf } from '../hop.js';
import type { RemovableImage } from '../removable-image.js';
import type { NoPath } from './no-path.js';
import { planUpdate, type UpdatePlan } from './plan-update.js';
import type { PlanRequest } from './request.js';

/** What may go where no path fits the disk. */
export interface RoomToMake {
  /** Oldest first. */
  readonly images: readonly RemovableImage[];
  /** Bytes on the disk of unfinished files, but for that of the wanted image. */
  readonly partialBytes: number;
}

/** A plan that has its room, and what has to go for it. */
export interface PlanWithRoom {
  readonly plan: Extract<UpdatePlan, { readonly kind: 'paths' }>;
  /** What the plan is of: the device as it will be. */
  readonly request: PlanRequest;
  readonly removed: readonly RemovableImage[];
  /** The names of files of which stays what is there unfinished, while all other unfinished files go; null where none goes. */
  readonly keptPartials: ReadonlySet<string> | null;
}

/** Of that many old images the best choice is looked for; each takes about as much as an update needs. */
const MAX_OLD = 5;

/**
 * Finds what has to go so that an update fits which takes at least `neededBytes` of disk: unfinished files of other versions
 * before any image, then as few images as needed, of as many the oldest, and the previous one only where nothing else
 * does. A path never begins with an image that goes. Null where it does not fit even so.
 */
export function planWithRoom(
  request: PlanRequest,
  neededBytes: number,
  { images, partialBytes }: RoomToMake,
): PlanWithRoom | null {
  // A plan takes up to some seconds: none is made that one before it rules out.
  const needs: { readonly removed: readonly RemovableImage[]; readonly neededBytes: number }[] = [
    { removed: [], neededBytes },
  ];
  for (const removed of choices(images)) {
    const start = withoutImages(request, removed);
    const isRuledOut = needs.some(
      (fewer) =>
        start.device.freeBytes + partialBytes < fewer.neededBytes &&
        fewer.removed.every((image) => removed.includes(image)),
    );
    if (isRuledOut) continue;
    const found = partialBytes === 0 ? planOf(start, null) : planWithoutPartials(start, partialBytes);
    if ('plan' in found) return { ...found, removed };
    needs.push({ removed, neededBytes: found.neededBytes ?? Number.POSITIVE_INFINITY });
  }
  return null;
}

type Found = Omit<PlanWithRoom, 'removed'>;

function planOf(request: PlanRequest, keptPartials: ReadonlySet<string> | null): Found | NoPath {
  const plan = planUpdate(request);
  return plan.kind === 'paths' ? { plan, request, keptPartials } : plan.why;
}

/**
 * What is there of the wanted image stays; so does what is there of other files on the path, unless the path does not fit
 * beside it: a delta that is applied as it comes takes no room but for what is there of it.
 */
function planWithoutPartials(request: PlanRequest, partialBytes: number): Found | NoPath {
  const { meta, wanted, device } = request;
  const target = meta.images.find(({ version }) => version === wanted)?.filename ?? '';
  const keeping = (begun: readonly string[]) => {
    const kept = new Set([target, ...begun]);
    const partial = new Map([...device.partial].filter(([filename]) => kept.has(filename)));
    const begunBytes = begun.reduce((sum, filename) => sum + (partial.get(filename) ?? 0), 0);
    const freeBytes = device.freeBytes + partialBytes - begunBytes;
    return planOf({ ...request, device: { ...device, partial, freeBytes } }, kept);
  };
  const bare = keeping([]);
  if (!('plan' in bare)) return bare;
  const fetched = bare.plan.chosen.hops.map(({ hop }) => fileNameOf(hop));
  const begun = fetched.filter((name) => name !== target && device.partial.has(name));
  if (begun.length === 0) return bare;
  const kept = keeping(begun);
  return 'plan' in kept ? kept : bare;
}

function withoutImages(request: PlanRequest, removed: readonly RemovableImage[]): PlanRequest {
  const { device } = request;
  const names = new Set(removed.map(({ filename }) => filename));
  const freeBytes = removed.reduce((sum, { freedBytes }) => sum + freedBytes, device.freeBytes);
  const present = device.present.filter(({ filename }) => !names.has(filename));
  return { ...request, device: { ...device, present, freeBytes } };
}

/** What may go, from that which is missed least to that which is missed most. */
function* choices(images: readonly RemovableImage[]): Generator<readonly RemovableImage[]> {
  const old = images.filter(({ isPrevious }) => !isPrevious).slice(0, MAX_OLD);
  for (let count = 0; count <= old.length; count++) yield* combinations(old, count);
  for (const previous of images.filter(({ isPrevious }) => isPrevious)) {
    for (let count = 0; count <= old.length; count++) {
      for (const some of combinations(old, count)) yield [...some, previous];
    }
  }
}

/** All ways to take `count` of `items`, in their order. */
function* combinations<T>(items: readonly T[], count: number): Generator<readonly T[]> {
  if (count === 0) yield [];
  for (const [index, first] of count === 0 ? [] : items.entries()) {
    for (const rest of combinations(items.slice(index + 1), count - 1)) yield [first, ...rest];
  }
}
