import type { SeriesName } from '../metadata/brands.js';
import type { MetaImage } from '../metadata/meta.js';
import { activate } from './device/activate.js';
import type { Device } from './device/device.js';
import type { Hooks } from './device/make-current.js';
import { discardPartials } from './device/partials.js';
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

/** Of the current image, which a run that was killed may have left without its last hook. */
export async function completeSwitch(activating: Activating, { meta, target }: Goal): Promise<boolean> {
  const image = target.kind === 'stay' ? meta.images.find(({ version }) => version === target.version) : undefined;
  const { current } = await activating.device.layout.read();
  if (image === undefined || image.filename !== current) return false;
  return await activateTarget(activating, meta.series, image);
}

/** The hooks that are wanted, with the time that they have where nothing is said of it. */
export function hooksOf({
  preActivate = null,
  postActivate = null,
  timeoutMs = HOOK_TIMEOUT_MS,
}: Partial<Hooks>): Hooks {
  return { preActivate, postActivate, timeoutMs };
}
