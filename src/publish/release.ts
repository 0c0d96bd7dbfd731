import { createHash } from 'node:crypto';
import { parseSha256Hex, type Sha256Hex } from '../metadata/brands.js';

/** The bytes of an object: a local file, which must not change, or a text that was made in memory. */
export type Content =
  | { readonly kind: 'file'; readonly filePath: string }
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array };

/** One object as it is to be published. */
export interface ReleaseObject {
  /** Relative to the root of the storage, `/` between its parts. */
  readonly path: string;
  readonly sizeBytes: number;
  readonly sha256: Sha256Hex;
  /** Its Content-Type. */
  readonly mediaType: string;
  readonly content: Content;
}

/**
 * What is published at once. Publishing knows nothing of what the objects are: an image mirror and a package repository
 * are the same to it.
 */
export interface Release {
  /** Objects whose names never get other bytes: they may be stored in any order, before anything names them. */
  readonly immutables: readonly ReleaseObject[];
  /**
   * Immutables that readers look for by their names, one after the other, so that they are seen as soon as they are there:
   * they are stored last of all, or right before the last stage of indexes (`lateNeeded`), and never removed.
   */
  readonly lateImmutables?: readonly ReleaseObject[];
  /**
   * How many of these, from the first on, readers need so that they can make use of the last stage of indexes; all, where it
   * is left out. Where one of them is missing, all that are missing are stored before that stage.
   */
  readonly lateNeeded?: number;
  /** What leads readers to them, in the order in which it has to change. Those of one stage may change together. */
  readonly indexStages: readonly (readonly ReleaseObject[])[];
  /**
   * Throws where readers who have seen what a storage has would refuse this as older. It is asked before anything is stored,
   * unless the storage has the last stage already.
   */
  readonly requireNewer?: (published: Published) => Promise<void>;
}

/** What a storage has, for a release that is to follow it. */
export interface Published {
  /** For messages: the storage's. */
  readonly name: string;
  has(path: string): boolean;
  /** Null where there is none. Throws FORMAT where it is no text or a longer one. */
  readText(path: string, maxBytes: number): Promise<string | null>;
}

/** All objects of a release whose names never get other bytes. */
export function allImmutables({ immutables, lateImmutables = [] }: Release): readonly ReleaseObject[] {
  return [...immutables, ...lateImmutables];
}

/** Cache-Control of an object: a name that never changes its bytes may be kept for ever, anything else never unasked. */
export function cacheRule(kind: 'immutable' | 'index'): string {
  return kind === 'immutable' ? 'public, max-age=31536000, immutable' : 'no-cache';
}

/** An object made of a text. */
export function textObject(path: string, text: string, mediaType: string): ReleaseObject {
  return bytesObject(path, Buffer.from(text), mediaType);
}

/** An object made of bytes, which must not change. */
export function bytesObject(path: string, bytes: Uint8Array, mediaType: string): ReleaseObject {
  const sha256 = parseSha256Hex(createHash('sha256').update(bytes).digest('hex'), path);
  return { path, sizeBytes: bytes.length, sha256, mediaType, content: { kind: 'bytes', bytes } };
}
