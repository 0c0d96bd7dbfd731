import { hasCode } from '../errors.js';
import type { ProblemEvent } from '../events.js';
import type { HttpClient } from '../publish/http/client.js';
import { KEY_FILE, MAX_SIGNATURE_BYTES, signaturesBeside } from '../trust/openpgp/sign-lists.js';
import { signatureProblems } from './list-claims.js';
import { readServedIndexes } from './served-mirror.js';

/**
 * What is wrong with the signatures beside the indexes that a web server shows, by its own KEY.gpg; nothing, where it shows
 * none. A publish may have replaced some of them meanwhile: what is wrong is looked at twice.
 *
 * @throws UpdateRepositoryError NETWORK, INTERRUPTED
 */
export async function servedSignatureProblems(
  client: HttpClient,
  texts: ReadonlyMap<string, string>,
  signal: AbortSignal,
): Promise<ProblemEvent[]> {
  const problems = await problemsOf(client, texts, signal);
  return problems.length === 0 ? [] : await problemsOf(client, await readServedIndexes(client, signal), signal);
}

async function problemsOf(
  client: HttpClient,
  texts: ReadonlyMap<string, string>,
  signal: AbortSignal,
): Promise<ProblemEvent[]> {
  const key = await readStart(client, KEY_FILE, signal);
  if (key === null) return [];
  const signatures = new Map([[KEY_FILE, key]]);
  for (const { path } of [...texts.keys()].flatMap(signaturesBeside)) {
    const bytes = await readStart(client, path, signal);
    if (bytes !== null) signatures.set(path, bytes);
  }
  return await signatureProblems({ texts, signatures, interrupted: false });
}

/** Null also where the server does not give it away: some answer so where there is none. */
async function readStart(client: HttpClient, path: string, signal: AbortSignal): Promise<Uint8Array | null> {
  try {
    const pieces = await client.bytes(path, { signal });
    if (pieces === null) return null;
    const kept: Buffer[] = [];
    let sizeBytes = 0;
    for await (const piece of pieces) {
      kept.push(Buffer.from(piece));
      sizeBytes += piece.length;
      if (sizeBytes > MAX_SIGNATURE_BYTES) break;
    }
    return Buffer.concat(kept);
  } catch (error) {
    if (hasCode(error, 'STORAGE')) return null;
    throw error;
  }
}
