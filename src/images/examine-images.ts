import { rm } from 'node:fs/promises';
import { hasCode, UpdateRepositoryError } from '../errors.js';
import { placeFile } from '../io/atomic-file.js';
import { checkUntouched } from '../io/digest.js';
import { isUntouched, isUnwritten } from '../io/file-identity.js';
import type { LinkMode } from '../io/link.js';
import type { Digests } from '../metadata/digests.js';
import type { RunJob, Task, TaskOutcome } from '../workers/crew.js';
import type { ExaminedImage } from '../workers/jobs.js';
import type { ImageDecision } from './decide.js';
import type { ImageRecord } from './records.js';
import type { ScannedImage } from './scan.js';
import { type MirrorSite, sitePath } from './site.js';
import { type ImageStatus, identifyExisting } from './survey.js';

/** One image does not need more: chunks of 1 MiB and the squashfs reader's caches. */
export const EXAMINE_MEMORY_BYTES = 32 << 20;

export interface ExamineOptions {
  readonly link: LinkMode;
  /** Takes what is known of the image, once it is in place. */
  readonly onRecord: (record: ImageRecord) => void;
  /** Called instead of a NAME_REUSED failure: the image has other bytes than those published under its name. */
  readonly onReused?: () => void;
}

/** An image that is wanted and there. */
export type FoundImage = ImageStatus & { readonly file: ScannedImage };

/** The work that an image needs, as a task: link it, hash it, read it, and remember what was found. */
export function examineTask(
  site: MirrorSite,
  status: FoundImage,
  decision: Exclude<ImageDecision, 'nothing' | 'missing'>,
  options: ExamineOptions,
): Task {
  const examine = examiners[decision];
  const { sizeBytes } = status.file.identity;
  return {
    kind: 'examine',
    path: status.name.fileName,
    totalBytes: sizeBytes,
    memoryBytes: EXAMINE_MEMORY_BYTES,
    async perform(run): Promise<TaskOutcome> {
      try {
        const examined = await examine({ site, status, run, link: options.link });
        options.onRecord(await remember(site, status, examined));
        return { sizeBytes, detail: describe(examined) };
      } catch (error) {
        if (options.onReused === undefined || !hasCode(error, 'NAME_REUSED')) throw error;
        options.onReused();
        return { sizeBytes, detail: 'other bytes than those published: to be replaced' };
      }
    },
  };
}

interface Examination {
  readonly site: MirrorSite;
  readonly status: FoundImage;
  readonly run: RunJob;
  readonly link: LinkMode;
}

const examiners = {
  async link(work: Examination): Promise<ExaminedImage> {
    const { site, status } = work;
    const { staged, examined } = await stage(work);
    await refuseOtherBytes(status, examined.digests, staged);
    await placeFile(staged, sitePath(site, status.name.fileName));
    return examined;
  },

  async read({ site, status, run }: Examination): Promise<ExaminedImage> {
    const path = sitePath(site, status.name.fileName);
    const examined = await run({ kind: 'examine', path, linkFrom: null });
    await refuseOtherBytes(status, examined.digests, null);
    return examined;
  },

  async compare(work: Examination): Promise<ExaminedImage> {
    const { site, status, run } = work;
    const path = sitePath(site, status.name.fileName);
    const examined = await run({ kind: 'examine', path: status.file.path, linkFrom: null });
    await refuseOtherBytes(status, examined.digests, null);
    const served = knownDigests(status) ?? (await run({ kind: 'digest', path })).digests;
    if (served.sha256 === examined.digests.sha256) return examined;
    // Nobody vouches for the mirror's bytes: refuse them, unless the image's own are those that were published.
    if (status.publishedSha256 === null) throw nameReused(status, served.sha256, examined.digests.sha256);
    const { staged, examined: linked } = await stage(work);
    await placeFile(staged, path);
    site.onEvent({
      type: 'note',
      level: 'warning',
      subject: status.name.fileName,
      message: `the mirror's copy had other bytes (sha256 ${served.sha256}): replaced by the image`,
    });
    return linked;
  },

  async 'read-base'({ status, run }: Examination): Promise<ExaminedImage> {
    const examined = await run({ kind: 'examine', path: status.file.path, linkFrom: null });
    await refuseOtherBytes(status, examined.digests, null);
    return examined;
  },
};

async function stage({ site, status, run, link }: Examination): Promise<{ staged: string; examined: ExaminedImage }> {
  const staged = site.state.temporaryPath(status.name.fileName);
  // A second pass over a replaced image may find the first one's link.
  await rm(staged, { force: true });
  const examined = await run({ kind: 'examine', path: staged, linkFrom: { source: status.file.path, mode: link } });
  return { staged, examined };
}

/** The digests of the file in the mirror, where it has not been touched since they were made. */
function knownDigests({ record, inMirror }: ImageStatus): Digests | null {
  if (record?.published == null || inMirror === null) return null;
  return isUntouched(record.published, inMirror) ? record.digests : null;
}

async function refuseOtherBytes(status: ImageStatus, found: Digests, staged: string | null): Promise<void> {
  if (status.publishedSha256 === null || status.publishedSha256 === found.sha256) return;
  if (staged !== null) await rm(staged, { force: true });
  throw nameReused(status, status.publishedSha256, found.sha256);
}

function nameReused(status: ImageStatus, published: string, found: string): UpdateRepositoryError {
  const { fileName } = status.name;
  return new UpdateRepositoryError(
    'NAME_REUSED',
    `${fileName}: published with sha256 ${published}, and the image now has ${found}: a published name keeps its bytes`,
    {
      data: { path: fileName, published, found },
      hint: 'give the new image a new stamp; --replace publishes it under the old name, to clients that may hold the old bytes',
    },
  );
}

async function remember(site: MirrorSite, status: FoundImage, examined: ExaminedImage): Promise<ImageRecord> {
  const { path, identity } = status.file;
  const source = await identifyExisting(path);
  if (!isUnwritten(identity, source)) checkUntouched(path, identity, source);
  const published = status.publish
    ? await identifyExisting(sitePath(site, status.name.fileName))
    : (status.record?.published ?? null);
  const record: ImageRecord = {
    source,
    published,
    digests: examined.digests,
    kind: examined.kind,
    innerName: examined.innerName,
    puavoConf: examined.puavoConf,
  };
  await site.state.writeImage(status.name.fileName, record);
  return record;
}

function describe(examined: ExaminedImage): string {
  const how = examined.link === null ? '' : `${linkWords[examined.link]}, `;
  const keys = Object.keys(examined.puavoConf).length;
  return `${how}${examined.kind}${keys > 0 ? `, ${keys} puavo-conf keys` : ''}`;
}

const linkWords = { hard: 'hard-linked', reflink: 'reflinked', copy: 'copied' } as const;
