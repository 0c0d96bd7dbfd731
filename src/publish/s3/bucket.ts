import type { S3Client } from '@aws-sdk/client-s3';
import type { S3Address } from './address.js';
import { s3Failure } from './failure.js';
import type { S3Options } from './options.js';

/** One request: to what, what for (completes "cannot …"), and until when. */
export interface Question {
  readonly path: string;
  readonly doing: string;
  readonly signal: AbortSignal;
}

/** A part of a bucket, where paths are keys below a prefix, and failures are ours. */
export class Bucket {
  readonly address: S3Address;
  readonly options: S3Options;
  readonly #client: S3Client;

  constructor(client: S3Client, address: S3Address, options: S3Options) {
    this.#client = client;
    this.address = address;
    this.options = options;
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

  /** Performs a request; what it throws says what could not be done with which object. */
  async ask<T>(
    { path, doing, signal }: Question,
    perform: (client: S3Client, options: { readonly abortSignal: AbortSignal }) => Promise<T>,
  ): Promise<T> {
    try {
      return await perform(this.#client, { abortSignal: signal });
    } catch (error) {
      throw s3Failure(error, this.nameOf(path), doing, signal);
    }
  }

  close(): void {
    this.#client.destroy();
  }
}
