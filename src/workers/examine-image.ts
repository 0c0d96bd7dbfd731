import { rmSync } from 'node:fs';
import { UpdateRepositoryError } from '../errors.js';
import { checkUnwritten } from '../io/digest.js';
import { identityOfPath } from '../io/file-identity.js';
import { linkFile } from '../io/link.js';
import { mergePuavoConf } from '../metadata/puavo-conf.js';
import { detectImageKind, type ImageKind } from '../squashfs/kind.js';
import { readPuavoImage } from '../squashfs/puavo-image.js';
import { openImageFile } from '../squashfs/random-access-file.js';
import { openSquashfs } from '../squashfs/squashfs.js';
import { digestPath } from './digest-path.js';
import type { ExaminedImage, ExamineJob } from './jobs.js';

/**
 * Links an image into the mirror where it is asked to, and reads it through that link: what was hashed is what will be
 * served. A failure removes the link.
 */
export async function examineImage(job: ExamineJob, onProgress: (doneBytes: number) => void): Promise<ExaminedImage> {
  if (job.linkFrom === null) return { link: null, ...(await examine(job.path, onProgress)) };
  const { source, mode } = job.linkFrom;
  const before = identityOfPath(source);
  const link = linkFile(source, job.path, mode);
  try {
    checkUnwritten(source, before, identityOfPath(source));
    return { link, ...(await examine(job.path, onProgress)) };
  } catch (error) {
    rmSync(job.path, { force: true });
    throw error;
  }
}

async function examine(path: string, onProgress: (doneBytes: number) => void): Promise<Omit<ExaminedImage, 'link'>> {
  // The cheap part first: a damaged image is refused before its gigabytes are hashed.
  const facts = await readFacts(path);
  return { ...facts, ...digestPath(path, onProgress) };
}

async function readFacts(path: string): Promise<Pick<ExaminedImage, 'kind' | 'innerName' | 'puavoConf'>> {
  const file = await openImageFile(path);
  try {
    if (file.sizeBytes === 0)
      throw new UpdateRepositoryError('FORMAT', `${path}: expected an image, found an empty file`);
    const kind: ImageKind = await detectImageKind(file);
    if (kind !== 'squashfs') return { kind, innerName: null, puavoConf: {} };
    const { innerName, definitionFiles } = await readPuavoImage(await openSquashfs(file));
    return { kind, innerName, puavoConf: mergePuavoConf(file.name, definitionFiles) };
  } finally {
    await file.close();
  }
}
