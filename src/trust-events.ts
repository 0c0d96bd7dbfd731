/*
 * What the keys of a mirror and the signing of its metadata tell, as src/events.ts has it for everything.
 */

/** What a directory of keys has, and how long a mirror's metadata is good. */
export interface KeyListEvent {
  readonly type: 'key-list';
  /** The directory as it was given. */
  readonly keys: string;
  readonly entries: readonly KeyEntry[];
  /** None where no mirror was given; what ends first stands first. */
  readonly expiries: readonly MetadataExpiry[];
}

export interface KeyEntry {
  readonly keyid: string;
  readonly keytype: 'ed25519' | 'ecdsa';
  /** What the key is for; `series` is for the roles of all series. */
  readonly roles: readonly string[];
  /** Whether its private half is here. */
  readonly secret: boolean;
}

export interface MetadataExpiry {
  readonly role: string;
  readonly version: number;
  /** ISO 8601, UTC. */
  readonly expires: string;
  /** `due`: still good, and to be signed anew. */
  readonly state: 'good' | 'due' | 'expired';
}

/** The end of a command that makes, changes, copies or uses keys. */
export interface KeySummaryEvent {
  readonly type: 'key-summary';
  readonly action: 'init' | 'export' | 'rotate' | 'revoke' | 'renew' | 'sign' | 'pgp-init' | 'pgp-export';
  /** The directory as it was given; of `pgp-init` and `pgp-export` the file of the secret key. */
  readonly keys: string;
  /** Key files, drafts and roots that were written, and key files that were taken out of use where they are now. */
  readonly files: readonly string[];
  /** The paths of the mirror's metadata that was written. */
  readonly published: readonly string[];
  /** What drafts still lack: so many signatures, of those of these keys. */
  readonly missing: readonly { readonly role: string; readonly missing: number; readonly keyids: readonly string[] }[];
  /** Of the OpenPGP key, where the command is about one: 40 hex digits. */
  readonly fingerprint?: string;
}

/** The end of `refresh`. */
export interface RefreshSummaryEvent {
  readonly type: 'refresh-summary';
  readonly mirror: string;
  /** The paths of the metadata that was signed anew, and of the signatures of lists; none when nothing was due. */
  readonly written: readonly string[];
  readonly expiries: readonly MetadataExpiry[];
  readonly durationMs: number;
}
