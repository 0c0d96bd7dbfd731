import { hasCode, type UpdateRepositoryError } from '../errors.js';
import type { EventSink } from '../events.js';
import type { SeriesName } from '../metadata/brands.js';
import type { Device } from './device/device.js';
import { bytesOfPartials, discardPartials } from './device/partials.js';
import { removableImages, removeForRoom } from './device/removable.js';
import type { NoPath } from './plan/no-path.js';
import { type PlanWithRoom, planWithRoom } from './plan/plan-with-room.js';
import type { PlanRequest } from './plan/request.js';
import { type MakeRoom, type Policy, ROOM_MAKERS } from './policy/policy.js';
import type { RemovableImage } from './removable-image.js';

/** What goes before an update that would not fit otherwise. */
export type Room = Pick<PlanWithRoom, 'removed' | 'keptPartials'>;

/** A plan with the room that can be made for it; or why there is none, with what can be done about that. */
export type RoomFound = PlanWithRoom | { readonly plan: null; readonly why: NoPath };

/**
 * Looks for the room that an update lacks, as far as the policy lets anything go for it. Changes nothing.
 *
 * @param why what keeps the update from fitting
 * @throws UpdateRepositoryError what {@link removableImages} throws
 */
export async function findRoom(
  device: Device,
  { makeRoom }: Pick<Policy, 'makeRoom'>,
  request: PlanRequest,
  why: NoPath,
): Promise<RoomFound> {
  const { meta, wanted } = request;
  const target = meta.images.find(({ version }) => version === wanted)?.filename;
  if (why.neededBytes === null || target === undefined) return { plan: null, why };
  const { neededBytes } = why;
  const allowed = makeRoom ?? device.layout.makeRoom;
  const partialBytes = await bytesOfPartials(device, new Set([target]));
  const all = await removableUnlessUnknown(device, meta.series);
  if (all instanceof Error) return { plan: null, why: { ...why, hint: `free some space: ${all.message}` } };
  const withRoom = (rule: MakeRoom) => {
    if (rule === 'never') return null;
    const images = all.filter(({ isPrevious }) => rule === 'previous' || !isPrevious);
    return planWithRoom(request, neededBytes, { images, partialBytes });
  };
  const found = withRoom(allowed);
  if (found !== null) return found;
  const wouldDo = ROOM_MAKERS.slice(ROOM_MAKERS.indexOf(allowed) + 1).find((more) => withRoom(more) !== null);
  if (wouldDo === undefined) return { plan: null, why };
  return { plan: null, why: { ...why, hint: `free some space, or let images go for it by --make-room ${wouldDo}` } };
}

/** Where nobody knows what others need, nothing may go. */
async function removableUnlessUnknown(
  device: Device,
  series: SeriesName,
): Promise<readonly RemovableImage[] | UpdateRepositoryError> {
  try {
    return await removableImages(device, series);
  } catch (error) {
    if (!hasCode(error, 'FORMAT')) throw error;
    return error;
  }
}

/** Tells what goes before an update; `dryRun` says that it does not, but would. */
export function tellRoom(room: Room | null, onEvent: EventSink, dryRun: boolean): void {
  const goes = dryRun ? 'would be removed' : 'is removed';
  if (room !== null && room.keptPartials !== null) {
    const message = `what was fetched of other files ${goes} to make room for the update`;
    onEvent({ type: 'note', level: 'info', message });
  }
  for (const { filename, freedBytes, isPrevious } of room?.removed ?? []) {
    const what = isPrevious ? 'the previous image, ' : '';
    const message = `${what}${goes} to make room for the update: ${freedBytes} bytes`;
    onEvent({ type: 'note', level: 'info', subject: filename, message });
  }
}

/**
 * Removes what has to go before a path is gone. A kill at any instant leaves the current image, and an image that was to
 * go either as it was or not at all.
 *
 * @throws UpdateRepositoryError what {@link discardPartials} and {@link removeForRoom} throw
 */
export async function makeRoom(device: Device, room: Room | null): Promise<void> {
  if (room === null) return;
  if (room.keptPartials !== null) await discardPartials(device, room.keptPartials);
  await removeForRoom(
    device,
    room.removed.map(({ filename }) => filename),
  );
}
