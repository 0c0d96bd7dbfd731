import { rm } from 'node:fs/promises';
import type { Checkpoints } from '../delta/apply-as-it-comes.js';
import { fromSystemError } from '../errors.js';
import { syncDirectory, writeFileAtomic } from '../io/atomic-file.js';
import type { Sha256Hex } from '../metadata/brands.js';
import type { Device } from './device/device.js';
import type { PatchRecord } from './device/partial-record.js';
import { partials } from './device/partials.js';
import type { DeltaHop } from './hop.js';

/**
 * How far the image of a hop was made by an earlier run from the same base by the same delta, and what remembers how far
 * it is made by this one. What is there of anything else under its name is dropped.
 */
export async function patchCheckpoints(
  device: Device,
  { image, delta }: DeltaHop,
  baseSha256: Sha256Hex | null,
): Promise<Checkpoints> {
  // Of a base without a known sha256 nobody can tell in another run whether it is the same.
  if (baseSha256 === null) {
    await forgetPartial(device, image.filename);
    return { save: () => undefined };
  }
  const sums = { baseSha256, deltaSha256: delta.sha256, targetSha256: image.sha256 };
  const record = (await partials(device)).get(image.filename)?.record;
  const isSame = record?.kind === 'patch' && isOf(record, sums);
  if (!isSame) await forgetPartial(device, image.filename);
  const path = device.place.partialRecordPath(image.filename);
  return {
    ...(isSame ? { last: record.checkpoint } : {}),
    async save(checkpoint) {
      const text = JSON.stringify({ kind: 'patch', checkpoint, ...sums } satisfies PatchRecord);
      await writeFileAtomic(path, `${text}\n`, device.place.temporaryPath('checkpoint'));
    },
  };
}

function isOf(record: PatchRecord, sums: Omit<PatchRecord, 'kind' | 'checkpoint'>): boolean {
  return (
    record.baseSha256 === sums.baseSha256 &&
    record.deltaSha256 === sums.deltaSha256 &&
    record.targetSha256 === sums.targetSha256
  );
}

/** Drops what there is of a file in `partial/` of which nobody can tell what it is. */
export async function forgetUnlessKnown(device: Device, fileName: string): Promise<void> {
  if (!(await partials(device)).has(fileName)) await forgetPartial(device, fileName);
}

/** Drops what there is of a file in `partial/`: first what says what it is. */
export async function forgetPartial({ place }: Device, fileName: string): Promise<void> {
  try {
    await rm(place.partialRecordPath(fileName), { force: true });
    await rm(place.partialPath(fileName), { force: true });
    await syncDirectory(place.partialDir);
  } catch (error) {
    throw fromSystemError(error, 'remove it', place.partialPath(fileName));
  }
}
