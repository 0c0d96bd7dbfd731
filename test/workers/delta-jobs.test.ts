import { chmodSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { generateDelta } from '../../src/delta/generate.js';
import { identityOfPath } from '../../src/io/file-identity.js';
import { checkInputs, proveDelta } from '../../src/workers/delta-jobs.js';
import { digestPath } from '../../src/workers/digest-path.js';
import type { ProveDeltaJob } from '../../src/workers/jobs.js';
import { editInPlace } from '../images/support/tamper.js';
import { dailyStamps } from '../support/image-name.js';
import { makeRawImages } from '../support/raw-images.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

describe('a delta that is proven while', () => {
  it('nothing happens to its base is readable by all and digested', async () => {
    const job = await proveJob();
    chmodSync(job.path, 0o600);
    const proven = proveDelta(job, () => undefined);
    expect(proven.digests).toEqual(digestPath(job.path, () => undefined).digests);
    expect(statSync(job.path).mode & 0o777).toBe(0o644);
  });

  it.each(['before', 'during'] as const)('its base is written %s the proof is refused', async (when) => {
    const job = await proveJob();
    const edit = () => editInPlace(job.base.path);
    if (when === 'before') edit();
    expect(() => proveDelta(job, when === 'during' ? onceFrom(0, edit) : () => undefined)).toThrow(
      expect.objectContaining({ code: 'CHANGED_WHILE_READ', data: expect.objectContaining({ path: job.base.path }) }),
    );
  });

  it('its base gets another mode is as good as any', async () => {
    const job = await proveJob();
    const proven = proveDelta(
      job,
      onceFrom(0, () => chmodSync(job.base.path, 0o600)),
    );
    expect(proven.identity.sizeBytes).toBe(statSync(job.path).size);
  });

  it('another target than the one that was hashed is what it makes is refused', async () => {
    const job = await proveJob();
    const wrong = { ...job, target: { ...job.target, sha256: job.base.sha256 } };
    expect(() => proveDelta(wrong, () => undefined)).toThrow(expect.objectContaining({ code: 'VERIFICATION' }));
  });

  it('its target has become another one says so, rather than that the result is wrong', async () => {
    const job = await proveJob();
    writeFileSync(job.target.path, 'something else');
    const wrong = { ...job, target: { ...job.target, sha256: job.base.sha256 } };
    expect(() => proveDelta(wrong, () => undefined)).toThrow(
      expect.objectContaining({ code: 'CHANGED_WHILE_READ', data: expect.objectContaining({ path: job.target.path }) }),
    );
  });
});

it('inputs that are what they were pass, and either one that is not is named', async () => {
  for (const changed of ['base', 'target'] as const) {
    const job = await proveJob();
    checkInputs(job);
    writeFileSync(job[changed].path, 'something else');
    expect(() => checkInputs(job)).toThrow(
      expect.objectContaining({
        code: 'CHANGED_WHILE_READ',
        data: expect.objectContaining({ path: job[changed].path }),
      }),
    );
  }
});

async function proveJob(): Promise<ProveDeltaJob> {
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
  const path = join(dir, 'delta');
  generateDelta({ basePath: base, targetPath: target, deltaPath: path, effort: 'normal' });
  const sizeBytes = readFileSync(target).length;
  return { kind: 'prove-delta', path, base: inputOf(base), target: { ...inputOf(target), sizeBytes } };
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
