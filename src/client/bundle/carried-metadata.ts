import { createHash } from 'node:crypto';
import { parseSha256Hex } from '../../metadata/brands.js';
import { metadataPath } from '../../trust/tuf/documents.js';
import type { TextSource } from '../catalog.js';
import type { Hop } from '../hop.js';
import { readGivenRoot } from '../trust/given-root.js';
import { MetadataFiles, type MirrorTexts } from '../trust/metadata-files.js';
import { stateOfRoot } from '../trust/state.js';
import type { VerifiedMetadata } from '../trust/verified-metadata.js';
import { checkVouchedHops, vouchedTexts } from '../trust/vouched-files.js';
import type { BundledFile } from './manifest.js';
import { NotedTexts } from './noted-texts.js';

/**
 * The signed metadata of a mirror, verified from a root that is trusted; what was read for that is what a device needs to do the
 * same without the mirror. It has all roots from the first on, so that a device which slept can follow them.
 */
export class CarriedMetadata {
  readonly #texts: NotedTexts;
  readonly #metadata: VerifiedMetadata;

  private constructor(texts: NotedTexts, metadata: VerifiedMetadata) {
    this.#texts = texts;
    this.#metadata = metadata;
  }

  /**
   * Verifies the newest metadata of a mirror by the root at `rootPath`.
   *
   * @throws UpdateRepositoryError NOT_FOUND or IO for the root; VERIFICATION with `data.reason` where something is not trusted;
   * FORMAT, NETWORK, STORAGE, INTERRUPTED
   */
  static async verify(rootPath: string, mirrors: MirrorTexts, signal: AbortSignal): Promise<CarriedMetadata> {
    const { readEarlierRoots } = await import('../trust/roots.js');
    const { VerifiedMetadata } = await import('../trust/verified-metadata.js');
    const texts = new NotedTexts(mirrors);
    const files = new MetadataFiles(texts, signal);
    const root = await readGivenRoot(rootPath);
    const version = await readEarlierRoots(root, rootPath, files);
    texts.noted.set(metadataPath('root', version), root);
    return new CarriedMetadata(texts, await VerifiedMetadata.refresh(stateOfRoot(root), files));
  }

  /** The small files of the mirror, each with the bytes that were signed. */
  get texts(): TextSource {
    return vouchedTexts(this.#metadata, this.#texts);
  }

  /** When the first of its files ends to be good. */
  get expires(): string {
    return this.#metadata.expires;
  }

  /** Throws VERIFICATION where anything of a path is not signed. */
  async check(hops: readonly Hop[]): Promise<void> {
    for (const hop of hops) await checkVouchedHops(this.#metadata, hop.image, [hop], this.#texts.name);
  }

  /** The files, as a manifest has them. */
  get files(): readonly BundledFile[] {
    return [...this.#texts.noted].map(([filename, text]) => {
      const sha256 = parseSha256Hex(createHash('sha256').update(text).digest('hex'), 'a digest');
      return { filename, size: Buffer.byteLength(text), sha256 };
    });
  }

  /** The bytes of one of {@link files}; undefined for another name. */
  bytesOf(filename: string): Buffer | undefined {
    const text = this.#texts.noted.get(filename);
    return text === undefined ? undefined : Buffer.from(text);
  }
}
