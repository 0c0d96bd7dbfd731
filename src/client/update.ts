import { UpdateRepositoryError } from '../errors.js';
import type { UpdateCheckEvent, UpdateSummaryEvent } from '../events.js';
import type { ImageVersion } from '../metadata/brands.js';
import type { MetaImage, SeriesMeta } from '../metadata/meta.js';
import { type Activating, activateTarget, completeSwitch, repairing } from './activate-target.js';
import { rememberLineRate } from './device/line-rate.js';
import type { Hooks } from './device/make-current.js';
import { makeBootedCurrent } from './device/puavo/make-booted-current.js';
import { inStages, Stages } from './device/stages.js';
import { findGoal, type Goal, versionOf } from './goal.js';
import { mirrorFiles } from './mirror-files.js';
import { checkOf } from './policy/check.js';
import type { UpdateTarget } from './policy/choose-target.js';
import { mayRunNow } from './policy/may-run.js';
import { askNetworkManager, isConnectionMetered } from './policy/metered.js';
import { notifyOnce } from './policy/notified.js';
import type { Fallback } from './policy/policy.js';
import { makeRoom, tellRoom } from './room.js';
import { ASSUMED, findRoute, type Route, type RouteLimits, tellRoute } from './route.js';
import { HopFailure, runPath } from './run-path.js';
import { openSession, type Session, type SessionOptions } from './session.js';
import { keepDeltas } from './stored-delta.js';

/** What an update does beside getting the image. */
export interface UpdateOptions extends SessionOptions {
  readonly hooks?: Partial<Hooks>;
  /** Whether the deltas that were used stay, in `rdiffs/` of the device's directory. */
  readonly keepDeltas?: boolean;
  /** Asked before a whole image of so many bytes is fetched, where the policy says `ask`; left out, the answer is no. */
  readonly confirmWholeImage?: (bytes: number) => Promise<boolean>;
}

/**
 * Brings a device to the version that its policy wants, along the cheapest path: fetches, makes, compares and activates
 * the image. Where a path fails another one is taken. Whatever fails, the current image stays as it is, and what was
 * fetched is there for the next run. Memory: some 30 MiB, and 16 bytes a command of the deltas before the last,
 * of which 48 MiB at most.
 *
 * @throws UpdateRepositoryError as docs/client.md lists them by exit code
 */
export async function updateDevice(options: UpdateOptions): Promise<UpdateSummaryEvent> {
  const startedAt = performance.now();
  await using session = await openSession(options, 'change');
  const { device, mirrors } = session;
  let [plannedBytes, indexBytes] = [0, 0];
  const done = (goal: Pick<Goal, 'current'>, end: Pick<UpdateSummaryEvent, 'series' | 'to' | 'changed' | 'reason'>) => {
    const fetchedBytes = mirrors.traffic.fetchedBytes - indexBytes;
    const durationMs = Math.round(performance.now() - startedAt);
    const authenticated = session.trust !== null && end.series !== null;
    const about = { type: 'update-summary', dir: device.dir, from: goal.current, authenticated } as const;
    const summary: UpdateSummaryEvent = { ...about, ...end, plannedBytes, fetchedBytes, indexBytes, durationMs };
    device.onEvent(summary);
    return summary;
  };
  const disabledBy = await device.layout.disabledBy();
  const { current } = await device.layout.read();
  const now = versionOf(current);
  const stay = { series: null, to: now, changed: false } as const;
  if (disabledBy !== null) return done({ current: now }, { ...stay, reason: `${disabledBy} is there` });
  const permission = await permissionOf(session);
  if (permission.kind === 'later') return done({ current: now }, { ...stay, reason: permission.reason });
  const stages = new Stages(device, current);
  const update = new Update({ session, options, stages, wholeImage: permission.wholeImage });
  const running = inStages(stages, device.signal, () => update.run());
  const { goal, changed } = await running.finally(() =>
    rememberLineRate(device, mirrors.line, ASSUMED.downloadBytesPerSecond),
  );
  ({ plannedBytes, indexBytes } = update);
  const { target, meta } = goal;
  const to = target.kind === 'stay' ? target.version : target.image.version;
  return done(goal, { series: meta.series, to, changed, reason: target.reason });
}

/**
 * Plans an update and tells of it; resolves to whether there is anything to do. Needs no right to write, and may be asked
 * while an update runs.
 */
export async function planDevice(options: SessionOptions): Promise<boolean> {
  await using session = await openSession(options, 'look');
  const goal = await findGoal(session);
  const { target } = goal;
  if (target.kind === 'stay') {
    session.device.onEvent(checkOf(goal.meta.series, goal.running, target, 0));
    return false;
  }
  const permission = await permissionOf(session);
  const wholeImages =
    permission.kind === 'later' ? session.policy.fallback !== 'never' : permission.wholeImage !== 'never';
  const route = await findCheckedRoute(session, goal, target, { wholeImages, failed: new Set() });
  tellRoute(route, session.device.onEvent, true);
  if (route.plan.kind === 'no-path') throw noWay(route, null);
  return true;
}

/**
 * Asks whether there is something new, tells whom the policy names, and changes nothing else. Where nobody is told it needs
 * no right to write, and may be asked while an update runs; what was told has to be remembered.
 */
export async function checkDevice(options: SessionOptions, notifyAgain: boolean): Promise<UpdateCheckEvent> {
  await using session = await openSession(options, options.policy.notify === null ? 'look' : 'change');
  const { device, policy } = session;
  const goal = await findGoal(session);
  const check = checkOf(goal.meta.series, goal.running, goal.target, await bytesTo(session, goal));
  device.onEvent(check);
  if (policy.notify !== null) {
    const { signal, onEvent, place } = device;
    await notifyOnce(policy.notify, check, { directory: place.path, again: notifyAgain, signal, onEvent });
  }
  return check;
}

async function bytesTo(session: Session, goal: Goal): Promise<number | null> {
  if (goal.target.kind === 'stay') return 0;
  const wholeImages = session.policy.fallback !== 'never';
  const { plan, room } = await findCheckedRoute(session, goal, goal.target, { wholeImages, failed: new Set() });
  tellRoom(room, session.device.onEvent, true);
  return plan.kind === 'paths' ? plan.chosen.downloadBytes : null;
}

/** As {@link findRoute}; what the way needs has to be vouched for, where anything is. */
async function findCheckedRoute(
  session: Session,
  goal: Goal,
  target: UpdateTarget,
  limits: RouteLimits,
): Promise<Route> {
  const route = await findRoute(session, goal, target, limits);
  const { trust } = session;
  if (trust === null || route.plan.kind === 'no-path') return route;
  await trust.checkRoute(
    target.image,
    route.plan.chosen.hops.map(({ hop }) => hop),
  );
  await trust.keep();
  return route;
}

async function permissionOf({ policy, device }: Session) {
  const metered = await isConnectionMetered(policy, askNetworkManager, device.signal);
  return mayRunNow(policy, new Date(), metered);
}

/** What an {@link Update} is made of. */
interface UpdateParts {
  readonly session: Session;
  readonly options: UpdateOptions;
  readonly stages: Stages;
  readonly wholeImage: Fallback;
}

/** One update, from the first plan to the image that is current. */
class Update {
  readonly #session: Session;
  readonly #options: UpdateOptions;
  readonly #stages: Stages;
  #wholeImage: Fallback;
  readonly #failed = new Set<string>();
  #lastFailure: HopFailure | null = null;
  #hasReadAgain = false;
  #hasFetched = false;
  plannedBytes = 0;
  indexBytes = 0;

  constructor({ session, options, stages, wholeImage }: UpdateParts) {
    this.#session = session;
    this.#options = options;
    this.#stages = stages;
    this.#wholeImage = wholeImage;
  }

  async run(): Promise<{ readonly goal: Goal; readonly changed: boolean }> {
    let goal = await this.#findGoal();
    for (;;) {
      const { target } = goal;
      if (target.kind === 'stay') return { goal, changed: await completeSwitch(this.#activating, goal) };
      const route = await this.#chooseRoute(goal, target);
      try {
        await this.#go(goal, route);
        return { goal, changed: await activateTarget(this.#activating, goal.meta.series, target.image) };
      } catch (error) {
        if (!(error instanceof HopFailure)) throw error;
        this.#failedAt(error);
        if (isGone(error.cause) && !this.#hasReadAgain) {
          // The mirror has moved on, perhaps: what it lists now may be there.
          this.#hasReadAgain = true;
          goal = await this.#findGoal();
        }
      }
    }
  }

  async #findGoal(): Promise<Goal> {
    const { traffic } = this.#session.mirrors;
    const before = traffic.fetchedBytes;
    await this.#stages.enter('checksums_fetch');
    try {
      const goal = await repairing(this.#session.device, await findGoal(this.#session));
      const { target, meta } = goal;
      const image = target.kind === 'stay' ? imageOf(meta, target.version) : target.image;
      if (image !== undefined) this.#stages.isFor(image.filename);
      return goal;
    } finally {
      this.indexBytes += traffic.fetchedBytes - before;
    }
  }

  async #chooseRoute(goal: Goal, target: UpdateTarget): Promise<Route> {
    const { onEvent } = this.#session.device;
    const keepsDeltas = this.#options.keepDeltas ?? false;
    const find = (wholeImages: boolean) =>
      findCheckedRoute(this.#session, goal, target, { wholeImages, failed: this.#failed, keepsDeltas });
    let route = await find(this.#wholeImage === 'full');
    if (route.plan.kind === 'no-path' && this.#wholeImage === 'ask') {
      const { confirmWholeImage = async () => false } = this.#options;
      this.#wholeImage = (await confirmWholeImage(target.image.size)) ? 'full' : 'never';
      if (this.#wholeImage === 'full') route = await find(true);
    }
    tellRoute(route, onEvent, false);
    if (route.plan.kind === 'no-path') throw noWay(route, this.#lastFailure);
    return route;
  }

  async #go({ meta }: Goal, { plan, present, room }: Route): Promise<void> {
    if (plan.kind === 'no-path') return;
    const { device, mirrors } = this.#session;
    const before = mirrors.traffic.fetchedBytes;
    const keep = this.#options.keepDeltas ?? false;
    const hops = plan.chosen.hops.map(({ hop }) => hop);
    if (hops.length > 0 && !this.#hasFetched) await makeBootedCurrent(device);
    this.#hasFetched = true;
    await makeRoom(device, room);
    try {
      const files = mirrorFiles(mirrors, { ...device, directory: device.place.partialDir });
      await runPath(hops, { device, files, meta, present, keepDeltas: keep, stages: this.#stages });
      this.plannedBytes += plan.chosen.downloadBytes;
    } catch (error) {
      // What a way that failed was to fetch is as much as it did.
      this.plannedBytes += mirrors.traffic.fetchedBytes - before;
      throw error;
    } finally {
      await this.#stages.rest();
    }
    if (keep) await keepDeltas(hops, device);
  }

  #failedAt(failure: HopFailure): void {
    for (const name of failure.fileNames) this.#failed.add(name);
    this.#lastFailure = failure;
    const message = `${failure.message}; looking for another way`;
    this.#session.device.onEvent({ type: 'note', level: 'warning', subject: failure.fileNames[0], message });
  }

  get #activating(): Activating {
    const { device, policy } = this.#session;
    return { device, policy, hooks: this.#options.hooks ?? {} };
  }
}

function imageOf({ images }: SeriesMeta, version: ImageVersion): MetaImage | undefined {
  return images.find((image) => image.version === version);
}

/** Whether a mirror does not have what it lists, whatever the others say. */
function isGone({ code, data }: UpdateRepositoryError): boolean {
  return code === 'NOT_FOUND' || data.isMissing === true;
}

function noWay({ plan }: Route, last: HopFailure | null): UpdateRepositoryError {
  if (last !== null) return last.cause;
  if (plan.kind === 'paths') return new UpdateRepositoryError('INTERNAL', 'a way was taken for none');
  const { code, message, hint } = plan.why;
  return new UpdateRepositoryError(code, message, { hint });
}
