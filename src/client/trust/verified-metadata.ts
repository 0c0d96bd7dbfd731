import { Metadata, MetadataKind, type Snapshot, Targets } from '@tufjs/models';
import { BadVersionError, EqualVersionError, RepositoryError } from 'tuf-js/dist/error.js';
import type { TrustedMetadataStore } from 'tuf-js/dist/store.js';
import { UpdateRepositoryError } from '../../errors.js';
import { parseSha256Hex, type Sha256Hex } from '../../metadata/brands.js';
import { MAX_VERSION } from '../../trust/tuf/versions.js';
import { expired, faultOf, type MetadataPlace, rolledBack, untrusted } from './faults.js';
import type { MetadataFiles, MetadataVersion } from './metadata-files.js';
import { headOf, snapshotVersionIn } from './metadata-head.js';
import { MAX_ROOT_ROTATIONS, storeOf } from './roots.js';
import { rootSha256, type TrustState } from './state.js';

/** As many roles as tuf-js looks into for one file. */
const MAX_DELEGATIONS = 32;

/** What is signed of a file of the mirror. */
export interface VouchedFile {
  readonly sizeBytes: number;
  readonly sha256: Sha256Hex;
}

/** A role, and the one that delegates to it. */
interface RoleStep {
  readonly role: string;
  readonly parent: string;
}

/**
 * The metadata of a mirror as a device verified it, starting from what it trusted before. tuf-js decides
 * (TrustedMetadataStore, the client workflow of the TUF specification, section 5); here it gets the files, in memory. Its own
 * Updater keeps each file on the disk before the next one is verified, and makes text of the errors.
 */
export class VerifiedMetadata {
  readonly #store: TrustedMetadataStore;
  readonly #files: MetadataFiles;
  readonly #before: TrustState;
  readonly #now = new Date();
  #root: string;
  readonly #chain: Set<Sha256Hex>;
  #timestamp: string | null = null;
  #snapshot: string | null = null;
  readonly #roles = new Map<string, string>();

  private constructor(before: TrustState, files: MetadataFiles) {
    this.#before = before;
    this.#files = files;
    this.#root = before.root;
    this.#chain = new Set(before.chain);
    this.#store = storeOf(before.root, 'the trusted root');
  }

  /**
   * Follows the roots, and verifies the newest timestamp, snapshot and targets.
   *
   * @throws UpdateRepositoryError VERIFICATION with `data.reason`, FORMAT for what is no metadata; NETWORK, STORAGE, INTERRUPTED
   */
  static async refresh(before: TrustState, files: MetadataFiles): Promise<VerifiedMetadata> {
    const metadata = new VerifiedMetadata(before, files);
    await metadata.#followRoots();
    await metadata.#readTimestamp();
    await metadata.#readSnapshot();
    await metadata.#load({ role: 'targets', parent: 'root' });
    return metadata;
  }

  /** All that was verified so far, to be remembered; what is verified later does not change it. */
  get state(): TrustState {
    return {
      given: this.#before.given,
      chain: new Set(this.#chain),
      root: this.#root,
      timestamp: this.#timestamp,
      snapshot: this.#snapshot,
      roles: new Map(this.#roles),
    };
  }

  /** When the first of the files that were verified so far ends to be good. */
  get expires(): string {
    const { root, timestamp, snapshot } = this.#store;
    const roles = [...this.#roles.keys()].map((role) => this.#store.getRole(role));
    const ends = [root, timestamp, snapshot, ...roles].flatMap((one) => (one === undefined ? [] : one.signed.expires));
    return ends.reduce((first, end) => (Date.parse(end) < Date.parse(first) ? end : first));
  }

  /**
   * What is signed of the file at `path`, by the first role that speaks of it (TUF specification, section 5.6.7); null where
   * none does. Roles that are needed are fetched and verified.
   */
  async find(path: string): Promise<VouchedFile | null> {
    const steps: RoleStep[] = [{ role: 'targets', parent: 'root' }];
    const visited = new Set<string>();
    for (let step = steps.pop(); step !== undefined && visited.size <= MAX_DELEGATIONS; step = steps.pop()) {
      const { role } = step;
      if (visited.has(role)) continue;
      visited.add(role);
      const { targets, delegations } = await this.#load(step);
      const target = Object.hasOwn(targets, path) ? targets[path] : undefined;
      if (target !== undefined) {
        return { sizeBytes: target.length, sha256: parseSha256Hex(target.hashes.sha256 ?? '', `${path} in ${role}`) };
      }
      const children: RoleStep[] = [];
      for (const { role: child, terminating } of delegations?.rolesForTarget(path) ?? []) {
        children.push({ role: child, parent: role });
        if (!terminating) continue;
        steps.splice(0);
        break;
      }
      steps.push(...children.reverse());
    }
    return null;
  }

  /** Section 5.3. */
  async #followRoots(): Promise<void> {
    const first = this.#store.root.signed.version + 1;
    for (let version = first; version < first + MAX_ROOT_ROTATIONS; version++) {
      const wanted = { role: 'root', kind: 'root', version } as const;
      const text = await this.#files.readIfThere(wanted, (root, place) => {
        const found = headOf(root, place).version;
        if (found < version) throw rolledBack(place, 'a root', { seen: version, found });
        this.#verify(root, place, (bytes) => this.#store.updateRoot(bytes));
      });
      if (text === null) break;
      this.#root = text;
      this.#chain.add(rootSha256(text));
    }
    const { version, expires } = this.#store.root.signed;
    if (!this.#store.root.signed.isExpired(this.#now)) return;
    throw expired({ file: this.#files.nameOf({ role: 'root', kind: 'root', version }), role: 'root' }, expires);
  }

  /** Section 5.4. One of the version that was seen before is no news, whatever else it says. */
  async #readTimestamp(): Promise<void> {
    const { timestamp } = this.#before;
    if (timestamp !== null) this.#recall(timestamp, (bytes) => this.#store.updateTimestamp(bytes));
    const recalled = this.#store.timestamp;
    const text = await this.#files.read({ role: 'timestamp', kind: 'timestamp', version: 0 }, (found, place) => {
      const { version } = headOf(found, place);
      const seen = this.#store.timestamp?.signed;
      try {
        this.#verify(found, place, (bytes) => this.#store.updateTimestamp(bytes));
      } catch (error) {
        if (seen === undefined || !hasCause(error, BadVersionError)) throw error;
        if (version < seen.version) throw rolledBack(place, 'a timestamp', { seen: seen.version, found: version });
        if (!hasCause(error, EqualVersionError)) {
          throw rolledBack({ ...place, role: 'snapshot' }, 'a snapshot', {
            seen: seen.snapshotMeta.version,
            found: snapshotVersionIn(found, place),
          });
        }
        if (seen.isExpired(this.#now)) throw expired(place, seen.expires);
      }
    });
    this.#timestamp = this.#store.timestamp === recalled ? timestamp : text;
  }

  /** Section 5.5. */
  async #readSnapshot(): Promise<void> {
    const { snapshot } = this.#before;
    if (snapshot !== null && this.#recall(snapshot, (bytes) => this.#store.updateSnapshot(bytes, true))) {
      this.#snapshot = snapshot;
      return;
    }
    const seen = this.#store.snapshot?.signed;
    const version = this.#store.timestamp?.signed.snapshotMeta.version ?? 0;
    this.#snapshot = await this.#files.read({ role: 'snapshot', kind: 'snapshot', version }, (text, place) => {
      try {
        this.#verify(text, place, (bytes) => this.#store.updateSnapshot(bytes));
      } catch (error) {
        // What the store took is another fault than that a role went back.
        if (seen !== undefined && this.#store.snapshot?.signed === seen && hasCause(error, RepositoryError)) {
          checkRoles(text, place, seen);
        }
        throw error;
      }
    });
  }

  /** Section 5.6. */
  async #load({ role, parent }: RoleStep): Promise<Targets> {
    if (!this.#roles.has(role)) await this.#read({ role, parent });
    const loaded: unknown = this.#store.getRole(role)?.signed;
    if (loaded instanceof Targets) return loaded;
    throw new UpdateRepositoryError('FORMAT', `role ${role}: expected a role that speaks of files, found another`, {
      data: { role },
    });
  }

  async #read({ role, parent }: RoleStep): Promise<void> {
    const verify = (bytes: Buffer) => this.#store.updateDelegatedTargets(bytes, role, parent);
    const kept = this.#before.roles.get(role);
    if (kept !== undefined && this.#recall(kept, verify)) {
      this.#roles.set(role, kept);
      return;
    }
    const wanted: MetadataVersion = { role, kind: 'targets', version: this.#versionOf(role) };
    this.#roles.set(role, await this.#files.read(wanted, (text, place) => this.#verify(text, place, verify)));
  }

  #versionOf(role: string): number {
    const meta = this.#store.snapshot?.signed.meta ?? {};
    const name = `${role}.json`;
    const claim = Object.hasOwn(meta, name) ? meta[name] : undefined;
    if (claim !== undefined) return claim.version;
    const version = this.#store.snapshot?.signed.version ?? 0;
    const file = this.#files.nameOf({ role: 'snapshot', kind: 'snapshot', version });
    throw untrusted('mix-and-match', { file, role }, { expected: `${name} in it`, found: 'it missing' });
  }

  /** Has tuf-js verify a file, and gives its errors the form of ours. */
  #verify(text: string, place: MetadataPlace, verify: (bytes: Buffer) => unknown): void {
    const { version } = headOf(text, place);
    if (version > MAX_VERSION) {
      const expected = `a version of at most ${MAX_VERSION}, which another one can follow`;
      throw untrusted('fast-forward', place, { expected, found: String(version) });
    }
    try {
      verify(Buffer.from(text));
    } catch (error) {
      throw faultOf(error, place, () => headOf(text, place).expires);
    }
  }

  /**
   * Whether a file that was verified in an earlier run still counts. One whose key was replaced since does not, and keeps
   * nothing from going back: so a mirror recovers whose versions a thief put forward (section 5.3.11).
   */
  #recall(text: string, verify: (bytes: Buffer) => unknown): boolean {
    try {
      verify(Buffer.from(text));
      return true;
    } catch {
      return false;
    }
  }
}

function hasCause(error: unknown, kind: new (message?: string) => Error): boolean {
  return error instanceof UpdateRepositoryError && error.cause instanceof kind;
}

/** Throws where a snapshot names an older version of a role than was seen, or none any more (section 5.5.5). */
function checkRoles(snapshot: string, place: MetadataPlace, seen: Snapshot): void {
  const { meta } = Metadata.fromJSON(MetadataKind.Snapshot, JSON.parse(snapshot)).signed;
  for (const [name, { version }] of Object.entries(seen.meta)) {
    const found = Object.hasOwn(meta, name) ? (meta[name]?.version ?? null) : null;
    if (found !== null && found >= version) continue;
    throw rolledBack({ ...place, role: name.replace(/\.json$/, '') }, name, { seen: version, found });
  }
}
