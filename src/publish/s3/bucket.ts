import type { S3Client } from '@aws-sdk/client-s3';
import type { RetryOptions } from '../../net/patience.js';
import { persistently } from '../../net/persistently.js';
import type { S3Address } from './address.js';
import { s3Failure } from './failure.js';
import type { S3Options } from './options.js';

/** One request: to what, what for (completes "cannot …"), and until when. */
export interface Question {
  readonly path: string;
  readonly doing: string;
  readonly signal: AbortSignal;
}

/** Makes a request once. */
export type Perform<T> = (client: S3Client, options: { readonly abortSignal: AbortSignal }) => Promise<T>;

const NO_RETRIES: RetryOptions = { attempts: 1, firstPauseMs: 0, onEvent: () => undefined };

/** A part of a bucket, where paths are keys below a prefix, and failures are ours. */
export class Bucket {
  readonly address: S3Address;
  readonly options: S3Options;
  readonly retries: RetryOptions;
  readonly #client: S3Client;

  /** Without `retries` every request is made once. */
  constructor(client: S3Client, address: S3Address, options: S3Options, retries = NO_RETRIES) {
    this.#client = client;
    this.address = address;
    this.options = options;
    this.retries = retries;
  }

  /** Where an object lies, as requests want it. */
  at(path: string): { readonly Bucket: string; readonly Key: string } {
    return { Bucket: this.address.bucket, Key: this.address.keyPrefix + path };
  }

  pathOf(key: string): string {
    return key.slice(this.address.keyPrefix.length);
  }

  /** For messages. */
  nameOf(path: string): string {
    return path === '' ? this.address.name : `${this.address.name}/${path}`;
  }

  /** The same for who makes several requests again as one. */
  withoutRetries(): Bucket {
    return new Bucket(this.#client, this.address, this.options);
  }

  /**
   * Makes a request, again where another try may help: nobody else does. What it throws says what could not be done with
   * which object.
   */
  async ask<T>({ path, doing, signal }: Question, perform: Perform<T>): Promise<T> {
    return await persistently(this.address.name, this.retries, signal, async () => {
      try {
        return await perform(this.#client, { abortSignal: signal });
      } catch (error) {
        throw s3Failure(error, this.nameOf(path), doing, signal);
      }
    });
  }

  close(): void {
    this.#client.destroy();
  }
}
