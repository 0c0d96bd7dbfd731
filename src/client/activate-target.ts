import type { SeriesName } from '../metadata/brands.js';
import type { MetaImage } from '../metadata/meta.js';
import { activate } from './device/activate.js';
import type { Device } from './device/device.js';
import type { Hooks } from './device/make-current.js';
import { discardPartials } from './device/partials.js';
import { compareImage } from './device/survey.js';
import type { Goal } from './goal.js';
import type { Policy } from './policy/policy.js';

/** What an image becomes current with. */
export interface Activating {
  readonly device: Device;
  readonly policy: Pick<Policy, 'keep'>;
  readonly hooks: Partial<Hooks>;
}

const HOOK_TIMEOUT_MS = 10 * 60_000;

/** Makes an image current that is in its place or in `partial/`; what is left of its making goes. Resolves to whether it was not. */
export async function activateTarget(
  { device, policy, hooks }: Activating,
  series: SeriesName,
  { version, filename, sha256, size }: MetaImage,
): Promise<boolean> {
  const booted = await device.layout.booted();
  const { changed } = await activate(
    device,
    { series, version, filename, sha256, size },
    { hooks: hooksOf(hooks), keep: policy.keep, protectedNames: new Set(booted === null ? [] : [booted]) },
  );
  await discardPartials(device, new Set());
  return changed;
}

/** Where the device is to stay at an image that is not as published: it is made anew, from what else there is. */
export async function repairing(device: Device, goal: Goal): Promise<Goal> {
  const image = await currentImage(device, goal);
  if (image === undefined || (await compareImage(device, { ...image, series: goal.meta.series })) !== null) return goal;
  const target = { kind: 'update', image, wanted: image.version, reason: 'was damaged on this device' } as const;
  return { ...goal, target };
}

/** Of the current image, which a run that was killed may have left without its last hook. */
export async function completeSwitch(activating: Activating, goal: Goal): Promise<boolean> {
  const image = await currentImage(activating.device, goal);
  return image === undefined ? false : await activateTarget(activating, goal.meta.series, image);
}

/** The current image as published, where the device is to stay at it and it has the name that it was published under. */
async function currentImage({ layout }: Device, { meta, target }: Goal): Promise<MetaImage | undefined> {
  if (target.kind !== 'stay') return undefined;
  const { current } = await layout.read();
  return meta.images.find(({ version, filename }) => version === target.version && filename === current);
}

/** The hooks that are wanted, with the time that they have where nothing is said of it. */
export function hooksOf({
  preActivate = null,
  postActivate = null,
  timeoutMs = HOOK_TIMEOUT_MS,
}: Partial<Hooks>): Hooks {
  return { preActivate, postActivate, timeoutMs };
}
