import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import {
  AbortMultipartUploadCommand,
  CreateBucketCommand,
  HeadBucketCommand,
  ListMultipartUploadsCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { connect } from '../../../src/publish/s3/client.js';
import { projectRoot } from '../../cli/run.js';
import { freePort } from '../../peers/server-process.mjs';

/** The tools of {@link startCeph}. */
export const CEPH_TOOLS = ['ceph-mon', 'ceph-osd', 'ceph', 'radosgw'];

/** The environment of those who may use it, and of nobody's own profile. */
export const CEPH_ENV: Readonly<Record<string, string>> = {
  AWS_ACCESS_KEY_ID: 'test-access',
  AWS_SECRET_ACCESS_KEY: 'test-secret',
  AWS_CONFIG_FILE: '/dev/null',
  AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
};

/** A Ceph that runs, with the bucket `test`. */
export interface Ceph {
  readonly endpoint: string;
  /** Speaks to it as the environment {@link CEPH_ENV} says, which has to be this process's. */
  readonly client: S3Client;
  /** Throws where it has ended or stands still, at once from the second time on: before each of many slow tests. */
  mustAnswer(): Promise<void>;
  stop(): Promise<void>;
}

const ANSWER_MS = 60_000;

/** Starts an S3 server of its own below `dir`, which takes ten seconds and 300 MB: once for a file of tests. */
export async function startCeph(dir: string): Promise<Ceph> {
  const [port, monitorPort] = [await freePort(), await freePort()];
  const script = join(projectRoot, 'test', 'peers', 's3-ceph.sh');
  const child = spawn('bash', [script, join(dir, 'ceph'), String(port), String(monitorPort)]);
  const closed = once(child, 'close');
  const said: string[] = [];
  child.stderr.on('data', (text) => said.push(String(text)));
  let isStopping = false;
  const ready = new Promise<void>((resolve, reject) => {
    createInterface({ input: child.stdout }).once('line', () => resolve());
    void closed.then(() => reject(new Error(`Ceph did not start: ${said.join('')}`)));
  });
  await ready;
  const endpoint = `http://127.0.0.1:${port}`;
  const client = await connect({ endpoint, pathStyle: true });
  await client.send(new CreateBucketCommand({ Bucket: 'test' }));
  void closed.then(() => {
    if (!isStopping) console.error(`Ceph has ended by itself: ${said.join('')}`);
  });
  let answer: Promise<unknown> = Promise.resolve();
  return {
    endpoint,
    client,
    mustAnswer: async () => {
      const ask = () =>
        client.send(new HeadBucketCommand({ Bucket: 'test' }), { abortSignal: AbortSignal.timeout(ANSWER_MS) });
      answer = answer.then(ask);
      await answer;
    },
    stop: async () => {
      isStopping = true;
      client.destroy();
      child.stdin.end();
      await closed;
    },
  };
}

/** The keys of all multipart uploads that are open. */
export async function openUploads({ client }: Ceph): Promise<string[]> {
  const { Uploads } = await client.send(new ListMultipartUploadsCommand({ Bucket: 'test' }));
  return (Uploads ?? []).map(({ Key }) => Key ?? '');
}

/** Ends all multipart uploads to a key, as a rule of the bucket for old ones does. */
export async function endUploads({ client }: Ceph, key: string): Promise<void> {
  const { Uploads } = await client.send(new ListMultipartUploadsCommand({ Bucket: 'test', Prefix: key }));
  for (const { Key, UploadId } of Uploads ?? []) {
    await client.send(new AbortMultipartUploadCommand({ Bucket: 'test', Key, UploadId }));
  }
}
