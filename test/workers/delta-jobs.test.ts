import { chmodSync, existsSync, readFileSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { identityOfPath } from '../../src/io/file-identity.js';
import { makeDelta } from '../../src/workers/delta-jobs.js';
import { digestPath } from '../../src/workers/digest-path.js';
import type { DeltaJob } from '../../src/workers/jobs.js';
import { editInPlace } from '../images/support/tamper.js';
import { dailyStamps } from '../support/image-name.js';
import { makeRawImages } from '../support/raw-images.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

describe('a delta that is made while', () => {
  it('nothing happens to its base is proven, readable by all and digested', async () => {
    const job = await deltaJob();
    const made = makeDelta(job, () => undefined);
    expect(made.digests).toEqual(digestPath(job.path, () => undefined).digests);
    expect(made.identity.sizeBytes).toBe(readFileSync(job.path).length);
  });

  it.each(['generation', 'proof'] as const)(
    'its base is written during its %s is refused and removed',
    async (when) => {
      const job = await deltaJob();
      const from = when === 'generation' ? 0 : job.base.identity.sizeBytes + job.target.sizeBytes;
      const edit = onceFrom(from, () => editInPlace(job.base.path));
      expect(() => makeDelta(job, edit)).toThrow(
        expect.objectContaining({ code: 'CHANGED_WHILE_READ', data: expect.objectContaining({ path: job.base.path }) }),
      );
      expect(existsSync(job.path)).toBe(false);
    },
  );

  it('its base gets another mode is as good as any', async () => {
    const job = await deltaJob();
    makeDelta(
      job,
      onceFrom(0, () => chmodSync(job.base.path, 0o600)),
    );
    expect(existsSync(job.path)).toBe(true);
  });

  it('another target than the one that was hashed lies there is refused and removed', async () => {
    const job = await deltaJob();
    const wrong = { ...job, target: { ...job.target, sha256: job.base.sha256 } };
    expect(() => makeDelta(wrong, () => undefined)).toThrow(expect.objectContaining({ code: 'VERIFICATION' }));
    expect(existsSync(job.path)).toBe(false);
  });
});

async function deltaJob(): Promise<DeltaJob> {
  const dir = await temporaryDirectory();
  const series = { dir, stem: 'puavo-os-acme-bookworm', arch: 'amd64', stamps: dailyStamps(2), seed: 'job' };
  const [base = '', target = ''] = await makeRawImages({ ...series, sizeBytes: 100_000 });
  // A whole second: then the edit's old mtime comes back to the nanosecond, and ctime alone tells of it.
  utimesSync(base, 1_704_088_800, 1_704_088_800);
  const inputOf = (path: string) => ({
    path,
    identity: identityOfPath(path),
    sha256: digestPath(path, () => undefined).digests.sha256,
  });
  const sizeBytes = readFileSync(target).length;
  return {
    kind: 'delta',
    path: join(dir, 'delta'),
    base: inputOf(base),
    target: { ...inputOf(target), sizeBytes },
    effort: 'normal',
    maxDeltaBytes: sizeBytes,
  };
}

/** A progress hook that acts once, as soon as more than so many bytes are done. */
function onceFrom(bytes: number, act: () => void): (doneBytes: number) => void {
  let acted = false;
  return (doneBytes) => {
    if (acted || doneBytes <= bytes) return;
    acted = true;
    act();
  };
}
