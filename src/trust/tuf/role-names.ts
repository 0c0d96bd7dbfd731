import { UpdateRepositoryError } from '../../errors.js';
import type { SeriesName } from '../../metadata/brands.js';
import { TOP_ROLES } from './documents.js';

/** The delegated role of the mirror's own indexes. */
export const MIRROR_ROLE = 'mirror';

/** What a key can be for: a top-level role, the roles of all series, or that of the mirror's indexes. */
export const KEY_ROLES = [...TOP_ROLES, 'series', MIRROR_ROLE] as const;
export type KeyRole = (typeof KEY_ROLES)[number];

export function isKeyRole(text: string): text is KeyRole {
  return (KEY_ROLES as readonly string[]).includes(text);
}

/** The role of one bin of a series; `digit` is a hexadecimal one. */
export function binName(series: string, digit: string): string {
  return `${series}.bin-${digit}`;
}

/** Whether a role is one that {@link binName} names for `series`. */
export function isBinOf(series: string, role: string): boolean {
  return BIN_NAME.test(role) && role.slice(0, role.lastIndexOf('.')) === series;
}

const BIN_NAME = /\.bin-[0-9a-f]$/;

/** What stands for more than itself in the patterns of one of TUF's clients. */
const WILDCARD = /[*[\]{}()|!]/;

/**
 * Refuses a series that cannot be a delegated role: its name is another role's, or one that JavaScript clients find in
 * every table, or it has characters that path patterns give a meaning. Throws NAME.
 */
export function checkSeriesRole(series: SeriesName): void {
  const fault = findFault(series);
  if (fault === null) return;
  throw new UpdateRepositoryError('NAME', `series ${series}: expected a name that can be a role's, found ${fault}`, {
    data: { series },
  });
}

/** Refuses a file whose name a path pattern cannot spell. Throws NAME. */
export function checkPatternText(text: string, fileName: string): void {
  const [wildcard] = WILDCARD.exec(text) ?? [];
  if (wildcard === undefined) return;
  throw new UpdateRepositoryError(
    'NAME',
    `${fileName}: expected a name that a path pattern can spell, found ${wildcard} in it`,
    { data: { fileName } },
  );
}

function findFault(series: string): string | null {
  if ([...TOP_ROLES, MIRROR_ROLE].some((role) => role === series)) return 'the name of a role of the repository';
  if (BIN_NAME.test(series)) return 'that of a part of a large series';
  if (series in Object.prototype) return 'that of a member of all JavaScript objects';
  const [wildcard] = WILDCARD.exec(series) ?? [];
  return wildcard === undefined ? null : `${wildcard}, which means more than itself in a path pattern`;
}
