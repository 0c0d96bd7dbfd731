import { rm } from 'node:fs/promises';
import { hasCode, UpdateRepositoryError } from '../errors.js';
import { checkUnwritten } from '../io/digest.js';
import { type FileIdentity, isUntouched } from '../io/file-identity.js';
import type { LinkKind, LinkMode } from '../io/link.js';
import type { Digests } from '../metadata/digests.js';
import type { DigestedPath, ExaminedImage } from '../workers/jobs.js';
import type { RunJob, Task, TaskOutcome } from '../workers/task.js';
import type { ImageDecision } from './decide.js';
import type { ImageRecord } from './records.js';
import type { ScannedImage } from './scan.js';
import { type MirrorSite, placeInMirror, sitePath } from './site.js';
import { type ImageStatus, identifyExisting } from './survey.js';

/** One image does not need more: chunks of 1 MiB and the squashfs reader's caches. */
export const EXAMINE_MEMORY_BYTES = 32 << 20;

export interface ExamineOptions {
  readonly link: LinkMode;
  /** Takes what is known of the image, once it is in place. */
  readonly onRecord: (record: ImageRecord) => void;
  readonly onLinked: (kind: LinkKind) => void;
  /** Called, before the failure, when the mirror does not serve the bytes that were published under the name any more. */
  readonly onSpoiled: () => void;
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
        const found = await examine({ site, status, run, link: options.link, onSpoiled: options.onSpoiled });
        options.onRecord(await remember(site, status, found));
        if (found.examined.link !== null) options.onLinked(found.examined.link);
        return { sizeBytes, detail: describe(found.examined) };
      } catch (error) {
        if (hasCode(error, 'NOT_FOUND')) throw vanished(error);
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
  readonly onSpoiled: () => void;
}

interface Finding {
  readonly examined: ExaminedImage;
  /** The state in which the mirror's file was hashed; null for an image that is only a base. */
  readonly hashed: FileIdentity | null;
}

const examiners = {
  async link(work: Examination): Promise<Finding> {
    const { staged, examined } = await stage(work);
    if (isOther(work.status, examined.digests)) work.onSpoiled();
    refuseOtherBytes(work.status, examined.digests);
    return { examined, hashed: await placeStaged(work, staged, examined) };
  },

  async read({ site, status, run, onSpoiled }: Examination): Promise<Finding> {
    const path = sitePath(site, status.name.fileName);
    const examined = await run({ kind: 'examine', path, linkFrom: null });
    // A hard link: whoever wrote the image has written what the mirror serves.
    if (isOther(status, examined.digests)) onSpoiled();
    refuseOtherBytes(status, examined.digests);
    return { examined, hashed: examined.identity };
  },

  async compare(work: Examination): Promise<Finding> {
    const { site, status, run } = work;
    const { fileName } = status.name;
    const examined = await run({ kind: 'examine', path: status.file.path, linkFrom: null });
    refuseOtherBytes(status, examined.digests);
    const served = knownFile(status) ?? (await run({ kind: 'digest', path: sitePath(site, fileName) }));
    if (served.digests.sha256 === examined.digests.sha256) return { examined, hashed: served.identity };
    // Nobody vouches for the mirror's bytes: refuse them, unless the image's own are those that were published.
    if (status.publishedSha256 === null) throw nameReused(status, served.digests.sha256, examined.digests.sha256);
    const { staged, examined: linked } = await stage(work);
    const hashed = await placeStaged(work, staged, linked);
    const message = `the mirror's copy had other bytes (sha256 ${served.digests.sha256}): replaced by the image`;
    site.onEvent({ type: 'note', level: 'warning', subject: fileName, message });
    return { examined: linked, hashed };
  },

  async 'read-base'({ status, run }: Examination): Promise<Finding> {
    const examined = await run({ kind: 'examine', path: status.file.path, linkFrom: null });
    refuseOtherBytes(status, examined.digests);
    return { examined, hashed: null };
  },
};

async function stage({ site, status, run, link }: Examination): Promise<{ staged: string; examined: ExaminedImage }> {
  const staged = site.state.temporaryPath(status.name.fileName);
  // A second pass over a replaced image may find the first one's link.
  await rm(staged, { force: true });
  const source = status.file.path;
  try {
    return { staged, examined: await run({ kind: 'examine', path: staged, linkFrom: { source, mode: link } }) };
  } catch (error) {
    throw error instanceof UpdateRepositoryError ? aboutSource(error, staged, source) : error;
  }
}

/** The file that people know is the image, not the link to it in the making. */
function aboutSource(error: UpdateRepositoryError, staged: string, source: string): UpdateRepositoryError {
  const message = error.message.replaceAll(staged, source);
  const { data, hint } = error;
  return new UpdateRepositoryError(error.code, message, {
    data,
    cause: error,
    ...(hint === undefined ? {} : { hint }),
  });
}

/** Renaming has changed the ctime, and nothing else. */
async function placeStaged(
  { site, status }: Examination,
  staged: string,
  examined: ExaminedImage,
): Promise<FileIdentity> {
  const { fileName } = status.name;
  await placeInMirror(site, staged, fileName);
  const placed = await identifyExisting(sitePath(site, fileName));
  checkUnwritten(fileName, examined.identity, placed);
  return placed;
}

/** The file in the mirror, where it has not been touched since it was hashed. */
function knownFile({ record, inMirror }: ImageStatus): DigestedPath | null {
  if (record?.published == null || inMirror === null) return null;
  return isUntouched(record.published, inMirror) ? { identity: inMirror, digests: record.digests } : null;
}

function isOther(status: ImageStatus, found: Digests): boolean {
  return status.publishedSha256 !== null && status.publishedSha256 !== found.sha256;
}

function refuseOtherBytes(status: ImageStatus, found: Digests): void {
  if (isOther(status, found)) throw nameReused(status, status.publishedSha256 ?? '', found.sha256);
}

function vanished(cause: UpdateRepositoryError): UpdateRepositoryError {
  return new UpdateRepositoryError('CHANGED_WHILE_READ', cause.message, { data: cause.data, cause });
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

async function remember(site: MirrorSite, status: FoundImage, { examined, hashed }: Finding): Promise<ImageRecord> {
  const { path, identity } = status.file;
  const source = await identifyExisting(path);
  checkUnwritten(path, identity, source);
  const record: ImageRecord = {
    source,
    published: hashed ?? status.record?.published ?? null,
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
