import { UpdateRepositoryError } from '../errors.js';
import { describeValue } from '../metadata/describe-value.js';
import { type ImageName, rdiffFileName } from '../metadata/image-name.js';
import type { Series } from './series.js';

/** Which deltas a series gets. All but `none` add the extra bases that a configuration names. */
export type DeltaPolicy =
  /** From each image to the next, and from the newest back to the one before it: n deltas for n images. */
  | { readonly kind: 'neighbours' }
  /** Into each of the last three images from all others, newer ones included, as Puavo's producer: 3(n - 1). */
  | { readonly kind: 'puavo' }
  /** Between any two images, both ways: n(n - 1). */
  | { readonly kind: 'all' }
  /** Into the last image from each of the `count` before it. */
  | { readonly kind: 'latest'; readonly count: number }
  | { readonly kind: 'none' };

/** A delta to make: what `rdiff patch` turns `base` into `target` with. */
export interface WantedDelta {
  readonly base: ImageName;
  readonly target: ImageName;
  /** The delta's own file name. */
  readonly fileName: string;
}

/** Reads a policy from the command line. Throws USAGE, listing the policies, for any other text. */
export function parseDeltaPolicy(text: string): DeltaPolicy {
  switch (text) {
    case 'neighbours':
    case 'puavo':
    case 'all':
    case 'none':
      return { kind: text };
  }
  const count = /^latest:([1-9][0-9]{0,5})$/.exec(text)?.[1];
  if (count !== undefined) return { kind: 'latest', count: Number(count) };
  throw new UpdateRepositoryError(
    'USAGE',
    `delta policy: expected neighbours, puavo, all, latest:N (N at least 1) or none, found ${describeValue(text)}`,
  );
}

/** The text that {@link parseDeltaPolicy} reads back. */
export function formatDeltaPolicy(policy: DeltaPolicy): string {
  return policy.kind === 'latest' ? `latest:${policy.count}` : policy.kind;
}

/**
 * The deltas that `policy` wants for a series: target by target in the order of the series, and for a target its
 * bases in the order of the series, then its extra bases. No delta comes twice.
 */
export function wantedDeltas(series: Series, policy: DeltaPolicy): WantedDelta[] {
  return series.images.flatMap((target, index) => {
    const bases = series.images.filter((_, base) => isBase(policy, base, index, series.images.length));
    const extra = policy.kind === 'none' ? [] : (series.extraBases.get(target.fileName) ?? []);
    return deltasInto(target, [...bases, ...extra]);
  });
}

/**
 * Refuses two deltas of one file name: the name holds the target's stamp alone (spelt in {@link rdiffFileName}), so
 * images of two distributions that were built in the same second share it. The same delta wanted by two series is
 * fine. Throws NAME naming both targets.
 */
export function checkDeltaNames(deltas: readonly WantedDelta[]): void {
  const byName = new Map<string, WantedDelta>();
  for (const delta of deltas) {
    const other = byName.get(delta.fileName) ?? delta;
    if (!isSameDelta(delta, other)) throw sameName(other, delta);
    byName.set(delta.fileName, delta);
  }
}

/** Whether the policy wants a delta between these two places of a list of `length` images. */
function isBase(policy: DeltaPolicy, base: number, target: number, length: number): boolean {
  const newest = length - 1;
  switch (policy.kind) {
    case 'neighbours':
      return base === target - 1 || (base === newest && target === newest - 1);
    case 'puavo':
      return target > newest - 3;
    case 'all':
      return true;
    case 'latest':
      return target === newest && base >= newest - policy.count;
    case 'none':
      return false;
  }
}

function deltasInto(target: ImageName, bases: readonly ImageName[]): WantedDelta[] {
  const byBase = new Map(bases.map((base) => [base.fileName, base]));
  // No policy and no configuration makes a delta from an image to itself.
  byBase.delete(target.fileName);
  return [...byBase.values()].map((base) => ({ base, target, fileName: rdiffFileName(base, target) }));
}

function isSameDelta(a: WantedDelta, b: WantedDelta): boolean {
  return a.base.fileName === b.base.fileName && a.target.fileName === b.target.fileName;
}

function sameName(one: WantedDelta, other: WantedDelta): UpdateRepositoryError {
  const { fileName, base } = one;
  const targets = [one.target.fileName, other.target.fileName];
  return new UpdateRepositoryError(
    'NAME',
    `${fileName}: expected one delta of this name, found two from ${base.fileName}, to ${targets.join(' and to ')}`,
    { data: { fileName, targets }, hint: 'leave one of the two targets out: they were built in the same second' },
  );
}
