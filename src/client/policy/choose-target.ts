import { UpdateRepositoryError } from '../../errors.js';
import type { ImageVersion, SeriesName } from '../../metadata/brands.js';
import { compareVersions } from '../../metadata/image-name.js';
import type { MetaImage } from '../../metadata/meta.js';
import type { Policy } from './policy.js';
import type { Wanted } from './wanted.js';

/** What is to be done: update to an image, or stay at what there is. */
export type Target = UpdateTarget | StayTarget;

export interface UpdateTarget {
  readonly kind: 'update';
  readonly image: MetaImage;
  /** Where it leads in the end: another version than the image's where that one is a barrier. */
  readonly wanted: ImageVersion;
  /** In words, after the version: "is the newest". */
  readonly reason: string;
}

export interface StayTarget {
  readonly kind: 'stay';
  readonly version: ImageVersion;
  readonly reason: string;
}

/** The limits within which a target is chosen. */
export type VersionLimits = Pick<Policy, 'floor' | 'allowDowngrade' | 'barriers'>;

/** What there is of a series: a {@link SeriesMeta} is one. */
export interface Offer {
  readonly series: SeriesName;
  readonly images: readonly MetaImage[];
}

/**
 * Chooses the image that a device is to have next.
 *
 * - It is what is wanted, or the lowest barrier between the current version and that.
 * - It is never below the floor, and below the current version only where downgrades are allowed: else a device stays
 *   that is ahead of the newest version or of its channel, and a version that was asked for by its digits is refused.
 * - Barriers are for what is on the device already: without a current version, and downwards, there are none.
 *
 * @param current the version that the device runs; null where it has none
 * @throws UpdateRepositoryError CONFIG when the policy forbids what is wanted or the mirror does not have it, NOT_FOUND
 * when the series is empty and so is the device
 */
export function chooseTarget(
  offer: Offer,
  current: ImageVersion | null,
  wanted: Wanted,
  limits: VersionLimits,
): Target {
  const version = wantedVersion(offer, wanted);
  if (version === null) return stayWithout(offer, current);
  const why = reasonFor(wanted);
  if (version === current) return { kind: 'stay', version, reason: why };
  const isDowngrade = current !== null && compareVersions(version, current) < 0;
  if (isDowngrade && !limits.allowDowngrade) return stayAhead(offer, current, wanted, version);
  const barrier = current === null ? null : barrierBetween(current, version, barriersOf(offer, limits));
  const next = barrier ?? version;
  const reason = barrier === null ? why : `is a barrier on the way to ${version}, which ${why}`;
  checkFloor(offer, next, reason, limits.floor);
  return { kind: 'update', image: imageOf(offer, next, reason), wanted: version, reason };
}

/** Null where the newest is wanted and there is none. */
function wantedVersion({ series, images }: Offer, wanted: Wanted): ImageVersion | null {
  switch (wanted.kind) {
    case 'latest':
      return newestOf(images);
    case 'version':
    case 'bundle':
      return wanted.version;
    case 'channel':
      if (wanted.channel.series === series) return wanted.channel.version;
      throw refused(`${wanted.path}: .series: expected ${series}, the series of this update`, wanted.channel.series);
  }
}

function newestOf(images: readonly MetaImage[]): ImageVersion | null {
  return images.reduce<ImageVersion | null>(
    (best, { version }) => (best === null || compareVersions(version, best) > 0 ? version : best),
    null,
  );
}

function reasonFor(wanted: Wanted): string {
  switch (wanted.kind) {
    case 'latest':
      return 'is the newest';
    case 'version':
      return 'is what was asked for';
    case 'channel':
      return `is what ${wanted.path} names`;
    case 'bundle':
      return `is what ${wanted.path} leads to`;
  }
}

function stayWithout({ series }: Offer, current: ImageVersion | null): StayTarget {
  if (current !== null)
    return { kind: 'stay', version: current, reason: 'stays, as the mirror has no image of the series' };
  throw new UpdateRepositoryError('NOT_FOUND', `${series}: expected an image on the mirror, found none`, {
    data: { series },
  });
}

function stayAhead({ series }: Offer, current: ImageVersion, wanted: Wanted, version: ImageVersion): StayTarget {
  if (wanted.kind === 'latest') return { kind: 'stay', version: current, reason: `is above the newest, ${version}` };
  if (wanted.kind === 'channel') {
    return { kind: 'stay', version: current, reason: `is above what ${wanted.path} names, ${version}` };
  }
  throw refused(
    `${series}: expected a version above ${current}, which is there`,
    `${version}, a downgrade`,
    'allow it by --allow-downgrade, or by allowDowngrade in the policy',
  );
}

/** Those of the policy, and those of the mirror. */
function barriersOf({ images }: Offer, { barriers }: VersionLimits): readonly ImageVersion[] {
  return [...barriers, ...images.filter(({ barrier }) => barrier === true).map(({ version }) => version)];
}

function barrierBetween(
  current: ImageVersion,
  version: ImageVersion,
  barriers: readonly ImageVersion[],
): ImageVersion | null {
  const between = barriers.filter((barrier) => {
    return compareVersions(barrier, current) > 0 && compareVersions(barrier, version) < 0;
  });
  return between.sort(compareVersions)[0] ?? null;
}

function checkFloor({ series }: Offer, version: ImageVersion, reason: string, floor: ImageVersion | null): void {
  if (floor === null || compareVersions(version, floor) >= 0) return;
  throw refused(`${series}: expected a version not below the floor ${floor}`, `${version}, which ${reason}`);
}

function imageOf({ series, images }: Offer, version: ImageVersion, reason: string): MetaImage {
  const image = images.find((one) => one.version === version);
  if (image !== undefined) return image;
  throw refused(`${series}: expected the version ${version}, which ${reason}`, 'no such image on the mirror');
}

function refused(expected: string, found: string, hint?: string): UpdateRepositoryError {
  const message = `${expected}, found ${found}`;
  return new UpdateRepositoryError('CONFIG', message, hint === undefined ? {} : { hint });
}
