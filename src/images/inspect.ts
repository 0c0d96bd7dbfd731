import { DELTA_MAGIC } from '../delta/format.js';
import { inspectDelta } from '../delta/inspect-delta.js';
import { isSignature, parseSignatureHeader, SIGNATURE_HEADER_BYTES } from '../delta/signature-header.js';
import type { SourceFile } from '../delta/source-file.js';
import { UpdateRepositoryError } from '../errors.js';
import type { Inspection, SignatureInspection } from '../inspection.js';
import { inspectImage } from '../squashfs/inspect-image.js';
import { openImageFile, type RandomAccessFile } from '../squashfs/random-access-file.js';
import { unpackZstdFile } from '../squashfs/zstd/frames.js';
import { inspectIndexText } from './inspect-index.js';

/** A file's size, and what is in it. */
export type InspectedFile = Inspection & { readonly sizeBytes: number };

/** Enough to tell text of a known form from other text. */
const START_BYTES = 256;

/** Of a zstd frame: RFC 8878, section 3.1.1; its bytes as they follow each other. */
const ZSTD_MAGIC = 0x28b52ffd;

/**
 * Says what is in a file: an image, a delta, also one that zstd compressed, a signature, or one of the indexes of a mirror. The contents tell, not the
 * name. A delta is read whole, of all else as much as is needed.
 *
 * @throws UpdateRepositoryError FORMAT where it is none of them, or a damaged one; INTERRUPTED, NOT_FOUND, IO
 */
export async function inspectFile(path: string, signal?: AbortSignal): Promise<InspectedFile> {
  const file = await openImageFile(path);
  try {
    return { sizeBytes: file.sizeBytes, ...(await inspect(file, signal)) };
  } finally {
    await file.close();
  }
}

async function inspect(file: RandomAccessFile, signal: AbortSignal | undefined): Promise<Inspection> {
  const start = await file.read(0, Math.min(START_BYTES, file.sizeBytes));
  const hooks = signal === undefined ? {} : { signal };
  if (startsWith(start, DELTA_MAGIC)) return await inspectDelta(file.name, hooks);
  if (startsWith(start, ZSTD_MAGIC)) return await inspectDelta(file.name, hooks, unpackZstd);
  if (isSignature(start)) return inspectSignature(file, start);
  const found = (await inspectImage(file)) ?? (await inspectIndexText(file.name, start));
  if (found !== null) return found;
  throw new UpdateRepositoryError(
    'FORMAT',
    `${file.name}: expected an image, a delta, a signature, a meta file, index.json, CKSUMS or SHA256SUMS, found ` +
      (file.sizeBytes === 0 ? 'an empty file' : 'none of them'),
    { data: { path: file.name } },
  );
}

function startsWith(start: Uint8Array, magic: number): boolean {
  return start.length >= 4 && new DataView(start.buffer, start.byteOffset).getUint32(0) === magic;
}

function unpackZstd(file: SourceFile): Iterable<Uint8Array> {
  return unpackZstdFile(file, file.path, Number.MAX_SAFE_INTEGER);
}

function inspectSignature(file: RandomAccessFile, start: Uint8Array): SignatureInspection {
  const header = parseSignatureHeader(start.subarray(0, SIGNATURE_HEADER_BYTES), file.sizeBytes, file.name);
  const { blocks, blockBytes } = header;
  return {
    kind: 'signature',
    ...header,
    fileMinBytes: blocks === 0 ? 0 : (blocks - 1) * blockBytes + 1,
    fileMaxBytes: blocks * blockBytes,
  };
}
