import { PutBucketAclCommand } from '@aws-sdk/client-s3';
import { afterAll, describe, vi } from 'vitest';
import { haveTools } from '../../support/tools.js';
import { CEPH_ENV, CEPH_TOOLS, startCeph } from '../support/ceph.js';
import { overHttp } from '../support/reader.js';
import { READER_TOOLS, readersSuite } from '../support/readers.js';

describe.skipIf(!haveTools(...READER_TOOLS, ...CEPH_TOOLS))('S3', () => {
  afterAll(() => vi.unstubAllEnvs());

  readersSuite('a bucket of Ceph', async (dir) => {
    for (const [name, value] of Object.entries(CEPH_ENV)) vi.stubEnv(name, value);
    const ceph = await startCeph(dir);
    // Who may list a bucket is told of an object that is not there, others that they may not have it.
    await ceph.client.send(new PutBucketAclCommand({ Bucket: 'test', ACL: 'public-read' }));
    return {
      target: 's3://test/some/prefix',
      options: ['--endpoint', ceph.endpoint, '--path-style'],
      publishOptions: ['--s3-acl', 'public-read'],
      env: CEPH_ENV,
      fetch: overHttp(`${ceph.endpoint}/test/some/prefix`),
      end: ceph.stop,
    };
  });
});
