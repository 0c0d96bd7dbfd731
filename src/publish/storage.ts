import type { Content, ReleaseObject } from './release.js';

/** What a storage knows of an object. */
export interface StoredObject {
  readonly path: string;
  readonly sizeBytes: number;
  /** Stands for this very content: where it is the same, so are the bytes; an ETag, say. */
  readonly revision: string;
  /** The sha256 that was given when it was stored, where the storage keeps it and was asked for one object. */
  readonly sha256?: string;
}

/** How an object may be stored; where the condition does not hold nothing happens. */
export type PutCondition =
  | { readonly kind: 'absent' }
  /** It is there as this revision. */
  | { readonly kind: 'revision'; readonly revision: string };

export interface PutRequest extends ReleaseObject {
  readonly content: Content;
  readonly cacheControl: string;
  /** Only for storages with `conditionalPut`. */
  readonly condition?: PutCondition;
}

/** What accompanies one request. */
export interface StorageCall {
  readonly signal: AbortSignal;
  /** Is told of bytes that were sent or received, and may make the transfer wait. */
  readonly onBytes?: (count: number) => Promise<void> | undefined;
  /** Is told that what was moved so far is moved again, from the start. */
  readonly onRestart?: () => void;
  /** No more than so many bytes a second are to be moved: for storages with `readsAhead`. */
  readonly bytesPerSecond?: number;
  /** `onBytes` is to be told of no more bytes at once, so that no wait is long. */
  readonly pieceBytes?: number;
}

/** What accompanies a request for many objects at once. */
export interface ManyCall {
  readonly signal: AbortSignal;
  /** No more than so many bytes a second are to be moved. */
  readonly bytesPerSecond?: number;
  /** Is told how far each object is, the last time with all of its bytes; it may start again after a failure. */
  readonly onProgress?: (path: string, doneBytes: number) => void;
}

export interface StorageAbilities {
  /** `put` heeds its condition, whoever else writes at the same time. */
  readonly conditionalPut: boolean;
  /** Who reads while an object is replaced gets all of the old or all of the new bytes. */
  readonly atomicPut: boolean;
}

/**
 * A place that a mirror is published to: named objects in a flat space, whatever it is made of. Paths are relative to
 * its root.
 *
 * Every method throws UpdateRepositoryError: NETWORK where another try may help, STORAGE where the storage refuses or
 * answers nonsense, NO_SPACE, INTERRUPTED after an abort, CHANGED_WHILE_READ for a local file that is not what the request
 * says.
 */
export interface Storage {
  /** For messages: an address without credentials. */
  readonly name: string;
  /** Where it really is, where two places may have the same name: no two are at the same one. */
  readonly place?: string;
  readonly abilities: StorageAbilities;
  /** All objects whose path starts with `prefix`, in any order. A place that is not there is empty. */
  list(prefix: string, call: StorageCall): AsyncIterable<StoredObject>;
  /** Null where there is none. */
  stat(path: string, call: StorageCall): Promise<StoredObject | null>;
  /**
   * `read` has received all of an object before it hands out the first byte of it. Then it is the storage that tells
   * `onBytes`, and moves no more bytes a second than it may; otherwise whoever reads does.
   */
  readonly readsAhead?: true;
  /** The bytes of an object; null where there is none. Whoever stops early ends the transfer. */
  read(path: string, call: StorageCall): Promise<AsyncIterable<Uint8Array> | null>;
  /** Null where the condition does not hold. The object is complete and durable when this resolves. */
  put(request: PutRequest, call: StorageCall): Promise<StoredObject | null>;
  /** The same for many objects without conditions, where that is better than one by one; each appears on its own. */
  putMany?(requests: readonly PutRequest[], call: ManyCall): Promise<StoredObject[]>;
  /** Those of `requests` whose bytes the storage has, as it found out by a checksum of its own, without sending them. */
  same?(requests: readonly PutRequest[], call: ManyCall): Promise<StoredObject[]>;
  /** Objects that are not there count as removed. */
  remove(paths: readonly string[], call: StorageCall): Promise<void>;
  /**
   * A lock of the storage's own against other publishers, for storages where only it can know whether the holder lives.
   * Throws LOCKED, naming the holder.
   */
  readonly lock?: ((call: StorageCall) => Promise<StorageLock>) | undefined;
  /**
   * Finds out, by storing something, what the storage can do: before anything else is stored.
   * `abilities` and `lock` hold from then on.
   */
  prepare?(call: StorageCall): Promise<void>;
  /** Ends what a publish that was killed left behind and no other one went on with. For the holder of the lock, at its end. */
  tidy?(call: StorageCall): Promise<void>;
  close(): Promise<void>;
}

/** Held until it is released. */
export interface StorageLock {
  /** @throws UpdateRepositoryError LOCKED when it was lost */
  assertHeld(): Promise<void>;
  release(): Promise<void>;
}
