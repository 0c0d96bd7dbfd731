import { hasCode } from '../errors.js';
import type { ImageVersion } from '../metadata/brands.js';
import { classifyImageName } from '../metadata/image-name.js';
import type { SeriesMeta } from '../metadata/meta.js';
import { fetchMeta, type TextSource } from './catalog.js';
import type { Device } from './device/device.js';
import { seriesOf } from './device/series-of.js';
import type { Mirrors } from './download/mirrors.js';
import { chooseTarget, type Target } from './policy/choose-target.js';
import { readWanted } from './policy/wanted.js';
import type { Session } from './session.js';

/** What the mirror has, what the device runs, and what it is to have. */
export interface Goal {
  readonly meta: SeriesMeta;
  /** The version that is current; null where there is none. */
  readonly current: ImageVersion | null;
  /** The version that is booted, where the layout knows, or else the current one: barriers count from it. */
  readonly running: ImageVersion | null;
  readonly target: Target;
}

/**
 * Asks the mirrors for the series, and the policy for the target. What was verified is remembered then.
 *
 * @throws UpdateRepositoryError NETWORK, STORAGE, NOT_FOUND, FORMAT, VERIFICATION, USAGE, CONFIG, INTERRUPTED
 */
export async function findGoal({ device, mirrors, trust, wanted, policy }: Session): Promise<Goal> {
  const { signal } = device;
  const source = trust === null ? textsOf(mirrors) : await trust.texts();
  const meta = await fetchMeta(source, { ...wanted, likely: await seriesOf(device) }, signal);
  const current = versionOf((await device.layout.read()).current);
  const wish = await readWanted(policy.target, source, signal);
  await trust?.keep();
  const running = await runningVersion(device, current);
  return { meta, current, running, target: unlessCurrent(current, chooseTarget(meta, running, wish, policy)) };
}

/** The version that is booted, where the layout knows, or else the current one. */
export async function runningVersion({ layout }: Device, current: ImageVersion | null): Promise<ImageVersion | null> {
  return versionOf(await layout.booted()) ?? current;
}

/** An image that became current already but is not booted yet is not new. */
export function unlessCurrent(current: ImageVersion | null, target: Target): Target {
  if (target.kind === 'stay' || target.image.version !== current) return target;
  return { kind: 'stay', version: current, reason: `${target.reason}, and waits to be booted` };
}

/** The version in the name of an image; null where there is none. */
export function versionOf(fileName: string | null): ImageVersion | null {
  const name = fileName === null ? null : classifyImageName(fileName);
  return name?.kind === 'image' ? name.name.version : null;
}

/** The small files of mirrors. */
export function textsOf(mirrors: Mirrors): TextSource {
  return {
    name: mirrors.name,
    async read(wanted, parse, signal) {
      try {
        return await mirrors.text(wanted, parse, signal);
      } catch (error) {
        if (hasCode(error, 'NOT_FOUND')) return null;
        throw error;
      }
    },
  };
}
