import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { checkCompressed, compressAndProve } from '../../src/workers/compressed-jobs.js';
import { digestPath } from '../../src/workers/digest-path.js';
import type { CompressDeltaJob } from '../../src/workers/jobs.js';
import { editInPlace } from '../images/support/tamper.js';
import { pseudoRandomBytes } from '../support/pseudo-random.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

describe('a delta that is compressed', () => {
  it('is proven, readable by all and digested, and both readings of it count as progress', async () => {
    const job = await compressJob();
    const progress: number[] = [];
    const made = await compressAndProve(job, (doneBytes) => progress.push(doneBytes));
    expect(made).toEqual(digestPath(job.path, () => undefined));
    expect(made.identity.sizeBytes).toBeLessThan(0.6 * job.deltaBytes);
    expect(statSync(job.path).mode & 0o777).toBe(0o644);
    expect(progress).toEqual([...progress].sort((a, b) => a - b));
    expect(progress.at(-1)).toBe(2 * job.deltaBytes);
  });

  it('and would be larger than is asked for leaves nothing behind', async () => {
    const job = await compressJob({ maxZstBytes: 1000 });
    await expect(compressAndProve(job, () => undefined)).rejects.toMatchObject({ code: 'DELTA_TOO_LARGE' });
    expect(() => statSync(job.path)).toThrow('ENOENT');
  });

  it('and has other bytes than were proven is refused', async () => {
    const job = await compressJob();
    editInPlace(job.deltaPath);
    await expect(compressAndProve(job, () => undefined)).rejects.toMatchObject({ code: 'VERIFICATION' });
  });
});

describe('a compressed delta that is checked', () => {
  it('is as good as its bytes', async () => {
    const { path, deltaBytes, deltaSha256, ...rest } = await compressJob();
    await compressAndProve({ path, deltaBytes, deltaSha256, ...rest }, () => undefined);
    const check = { kind: 'check-compressed', path, deltaBytes, deltaSha256 } as const;
    expect(checkCompressed(check, () => undefined)).toEqual(digestPath(path, () => undefined));
    editInPlace(path);
    expect(() => checkCompressed(check, () => undefined)).toThrow(expect.objectContaining({ code: 'FORMAT' }));
  });
});

async function compressJob(changes: Partial<CompressDeltaJob> = {}): Promise<CompressDeltaJob> {
  const folder = await temporaryDirectory();
  const deltaPath = join(folder, 'a.rdiff');
  writeFileSync(deltaPath, pseudoRandomBytes('compress', 200_000).toString('hex'));
  const { identity, digests } = digestPath(deltaPath, () => undefined);
  return {
    kind: 'compress-delta',
    path: join(folder, 'a.rdiff.zst'),
    deltaPath,
    deltaBytes: identity.sizeBytes,
    deltaSha256: digests.sha256,
    effort: 'normal',
    maxZstBytes: identity.sizeBytes,
    ...changes,
  };
}
