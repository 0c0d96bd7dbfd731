import { UpdateRepositoryError } from '../../errors.js';

/** The highest version of metadata that clients take: what has a higher one could never be followed. */
export const MAX_VERSION = 2 ** 31 - 1;

/** The version that follows; throws CONFIG where clients would take none. Nobody gets there by signing. */
export function versionAfter(version: number, role: string): number {
  if (version < MAX_VERSION) return version + 1;
  throw new UpdateRepositoryError(
    'CONFIG',
    `role ${role}: expected metadata that another version can follow, found version ${version}, the last that clients take`,
    {
      data: { role, version },
      hint: 'somebody put it forward: bring metadata/ back from a backup, and replace the keys of the role',
    },
  );
}
