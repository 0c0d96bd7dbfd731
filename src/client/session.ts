import type { EventSink } from '../events.js';
import { RateLimit } from '../net/rate-limit.js';
import { parseMirrorPlace, type WantedSeries } from './catalog.js';
import { type Device, lookAtDevice, openDevice } from './device/device.js';
import { plainLayout } from './device/plain-layout.js';
import { type PuavoPlaces, puavoLayout } from './device/puavo/puavo-layout.js';
import { type Limits, type Mirrors, openMirrors } from './download/mirrors.js';
import type { Policy } from './policy/policy.js';
import { openTrust } from './trust/open-trust.js';
import type { Trust } from './trust/trust.js';
import type { TrustWish } from './trust/wish.js';

/** Where images come from. */
export interface MirrorSource {
  /** The URL of a mirror or of one of its meta files, then those of its copies. */
  readonly urls: readonly string[];
  /** Which series, where the mirror has several and no meta file is named; left out, that of the device's images. */
  readonly series?: string;
  /** Certificate authorities that are trusted beside those that Node trusts. */
  readonly caFile?: string;
  /** How long they are waited for, and how often they are asked; left out, some minutes in all. */
  readonly patience?: MirrorPatience;
}

/** How often all mirrors are asked for a file before it is given up, and how long each is waited for. */
export interface MirrorPatience {
  readonly attempts: number;
  readonly firstPauseMs: number;
  readonly limits?: Limits;
}

/** Where they go. */
export interface DevicePlace {
  readonly dir: string;
  readonly layout: 'plain' | 'puavo';
  /** Where a Puavo device says what concerns its images; left out, where it does. */
  readonly puavoPlaces?: PuavoPlaces;
  readonly breakLock?: boolean;
}

/** What all work on a device's images needs. */
export interface SessionOptions {
  readonly source: MirrorSource;
  readonly device: DevicePlace;
  readonly policy: Policy;
  /** What vouches for the mirror; left out, the root that the device remembers. */
  readonly trust?: TrustWish;
  readonly signal: AbortSignal;
  readonly onEvent: EventSink;
}

/** Whether a device is opened to be changed, or for questions alone: then no lock and no right to write is needed. */
export type Purpose = 'change' | 'look';

/** A device that is held, and mirrors that are known. */
export interface Session extends OpenSource {
  readonly device: Device;
  readonly policy: Policy;
  /** Null where nobody vouches for the mirrors. */
  readonly trust: Trust | null;
}

const PATIENCE: MirrorPatience = { attempts: 6, firstPauseMs: 1000 };

/** Mirrors that are known, and what is fetched of them. */
export interface OpenSource extends AsyncDisposable {
  readonly mirrors: Mirrors;
  readonly wanted: WantedSeries;
}

/**
 * Makes mirrors known; none is asked yet.
 *
 * @throws UpdateRepositoryError USAGE for an address that is none; what {@link openMirrors} throws
 */
export async function openSource(
  source: MirrorSource,
  { limitBytesPerSecond, onEvent }: Pick<Policy, 'limitBytesPerSecond'> & Pick<SessionOptions, 'onEvent'>,
): Promise<OpenSource> {
  const places = source.urls.map(parseMirrorPlace);
  const { limits, ...retry } = source.patience ?? PATIENCE;
  const mirrors = await openMirrors({
    roots: places.map(({ root }) => root),
    ...(source.caFile === undefined ? {} : { caFile: source.caFile }),
    ...(limitBytesPerSecond === null ? {} : { rateLimit: new RateLimit(limitBytesPerSecond) }),
    ...(limits === undefined ? {} : { limits }),
    retry: { ...retry, onEvent },
  });
  return {
    mirrors,
    wanted: {
      metaPath: places.find(({ metaPath }) => metaPath !== null)?.metaPath ?? null,
      ...(source.series === undefined ? {} : { series: source.series }),
    },
    [Symbol.asyncDispose]: () => mirrors[Symbol.asyncDispose](),
  };
}

/**
 * Takes the device's directory and makes the mirrors known; none is asked yet.
 *
 * @throws UpdateRepositoryError what {@link openSource}, {@link openPlace} and {@link openTrust} throw
 */
export async function openSession(
  { source, device: place, policy, trust = { kind: 'remembered' }, signal, onEvent }: SessionOptions,
  purpose: Purpose,
): Promise<Session> {
  const opened = await openSource(source, { ...policy, onEvent });
  let device: Device | undefined;
  const close = async () => {
    await device?.close();
    await opened[Symbol.asyncDispose]();
  };
  try {
    device = await openPlace(place, { signal, onEvent }, purpose);
    const { mirrors, wanted } = opened;
    const vouching = await openTrust(trust, device, mirrors);
    return { device, mirrors, policy, trust: vouching, wanted, [Symbol.asyncDispose]: close };
  } catch (error) {
    await close();
    throw error;
  }
}

/**
 * Takes a device's directory, by the layout that it has.
 *
 * @throws UpdateRepositoryError what {@link openDevice} or {@link lookAtDevice} throws
 */
export async function openPlace(
  { dir, layout, puavoPlaces, breakLock = false }: DevicePlace,
  { signal, onEvent }: Pick<SessionOptions, 'signal' | 'onEvent'>,
  purpose: Purpose,
): Promise<Device> {
  const open = purpose === 'change' ? openDevice : lookAtDevice;
  return await open(dir, {
    layout: layout === 'puavo' ? puavoLayout(puavoPlaces) : plainLayout,
    breakLock,
    signal,
    onEvent,
  });
}
