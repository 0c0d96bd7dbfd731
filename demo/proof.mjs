// What a device does with the mirror, in short: read the meta file, apply a delta, compare the digest.
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { applyDeltaToFile, parseSeriesMeta } from 'update-repository';

/**
 * Updates from the image before the newest one to the newest one of a mirror's first series, with the delta, and
 * compares the result with the sha256 that the mirror publishes. Resolves to what was done in one line; throws when the
 * result differs.
 * @param {string} mirror
 * @param {string} out where the updated image goes
 */
export async function updateWithDelta(mirror, out) {
  const metaFile = readdirSync(join(mirror, 'meta')).sort()[0] ?? '';
  const { images } = parseSeriesMeta(readFileSync(join(mirror, 'meta', metaFile), 'utf8'), metaFile);
  const [base, target] = images.slice(-2);
  const delta = target?.diffs.find((diff) => diff.version === base?.version);
  if (base === undefined || target === undefined || delta === undefined) {
    throw new Error(`${metaFile}: expected a delta between the last two images, found none`);
  }
  const targetPath = join(out, 'updated.img');
  await applyDeltaToFile({
    basePath: join(mirror, base.filename),
    deltaPath: join(mirror, 'rdiffs', delta.filename),
    targetPath,
    targetBytes: target.size,
  });
  const sha256 = createHash('sha256').update(readFileSync(targetPath)).digest('hex');
  if (sha256 !== target.sha256) {
    throw new Error(`${targetPath}: expected sha256 ${target.sha256}, found ${sha256}`);
  }
  const share = ((delta.size / target.size) * 100).toPrecision(2);
  return `${base.id} + ${delta.size} bytes (${share} % of the image) = ${target.id}, sha256 as published`;
}
