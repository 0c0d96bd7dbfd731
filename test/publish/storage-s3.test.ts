import { afterAll, beforeAll, beforeEach, describe, vi } from 'vitest';
import { openS3Storage } from '../../src/publish/s3/open-s3-storage.js';
import { temporaryDirectoryOfSuite } from '../support/temporary-directory.js';
import { haveTools } from '../support/tools.js';
import { cloudFrontSuite } from './cloudfront/invalidations.js';
import { s3ContentionSuite } from './s3/contention.js';
import { s3RequestsSuite } from './s3/requests.js';
import { s3ResumeSuite } from './s3/resume.js';
import { CEPH_ENV, CEPH_TOOLS, type Ceph, startCeph } from './support/ceph.js';
import { storageContract } from './support/contract.js';

describe.skipIf(!haveTools(...CEPH_TOOLS))('S3, as a real Ceph has it', () => {
  const dir = temporaryDirectoryOfSuite();
  let ceph: Ceph;
  beforeAll(async () => {
    for (const [name, value] of Object.entries(CEPH_ENV)) vi.stubEnv(name, value);
    ceph = await startCeph(dir);
  });
  beforeEach(() => ceph.mustAnswer());
  afterAll(async () => {
    await ceph?.stop();
    vi.unstubAllEnvs();
  });

  for (const address of ['s3://test', 's3://test/some/prefix']) {
    storageContract(address, async () => {
      // Ceph answers some of those who contend for an object with an error that passes.
      const retries = { attempts: 6, firstPauseMs: 50, onEvent: () => undefined };
      const open = { options: { endpoint: ceph.endpoint, pathStyle: true }, retries, signal: never };
      const [storage, other] = [await openS3Storage(address, open), await openS3Storage(address, open)];
      for (const each of [storage, other]) await each.prepare?.({ signal: never });
      return {
        storage,
        other,
        end: async () => {
          for await (const { path } of storage.list('', { signal: never }))
            await storage.remove([path], { signal: never });
          await Promise.all([storage.close(), other.close()]);
        },
      };
    });
  }

  s3RequestsSuite(() => ceph);
  s3ResumeSuite(() => ceph);
  s3ContentionSuite(() => ceph);
  cloudFrontSuite(() => ceph);
});

const { signal: never } = new AbortController();
