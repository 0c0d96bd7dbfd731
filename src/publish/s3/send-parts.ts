import { createHash } from 'node:crypto';
import { UploadPartCommand } from '@aws-sdk/client-s3';
import { contentOf } from '../content.js';
import type { PutRequest, StorageCall } from '../storage.js';
import { sender } from './body.js';
import type { Bucket } from './bucket.js';
import type { MemoryBudget } from './memory-budget.js';
import { partBytesOf } from './part-size.js';
import type { OpenUpload } from './resume.js';
import { revisionOf } from './revision.js';
import type { Upload } from './uploads.js';

/**
 * Sends the parts of an object that the server has not, several at once, while the next ones are read; what it has is
 * compared by size and MD5. Resolves to the ETags of all parts, once all of the content was found to be what the request
 * says. When it throws, nothing is on its way any more.
 */
export async function sendParts(
  bucket: Bucket,
  { upload, parts }: OpenUpload,
  request: PutRequest,
  budget: MemoryBudget,
  call: StorageCall,
): Promise<string[]> {
  const stop = new AbortController();
  const stoppable = { ...call, signal: AbortSignal.any([call.signal, stop.signal]) };
  const etags: string[] = [];
  const failures: unknown[] = [];
  const sending = new Set<Promise<void>>();
  const send = async (part: LocalPart): Promise<void> => {
    try {
      etags[part.number - 1] = await sendPart(bucket, upload, part, stoppable);
    } catch (error) {
      failures.push(error);
      stop.abort();
    } finally {
      part.free();
    }
  };
  try {
    for await (const part of localParts(request, budget, stoppable.signal)) {
      const etag = part.md5.toString('hex');
      const there = parts.get(part.number);
      if (there?.etag === etag && there.sizeBytes === part.bytes.length) {
        etags[part.number - 1] = etag;
        part.free();
        continue;
      }
      const sent = send(part).finally(() => sending.delete(sent));
      sending.add(sent);
    }
  } catch (error) {
    failures.push(error);
    stop.abort();
  }
  await Promise.all(sending);
  if (failures.length > 0) throw failures[0];
  return etags;
}

interface LocalPart {
  readonly number: number;
  readonly bytes: Buffer;
  readonly md5: Buffer;
  /** Who is handed a part gives its memory back. */
  free(): void;
}

/** Cuts the content into parts; waits until there is memory for the next one. */
async function* localParts(request: PutRequest, budget: MemoryBudget, signal: AbortSignal): AsyncGenerator<LocalPart> {
  const { sizeBytes } = request;
  const partBytes = partBytesOf(sizeBytes);
  let number = 0;
  let filling: FillingPart | null = null;
  try {
    for await (const piece of contentOf(request, { signal })) {
      for (let at = 0; at < piece.length; ) {
        // What is too much is only counted, for the message.
        if (number * partBytes >= sizeBytes && filling === null) break;
        filling ??= new FillingPart(await budget.borrow(Math.min(partBytes, sizeBytes - number * partBytes)), budget);
        at += filling.add(piece.subarray(at));
        if (!filling.isFull) continue;
        number += 1;
        const full: LocalPart = filling.finish(number);
        filling = null;
        yield full;
      }
    }
  } finally {
    filling?.free();
  }
}

class FillingPart {
  readonly #buffer: Buffer;
  readonly #budget: MemoryBudget;
  readonly #md5 = createHash('md5');
  #filledBytes = 0;

  constructor(buffer: Buffer, budget: MemoryBudget) {
    this.#buffer = buffer;
    this.#budget = budget;
  }

  get isFull(): boolean {
    return this.#filledBytes === this.#buffer.length;
  }

  /** Takes as much as there is room for; tells how much that was. */
  add(bytes: Uint8Array): number {
    const taken = bytes.subarray(0, this.#buffer.length - this.#filledBytes);
    this.#buffer.set(taken, this.#filledBytes);
    this.#md5.update(taken);
    this.#filledBytes += taken.length;
    return taken.length;
  }

  finish(number: number): LocalPart {
    return { number, bytes: this.#buffer, md5: this.#md5.digest(), free: () => this.free() };
  }

  free(): void {
    this.#budget.giveBack(this.#buffer);
  }
}

async function sendPart(
  bucket: Bucket,
  { path, id }: Upload,
  { number, bytes, md5 }: LocalPart,
  call: StorageCall,
): Promise<string> {
  const part = { ...bucket.at(path), UploadId: id, PartNumber: number };
  const send = sender(bytes, md5, call);
  const question = { path, doing: `store part ${number} of it`, signal: call.signal };
  const { ETag } = await bucket.ask(question, (client, { abortSignal }) =>
    send(abortSignal, (body, signal) =>
      client.send(new UploadPartCommand({ ...part, ...body }), { abortSignal: signal }),
    ),
  );
  return revisionOf(ETag);
}
