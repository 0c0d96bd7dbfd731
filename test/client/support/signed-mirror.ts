import { createHash } from 'node:crypto';
import { parseSha256Hex, parseSha512Hex } from '../../../src/metadata/brands.js';
import { parseSeriesMeta, renderSeriesMeta, type SeriesMeta } from '../../../src/metadata/meta.js';
import { metaPath } from '../../../src/metadata/mirror-paths.js';
import { type RepositoryContents, repositoryContents } from '../../../src/trust/tuf/contents.js';
import { type Drafts, NO_DRAFTS } from '../../../src/trust/tuf/drafts.js';
import { changeKey, firstDrafts } from '../../../src/trust/tuf/key-changes.js';
import { DEFAULT_LIFETIMES } from '../../../src/trust/tuf/lifetimes.js';
import { SigningKey } from '../../../src/trust/tuf/signing-key.js';
import { allKeys, assignmentsOf, sampleKeys } from '../../trust/tuf/support/sample-keys.js';
import { SampleMirror } from '../../trust/tuf/support/sample-mirror.js';

type Files = ReadonlyMap<string, Buffer>;

/** A mirror of real images with signed metadata, all keys at hand, which shows as many of the versions as it is told. */
export class SignedMirror {
  readonly signing = new SampleMirror(sampleKeys());
  readonly #files: Files;

  private constructor(files: Files) {
    this.#files = files;
  }

  /** Signs the first `versions` of a built mirror; `files` are its files by path. */
  static async make(files: Files, versions: number): Promise<SignedMirror> {
    const mirror = new SignedMirror(files);
    const now = new Date();
    const contents = mirror.contentsOf(versions);
    const making = { lifetimes: DEFAULT_LIFETIMES, now };
    await mirror.show(versions, firstDrafts(assignmentsOf(mirror.signing.keys), contents, making));
    return mirror;
  }

  /** Has the first `versions`, and signs what that changes. */
  async show(versions: number, drafts: Drafts = NO_DRAFTS, keys?: readonly SigningKey[]): Promise<void> {
    await this.signing.step({
      contents: this.contentsOf(versions),
      drafts,
      now: new Date(),
      ...(keys === undefined ? {} : { keys }),
    });
    for (const [path, bytes] of this.#files) this.signing.files.set(path, bytes);
    for (const [path, bytes] of plainIndexes(this.meta(versions))) this.signing.files.set(path, bytes);
  }

  /** The files as they now are, by path. */
  get files(): Map<string, Buffer> {
    return new Map(this.signing.files);
  }

  /** What the meta file says when so many versions are shown. */
  meta(versions: number): SeriesMeta {
    const [path, bytes] = [...this.#files].find(([name]) => name.startsWith('meta/')) ?? ['', Buffer.of()];
    const all = parseSeriesMeta(bytes.toString(), path);
    return { ...all, images: all.images.slice(0, versions) };
  }

  contentsOf(versions: number): RepositoryContents {
    const meta = this.meta(versions);
    return repositoryContents(
      [meta],
      new Map([
        [metaPath(meta.series), renderSeriesMeta(meta)],
        ['index.json', this.#files.get('index.json')?.toString() ?? ''],
      ]),
    );
  }
}

/** What whoever does not verify reads of a series. */
export function plainIndexes(meta: SeriesMeta): Files {
  return new Map([[metaPath(meta.series), Buffer.from(renderSeriesMeta(meta))]]);
}

/** The same mirror whose newest image has other bytes, and whose meta file says so. */
export function withEvilImage(meta: SeriesMeta, bytes: Buffer): { readonly meta: SeriesMeta; readonly files: Files } {
  const newest = meta.images.at(-1);
  if (newest === undefined) throw new Error('a mirror without images');
  const hex = (algorithm: string) => createHash(algorithm).update(bytes).digest('hex');
  const evil = {
    ...newest,
    diffs: [],
    size: bytes.length,
    sha256: parseSha256Hex(hex('sha256'), 'evil'),
    sha512: parseSha512Hex(hex('sha512'), 'evil'),
  };
  const changed = { ...meta, images: [...meta.images.slice(0, -1), evil] };
  return { meta: changed, files: new Map([...plainIndexes(changed), [newest.filename, bytes]]) };
}

/** Puts another key in the place of each; the mirror has all that is signed anew. */
export async function replaceKeys(mirror: SignedMirror, old: readonly SigningKey[]): Promise<SigningKey[]> {
  let keys = old.length === 1 ? allKeys(mirror.signing.keys) : [...old];
  for (const key of old) {
    const successor = SigningKey.generate('ed25519');
    const change = { from: key.id, to: successor.publicKey, roles: null };
    const now = new Date();
    const drafts = changeKey(await mirror.signing.current(), change, { lifetimes: DEFAULT_LIFETIMES, now });
    keys = keys.map((one) => (one === key ? successor : one));
    await mirror.signing.step({ drafts, keys: [...keys, key], now });
  }
  return keys;
}
