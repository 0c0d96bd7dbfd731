import type { Sha256Hex, Sha512Hex } from '../../metadata/brands.js';

/*
 * The metadata of a TUF repository, as TUF specification 1.0.31 (section 4) has it. The member names are those of the
 * files:
 *
 *     metadata/N.root.json        the keys of the four top-level roles and how many of them have to sign
 *     metadata/N.targets.json     which role may speak of which paths, and the keys of these roles
 *     metadata/N.<role>.json      length and digests of the files that the role speaks of
 *     metadata/N.snapshot.json    the version of every targets file that belongs to the mirror as it now is
 *     metadata/timestamp.json     which snapshot is the newest: the one file that changes under its name
 */

/** What `spec_version` says in the files that we write. */
export const SPEC_VERSION = '1.0.31';

/** Where the metadata lies in a mirror. */
export const METADATA_DIR = 'metadata';
/** The one metadata file without a version in its name. */
export const TIMESTAMP_FILE = 'timestamp.json';

/** The roles whose keys are in root. */
export const TOP_ROLES = ['root', 'targets', 'snapshot', 'timestamp'] as const;
export type TopRole = (typeof TOP_ROLES)[number];

/** The kinds of metadata; a delegated role's is `targets`. */
export interface DocumentByKind {
  readonly root: RootDocument;
  readonly timestamp: TimestampDocument;
  readonly snapshot: SnapshotDocument;
  readonly targets: TargetsDocument;
}
export type DocumentKind = keyof DocumentByKind;

/**
 * The bytes that a metadata file may have: what tuf-js downloads of it at most when nothing says how long it is, and so
 * what every reader and writer here keeps to.
 */
export const MAX_BYTES: Readonly<Record<DocumentKind, number>> = {
  root: 512_000,
  timestamp: 16_384,
  snapshot: 2_000_000,
  targets: 5_000_000,
};

/** The sha256 of a public key's canonical JSON. */
export type KeyId = Sha256Hex;

/** A public key: an ed25519 key as the hex digits of its 32 bytes, a P-256 key as PEM. */
export type TufKey = {
  readonly keytype: 'ed25519' | 'ecdsa';
  readonly scheme: 'ed25519' | 'ecdsa-sha2-nistp256';
  readonly keyval: { readonly public: string };
};

/** Public keys by their ids. */
export type KeyTable = { readonly [keyId: string]: TufKey };

/** Whose signatures a role's metadata needs, and how many of them. */
export type RoleKeys = { readonly keyids: readonly KeyId[]; readonly threshold: number };

/** What all kinds of metadata say of themselves. */
export type CommonMembers = { readonly spec_version: string; readonly version: number; readonly expires: string };

export type RootDocument = CommonMembers & {
  readonly _type: 'root';
  readonly consistent_snapshot: true;
  readonly keys: KeyTable;
  readonly roles: Readonly<Record<TopRole, RoleKeys>>;
};

export type TimestampDocument = CommonMembers & {
  readonly _type: 'timestamp';
  readonly meta: { readonly 'snapshot.json': FileClaim };
};

export type SnapshotDocument = CommonMembers & {
  readonly _type: 'snapshot';
  /** By `targets.json` and `<role>.json`. */
  readonly meta: { readonly [fileName: string]: FileClaim };
};

export type TargetsDocument = CommonMembers & {
  readonly _type: 'targets';
  readonly targets: TargetTable;
  readonly delegations?: Delegations;
};

export type TufDocument = RootDocument | TimestampDocument | SnapshotDocument | TargetsDocument;

/** What snapshot and timestamp say of a metadata file. */
export type FileClaim = {
  readonly version: number;
  readonly length: number;
  readonly hashes: { readonly sha256: Sha256Hex };
};

/** By the path of the target. */
export type TargetTable = { readonly [path: string]: TargetEntry };

/** What is signed of a file of the mirror. `sha256` stands first: a client with hash prefixes takes the first. */
export type TargetEntry = {
  readonly length: number;
  readonly hashes: { readonly sha256: Sha256Hex; readonly sha512: Sha512Hex };
  readonly custom?: TargetCustom;
};

/** The version of an image, or of the image that a delta leads to; and for a delta the version of its base. */
export type TargetCustom = { readonly version: string; readonly base?: string };

export type Delegations = { readonly keys: KeyTable; readonly roles: readonly DelegatedRole[] };

/** A role that may speak of certain paths: those of these patterns, or those whose sha256 begins with these digits. */
export type DelegatedRole = RoleKeys & {
  readonly name: string;
  readonly terminating: true;
  readonly paths?: readonly string[];
  readonly path_hash_prefixes?: readonly string[];
};

export type Signature = { readonly keyid: KeyId; readonly sig: string };

/** A document with the signatures that it has so far. */
export interface Envelope<Document extends TufDocument = TufDocument> {
  readonly signatures: readonly Signature[];
  readonly signed: Document;
}

/** The name of a role's metadata file below {@link METADATA_DIR}. */
export function metadataFileName(role: string, version: number): string {
  return role === 'timestamp' ? TIMESTAMP_FILE : `${version}.${role}.json`;
}

/** Whether a path of the mirror is that of a root. */
export function isRootPath(path: string): boolean {
  return /^metadata\/\d+\.root\.json$/.test(path);
}

/** The same relative to the mirror's root. */
export function metadataPath(role: string, version: number): string {
  return `${METADATA_DIR}/${metadataFileName(role, version)}`;
}
