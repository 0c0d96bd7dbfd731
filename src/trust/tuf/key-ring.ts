import { join } from 'node:path';
import { UpdateRepositoryError } from '../../errors.js';
import { readTextFile } from '../../io/atomic-file.js';
import type { Passphrase } from '../passphrase.js';
import type { OnlineAssignments, RoleAssignment } from './delegations.js';
import { type KeyId, MAX_BYTES, metadataFileName } from './documents.js';
import { type Drafts, parseDrafts, renderDrafts } from './drafts.js';
import { isKeyFile, readKeyDirectory, retireKey, saveKey } from './key-directory.js';
import { type KeyFile, openKeyFile } from './key-file.js';
import type { KeyRole } from './role-names.js';
import type { SigningKey } from './signing-key.js';

/** A directory of keys in use: what its files tell, and the private keys of those that were asked for. */
export class KeyRing {
  readonly directory: string;
  readonly files: readonly KeyFile[];
  /** The first root and targets, which were made with the keys; empty where they are kept elsewhere. */
  readonly first: Drafts;
  /** The text of the first root, or null. */
  readonly firstRoot: string | null;
  readonly #passphrase: Passphrase | null;
  readonly #opened = new Map<KeyId, SigningKey>();
  /** What the private keys come from, where that is not the directory. */
  #fromElsewhere: string | null = null;

  /** Reads a directory, or the file of one key; the passphrase is null where nothing is to be signed. Throws NOT_FOUND, FORMAT. */
  static async open(directory: string, passphrase: Passphrase | null): Promise<KeyRing> {
    const files = await readKeyDirectory(directory);
    const texts = new Map<string, string>();
    for (const role of isKeyFile(directory) ? [] : (['root', 'targets'] as const)) {
      const name = metadataFileName(role, 1);
      const text = await readTextFile(join(directory, name), MAX_BYTES[role]);
      if (text !== null) texts.set(name, text);
    }
    return new KeyRing(directory, files, texts, passphrase);
  }

  private constructor(
    directory: string,
    files: readonly KeyFile[],
    drafts: ReadonlyMap<string, string>,
    passphrase: Passphrase | null,
  ) {
    this.directory = directory;
    this.files = files;
    this.first = parseDrafts(drafts);
    this.firstRoot = drafts.get(metadataFileName('root', 1)) ?? null;
    this.#passphrase = passphrase;
  }

  /** The ids of the keys that it can sign with. */
  get signing(): KeyId[] {
    return this.files.filter(({ id, sealed }) => this.#opened.has(id) || this.#canOpen(sealed)).map(({ id }) => id);
  }

  /**
   * The directory with the private halves of keys that come from elsewhere; `where` names that place. It signs with these
   * alone, and opens none of its files. Throws CONFIG for a key that it does not have.
   */
  holding(keys: readonly SigningKey[], where: string): KeyRing {
    const ring = new KeyRing(this.directory, this.files, renderDrafts(this.first), null);
    for (const key of keys) {
      if (!this.files.some(({ id }) => id === key.id)) {
        throw new UpdateRepositoryError('CONFIG', `${where}: expected keys of ${this.directory}, found ${key.id}`, {
          data: { where, directory: this.directory, keyid: key.id },
        });
      }
      ring.#opened.set(key.id, key);
    }
    ring.#fromElsewhere = where;
    return ring;
  }

  /** Who signs for a series that is new, each key alone; null where the directory has no such keys. */
  get online(): OnlineAssignments | null {
    const series = this.#assignment('series');
    const mirror = this.#assignment('mirror');
    return series.keys.length > 0 && mirror.keys.length > 0 ? { series, mirror } : null;
  }

  /** The keys of a role, private or public. */
  ofRole(role: KeyRole): KeyFile[] {
    return this.files.filter(({ roles }) => roles.includes(role));
  }

  /** The private keys of these ids, one after the other: each takes 128 MiB for half a second. Throws CONFIG. */
  async unlock(ids: readonly KeyId[]): Promise<SigningKey[]> {
    const keys: SigningKey[] = [];
    for (const file of this.files.filter(({ id }) => ids.includes(id))) {
      const key = this.#opened.get(file.id) ?? (await openKeyFile(file, this.#passphrase?.reveal() ?? ''));
      this.#opened.set(file.id, key);
      keys.push(key);
    }
    return keys;
  }

  /** The directory with a new key in it, which is kept by the same passphrase; keys that are open stay so. */
  async with(key: SigningKey, roles: readonly KeyRole[]): Promise<{ readonly ring: KeyRing; readonly path: string }> {
    if (this.#fromElsewhere !== null) {
      throw new UpdateRepositoryError(
        'CONFIG',
        `${this.directory}: expected a passphrase to keep a new key by, found keys from ${this.#fromElsewhere} alone`,
        { data: { directory: this.directory }, hint: 'change keys where their files are' },
      );
    }
    const path = await saveKey(this.directory, key, roles, this.#passphrase?.reveal() ?? '');
    const ring = await KeyRing.open(this.directory, this.#passphrase);
    for (const [id, opened] of [...this.#opened, [key.id, key] as const]) ring.#opened.set(id, opened);
    return { ring, path };
  }

  /** Takes keys out of use: their files go into `retired/`. Returns where they are. */
  async retire(ids: readonly KeyId[]): Promise<string[]> {
    const paths: string[] = [];
    for (const { id, file } of this.files) if (ids.includes(id)) paths.push(await retireKey(this.directory, file));
    return paths;
  }

  #canOpen(sealed: KeyFile['sealed']): boolean {
    return sealed !== null && this.#fromElsewhere === null;
  }

  #assignment(role: KeyRole): RoleAssignment {
    return { keys: this.ofRole(role).map(({ publicKey }) => publicKey), threshold: 1 };
  }
}
