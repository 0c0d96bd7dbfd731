import type { PathReason } from '../../events.js';
import type { UpdatePath } from './path.js';

/** What speaks against `path` beside the chosen one: the first of download, disk work and hops that it has more of. */
export function reasonBeside(path: UpdatePath, chosen: UpdatePath): PathReason {
  const downloadBytes = path.downloadBytes - chosen.downloadBytes;
  const workBytes = path.workBytes - chosen.workBytes;
  const hops = path.hops.length - chosen.hops.length;
  if (downloadBytes > 0) return { kind: 'more-download', bytes: downloadBytes };
  if (workBytes > 0) return { kind: 'more-work', bytes: workBytes };
  return hops > 0 ? { kind: 'more-hops', hops } : { kind: 'same-cost' };
}
