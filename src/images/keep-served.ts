import { isUntouched } from '../io/file-identity.js';
import type { Crew } from '../workers/crew.js';
import type { Task } from '../workers/task.js';
import { EXAMINE_MEMORY_BYTES } from './examine-images.js';
import type { ImageRecord } from './records.js';
import { type MirrorSite, sitePath } from './site.js';
import { type ImageStatus, identify } from './survey.js';

/**
 * The images among these that the mirror still serves as they were published: they stay, though their own files cannot
 * be used. A hard link whose source was replaced or removed has another ctime, so its bytes are read once more.
 *
 * @returns their records, by file name.
 */
export async function keepServed(
  site: MirrorSite,
  crew: Crew,
  statuses: readonly ImageStatus[],
): Promise<ReadonlyMap<string, ImageRecord>> {
  const kept = new Map<string, ImageRecord>();
  const doubtful: Task[] = [];
  for (const status of statuses) {
    const { name, publishedSha256, record } = status;
    const served = status.publish ? await identify(sitePath(site, name.fileName)) : null;
    if (served === null || publishedSha256 === null) continue;
    const isKnown = record?.published != null && isUntouched(record.published, served);
    if (!isKnown) doubtful.push(readTask(site, status, served.sizeBytes, kept));
    else if (record.digests.sha256 === publishedSha256) kept.set(name.fileName, record);
  }
  await crew.run(doubtful, true);
  return kept;
}

function readTask(site: MirrorSite, status: ImageStatus, sizeBytes: number, kept: Map<string, ImageRecord>): Task {
  const { fileName } = status.name;
  return {
    kind: 'examine',
    path: fileName,
    totalBytes: sizeBytes,
    memoryBytes: EXAMINE_MEMORY_BYTES,
    async perform(run) {
      const path = sitePath(site, fileName);
      const { identity, digests, kind, innerName, puavoConf } = await run({ kind: 'examine', path, linkFrom: null });
      if (digests.sha256 !== status.publishedSha256) return { sizeBytes, detail: 'other bytes than those published' };
      const source = status.record?.source ?? identity;
      const record: ImageRecord = { source, published: identity, digests, kind, innerName, puavoConf };
      await site.state.writeImage(fileName, record);
      kept.set(fileName, record);
      return { sizeBytes, detail: 'stays as it was published' };
    },
  };
}
