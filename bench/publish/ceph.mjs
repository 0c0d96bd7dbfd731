// A real S3 server for the bench: the tests' Ceph, whose gateway writes each request down.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as wait } from 'node:timers/promises';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { freePort } from '../../test/peers/server-process.mjs';
import { root } from '../program.mjs';
import { countRequests } from './requests.mjs';

/** What it needs. */
export const cephTools = ['ceph-mon', 'ceph-osd', 'ceph', 'radosgw'];

/** The bucket that is there, and its key. */
export const bucket = 'bench';
const key = { accessKeyId: 'test-access', secretAccessKey: 'test-secret' };

/** What is put before a command that is to use it, whatever else the environment has of S3. */
export const asItsUser = [
  'env',
  '--unset=AWS_CA_BUNDLE',
  '--unset=AWS_PROFILE',
  'AWS_CONFIG_FILE=/dev/null',
  'AWS_SHARED_CREDENTIALS_FILE=/dev/null',
  `AWS_ACCESS_KEY_ID=${key.accessKeyId}`,
  `AWS_SECRET_ACCESS_KEY=${key.secretAccessKey}`,
];

/**
 * Starts one below `cache`, with an empty bucket. It keeps what it is given in memory, up to 6 GB.
 * @param {string} cache
 */
export async function startCeph(cache) {
  const dir = mkdtempSync(join(cache, 'ceph-'));
  const [port, monitorPort] = [await freePort(), await freePort()];
  const script = join(root, 'test', 'peers', 's3-ceph.sh');
  const child = spawn('bash', [script, join(dir, 'ceph'), String(port), String(monitorPort)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const closed = once(child, 'close');
  const end = async () => {
    child.stdin.end();
    await closed;
    rmSync(dir, { recursive: true, force: true });
  };
  const ready = once(createInterface({ input: child.stdout }), 'line');
  const failed = closed.then(() => Promise.reject(new Error('Ceph did not start')));
  await Promise.race([ready, failed]);
  failed.catch(() => undefined);
  const endpoint = `http://127.0.0.1:${port}`;
  // Its word on the versions of Node that it will serve is not for those who read figures.
  process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = 'true';
  const client = new S3Client({ endpoint, forcePathStyle: true, region: 'us-east-1', credentials: key });
  await client.send(new CreateBucketCommand({ Bucket: bucket }));
  client.destroy();
  const log = join(dir, 'ceph', 'log', 'client.gateway');
  let seen = (await settled(log)).length;
  return {
    endpoint,
    end,
    /** What was asked of it since this was called last. */
    async requests() {
      const text = await settled(log);
      const fresh = text.slice(seen);
      seen = text.length;
      return countRequests(fresh, bucket);
    },
  };
}

/**
 * A log once nothing was added to it for a second: it is written a little later than what it tells of.
 * @param {string} log
 */
async function settled(log) {
  for (let before = ''; ; ) {
    const now = readFileSync(log, 'utf8');
    if (now.length > 0 && now.length === before.length) return now;
    before = now;
    await wait(1000);
  }
}
