import { META_DIR } from '../metadata/mirror-paths.js';
import { hashNamedCopy, INDEX_PATTERNS } from '../trust/tuf/contents.js';
import { metadataPath, type TargetEntry } from '../trust/tuf/documents.js';
import type { Repository } from '../trust/tuf/repository.js';

/** What the metadata of a mirror vouches for, by path: images, deltas and indexes. */
export function signedTargets({ roles }: Repository): ReadonlyMap<string, TargetEntry> {
  return new Map([...roles.values()].flatMap(({ signed }) => Object.entries(signed.targets)));
}

/** The indexes that the metadata vouches for, by path. */
export function signedIndexes(repository: Repository): ReadonlyMap<string, TargetEntry> {
  return new Map([...signedTargets(repository)].filter(([path]) => isIndex(path)));
}

/** Every file below `metadata/` that clients need but the timestamp: all roots, the newest of all else, the copies. */
export function metadataPaths(repository: Repository): string[] {
  const { root, targets, snapshot, roles } = repository;
  const versions = Array.from({ length: root.signed.version }, (_, index) => index + 1);
  return [
    ...versions.map((version) => metadataPath('root', version)),
    ...[...Object.entries({ targets, snapshot }), ...roles].map(([role, { signed }]) =>
      metadataPath(role, signed.version),
    ),
    ...[...signedIndexes(repository)].map(([path, { hashes }]) => hashNamedCopy(path, hashes.sha256)),
  ];
}

function isIndex(path: string): boolean {
  return path.startsWith(`${META_DIR}/`) || path.startsWith('channels/') || INDEX_PATTERNS.includes(path);
}
