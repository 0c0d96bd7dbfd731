import { UpdateRepositoryError } from '../../errors.js';
import type { UpdateSummaryEvent } from '../../events.js';
import { activateTarget, completeSwitch, repairing } from '../activate-target.js';
import type { Device } from '../device/device.js';
import type { Hooks } from '../device/make-current.js';
import { makeBootedCurrent } from '../device/puavo/make-booted-current.js';
import { inStages, Stages } from '../device/stages.js';
import { type Goal, runningVersion, unlessCurrent, versionOf } from '../goal.js';
import { fileOf, type Hop } from '../hop.js';
import { formsOf } from '../plan/graph.js';
import { pathPlanEvent } from '../plan/path-plan-event.js';
import { checkOf } from '../policy/check.js';
import { chooseTarget, type UpdateTarget } from '../policy/choose-target.js';
import { mayRunNow } from '../policy/may-run.js';
import type { Policy } from '../policy/policy.js';
import { makeRoom, tellRoom } from '../room.js';
import { ASSUMED, findRoute, type Route } from '../route.js';
import { HopFailure, runPath } from '../run-path.js';
import { openPlace, type Purpose, type SessionOptions } from '../session.js';
import { keepDeltas } from '../stored-delta.js';
import { type BundleClaim, claimOf, metaOf } from './bundle-claim.js';
import { BundleFiles } from './bundle-files.js';

/** Where images come from. */
export interface BundleSource {
  /** The bundle's. */
  readonly path: string;
  /** What the bundle has to be of; left out, any series. */
  readonly series?: string;
}

/** What {@link planFromBundle} needs. */
export type BundleSessionOptions = Omit<SessionOptions, 'source'> & { readonly source: BundleSource };

/** What an update from a bundle does beside making the image. */
export interface BundleUpdateOptions extends BundleSessionOptions {
  readonly hooks?: Partial<Hooks>;
  /** Whether the deltas that were used stay, in `rdiffs/` of the device's directory. */
  readonly keepDeltas?: boolean;
}

/**
 * Brings a device to the version that a bundle leads to, without a network, as `updateDevice` does from a mirror: makes the
 * image, compares and activates it. A floor, a downgrade and a time window of the policy count; what it says of the network
 * does not. Where a root is trusted the metadata in the bundle has to vouch for it, as that of a mirror would. Whatever fails,
 * the current image stays as it is. Memory: as from a mirror.
 *
 * @throws UpdateRepositoryError FORMAT or VERIFICATION for a bundle that is damaged or not trusted, NOT_FOUND where the
 *   device has not what it starts from, USAGE or CONFIG where it is not what is wanted, NO_SPACE, IO, LOCKED, HOOK, INTERRUPTED
 */
export async function updateFromBundle(options: BundleUpdateOptions): Promise<UpdateSummaryEvent> {
  const startedAt = performance.now();
  return await withDevice(options, 'change', async (device) => {
    const { current: fileName } = await device.layout.read();
    const current = versionOf(fileName);
    const reason = await whyNotNow(device, options.policy);
    const stay = { series: null, to: current, changed: false, authenticated: false } as const;
    const stages = new Stages(device, fileName);
    const end =
      reason === null
        ? await inStages(stages, device.signal, () => update(device, stages, options))
        : { ...stay, reason };
    const nothing = { plannedBytes: 0, fetchedBytes: 0, indexBytes: 0 };
    const durationMs = Math.round(performance.now() - startedAt);
    const about = { type: 'update-summary', dir: device.dir, from: current } as const;
    const summary: UpdateSummaryEvent = { ...about, ...end, ...nothing, durationMs };
    device.onEvent(summary);
    return summary;
  });
}

/** What came of it, as the summary tells. */
type End = Pick<UpdateSummaryEvent, 'series' | 'to' | 'changed' | 'authenticated' | 'reason'>;

async function update(device: Device, stages: Stages, options: BundleUpdateOptions): Promise<End> {
  const { source, policy, hooks = {}, keepDeltas: keep = false } = options;
  await using files = await BundleFiles.open(source.path, device);
  const claim = await claimOf(files, device, options);
  const goal = await repairing(device, await goalOf(device, claim, options));
  const { target, meta } = goal;
  const { series } = meta;
  const authenticated = claim.trust !== null;
  const activating = { device, policy, hooks };
  if (target.kind === 'stay') {
    const changed = await completeSwitch(activating, goal);
    return { series, to: target.version, changed, authenticated, reason: target.reason };
  }
  stages.isFor(target.image.filename);
  const { hops, present, room } = await findWay(device, claim, goal, target, {
    ...options,
    dryRun: false,
  });
  if (hops.length > 0) await makeBootedCurrent(device);
  await makeRoom(device, room);
  try {
    await runPath(hops, { device, files, meta, present, keepDeltas: keep, stages });
  } catch (error) {
    throw error instanceof HopFailure ? error.cause : error;
  }
  if (hops.length > 0) await files.readToEnd();
  if (keep) await keepDeltas(hops, device);
  const changed = await activateTarget(activating, series, target.image);
  return { series, to: target.image.version, changed, authenticated, reason: target.reason };
}

/** Tells what an update from a bundle would do; resolves to whether there is anything to do. */
export async function planFromBundle(options: BundleSessionOptions): Promise<boolean> {
  return await withDevice(options, 'look', async (device) => {
    await using files = await BundleFiles.open(options.source.path, device);
    const claim = await claimOf(files, device, options);
    const goal = await goalOf(device, claim, options);
    const { target, running } = goal;
    if (target.kind === 'stay') {
      device.onEvent(checkOf(goal.meta.series, running, target, 0));
      return false;
    }
    await findWay(device, claim, goal, target, { ...options, dryRun: true });
    return true;
  });
}

async function withDevice<T>(
  options: BundleSessionOptions,
  purpose: Purpose,
  work: (device: Device) => Promise<T>,
): Promise<T> {
  const device = await openPlace(options.device, options, purpose);
  try {
    return await work(device);
  } finally {
    await device.close();
  }
}

async function whyNotNow({ layout }: Device, policy: Policy): Promise<string | null> {
  const disabledBy = await layout.disabledBy();
  if (disabledBy !== null) return `${disabledBy} is there`;
  const permission = mayRunNow(policy, new Date(), false);
  return permission.kind === 'later' ? permission.reason : null;
}

/** What the bundle leads to, or the barrier before it. */
async function goalOf(
  device: Device,
  claim: BundleClaim,
  { source, policy }: Pick<BundleSessionOptions, 'source' | 'policy'>,
): Promise<Goal> {
  const { path } = source;
  const { series, to } = claim.manifest;
  if (source.series !== undefined && source.series !== series) {
    throw new UpdateRepositoryError('USAGE', `${path}: expected the series ${source.series}, found ${series}`);
  }
  if (policy.target.kind === 'version' && policy.target.version !== to) {
    const { version } = policy.target;
    throw new UpdateRepositoryError('CONFIG', `${path}: expected a bundle to ${version}, found one to ${to}`);
  }
  const meta = await metaOf(claim, device);
  const current = versionOf((await device.layout.read()).current);
  const running = await runningVersion(device, current);
  const target = chooseTarget(meta, running, { kind: 'bundle', path, version: to }, policy);
  return { meta, current, running, target: unlessCurrent(current, target) };
}

/** From what is on the device by what is in the bundle. */
async function findWay(
  device: Device,
  { manifest, trust }: BundleClaim,
  { meta }: Pick<Goal, 'meta'>,
  target: UpdateTarget,
  { source, policy, dryRun }: Pick<BundleSessionOptions, 'source' | 'policy'> & { readonly dryRun: boolean },
): Promise<{ readonly hops: readonly Hop[] } & Pick<Route, 'present' | 'room'>> {
  const carried = new Set(manifest.hops.map((hop) => fileOf(hop).filename));
  const listed = meta.images.flatMap((image) => [image, ...image.diffs.flatMap(formsOf)]);
  const absent = listed.map(({ filename }) => filename).filter((filename) => !carried.has(filename));
  const limits = { wholeImages: manifest.from === null, failed: new Set(absent) };
  const ofBundle = { ...policy, ...ratesOf(policy), maxHops: manifest.hops.length };
  const route = await findRoute({ device, policy: ofBundle }, { meta }, target, limits);
  const { plan, request, present, room } = route;
  device.onEvent({ ...pathPlanEvent(plan, request, { dryRun }), leftOut: [], moreLeftOut: 0 });
  tellRoom(room, device.onEvent, dryRun);
  if (plan.kind === 'paths') {
    const hops = plan.chosen.hops.map(({ hop }) => hop);
    await trust?.checkRoute(target.image, hops);
    return { hops, present, room };
  }
  const { code, message, hint } = plan.why;
  if (code === 'NO_SPACE') throw new UpdateRepositoryError(code, message, { hint });
  const found = present.length === 0 ? 'no such image' : present.map(({ version }) => version).join(', ');
  throw new UpdateRepositoryError(
    'NOT_FOUND',
    `${source.path}: expected the version ${manifest.from} in ${device.dir}, found ${found}`,
    {
      data: { path: source.path, dir: device.dir, from: manifest.from },
      hint: 'make a bundle that starts from what is there, or from none',
    },
  );
}

/** A bundle is read as fast as a disk. */
function ratesOf({ diskBytesPerSecond }: Policy): Pick<Policy, 'downloadBytesPerSecond' | 'limitBytesPerSecond'> {
  return { downloadBytesPerSecond: diskBytesPerSecond ?? ASSUMED.diskBytesPerSecond, limitBytesPerSecond: null };
}
