import { withoutFiles } from './contents.js';
import { listedBestBefore, readDiskIndexes } from './disk-indexes.js';
import type { MirrorSite } from './site.js';
import { writeIndexes } from './write-indexes.js';

/**
 * Takes files out of the indexes before their bytes change: whoever reads an index from now on is not sent to them.
 * Nothing happens where no index names them.
 */
export async function withdraw(site: MirrorSite, paths: ReadonlySet<string>): Promise<void> {
  const { named, metas, texts } = await readDiskIndexes(site.mirrorDir);
  if (![...paths].some((path) => named.has(path))) return;
  await writeIndexes(site, withoutFiles(metas, paths), listedBestBefore(texts));
}
