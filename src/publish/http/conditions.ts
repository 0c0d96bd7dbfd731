import { Readable } from 'node:stream';
import { setTimeout as wait } from 'node:timers/promises';
import type { StorageCall } from '../storage.js';
import type { Answer, HttpClient } from './client.js';
import { requireFacts } from './stat.js';

/** How long a server has for the head of a request before another one is sent, beside five times its usual answer. */
const HEAD_START_MS = 300;
const CONTENDERS = 4;

/**
 * Whether PUT heeds If-None-Match and If-Match (RFC 9110 §13.1) so that one of many wins who write at the same time. A
 * server that looks at the condition when a request begins, and not again when it stores what came, lets all of them win: so
 * one request begins, another overtakes it, and it ends.
 *
 * @param path an object of nobody's, which is there or not, afterwards too
 */
export async function hasConditions(client: HttpClient, path: string, call: StorageCall): Promise<boolean> {
  const put = (headers: Condition, body: string) => client.send('PUT', path, call, { headers, body });
  const remove = () => client.demand('DELETE', path, [200, 204, 404], call);
  await remove();
  if (!isStored(await put(IF_ABSENT, 'new')) || (await put(IF_ABSENT, 'there already')).status !== 412) return false;
  if ((await put({ 'if-match': '"another"' }, 'of another revision')).status !== 412) return false;
  const startedAt = performance.now();
  await remove();
  const headStartMs = HEAD_START_MS + 5 * (performance.now() - startedAt);
  if (!(await overtakenLoses(client, path, IF_ABSENT, headStartMs, call))) return false;
  const { etag } = await requireFacts(client, path, call);
  if (etag === undefined || etag.startsWith('W/')) return false;
  const replaced = await put({ 'if-match': etag }, 'of this revision');
  if (!isStored(replaced) || (await put({ 'if-match': etag }, 'too late')).status !== 412) return false;
  const next = replaced.header('etag');
  if (next === undefined || next !== (await requireFacts(client, path, call)).etag) return false;
  if (!(await overtakenLoses(client, path, { 'if-match': next }, headStartMs, call))) return false;
  await remove();
  const contenders = Array.from({ length: CONTENDERS }, (_, n) => put(IF_ABSENT, `contender ${n}`));
  return (await Promise.all(contenders)).filter(isStored).length === 1;
}

type Condition = Readonly<Record<string, string>>;

const IF_ABSENT: Condition = { 'if-none-match': '*' };

async function overtakenLoses(
  client: HttpClient,
  path: string,
  headers: Condition,
  headStartMs: number,
  call: StorageCall,
): Promise<boolean> {
  const overtake = async function* (): AsyncGenerator<string> {
    yield 'slow';
    await wait(headStartMs);
    fast = client.send('PUT', path, call, { headers, body: 'fast' });
    await fast;
    yield 'slow';
  };
  let fast: Promise<Answer> | undefined;
  const slow = await client.send('PUT', path, call, {
    headers: { ...headers, 'content-length': '8' },
    body: Readable.from(overtake(), { objectMode: false, highWaterMark: 1 }),
  });
  return fast !== undefined && isStored(await fast) && slow.status === 412;
}

function isStored({ status }: Answer): boolean {
  return status === 200 || status === 201 || status === 204;
}
