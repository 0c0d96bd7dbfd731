import { UpdateRepositoryError } from '../../errors.js';
import type { EventSink } from '../../events.js';
import type { MetaImage } from '../../metadata/meta.js';
import type { TextSource } from '../catalog.js';
import type { Device } from '../device/device.js';
import type { Hop } from '../hop.js';
import { MetadataFiles, type MirrorTexts } from './metadata-files.js';
import { stateOfRoot, type TrustState, writeTrust } from './state.js';
import type { VerifiedMetadata } from './verified-metadata.js';
import { checkVouchedHops, vouchedTexts } from './vouched-files.js';

/**
 * What makes a mirror's word good for a device: the metadata that its root leads to. Nothing is taken without, and what is
 * remembered is never newer than what was verified.
 */
export class Trust {
  readonly #device: Device;
  readonly #mirrors: MirrorTexts;
  /** Null until the first root of the mirror is taken for it. */
  #state: TrustState | null;
  #metadata: VerifiedMetadata | null = null;
  #kept: TrustState | null;

  /** @param state null where the mirror's first root is to be trusted; `isKept` says whether the device remembers it already */
  constructor(
    device: Device,
    mirrors: MirrorTexts,
    state: TrustState | null,
    { isKept }: { readonly isKept: boolean },
  ) {
    this.#device = device;
    this.#mirrors = mirrors;
    this.#state = state;
    this.#kept = isKept ? state : null;
  }

  /**
   * Verifies the newest metadata, and gives the small files that it speaks of, each with the bytes that were signed.
   *
   * @throws UpdateRepositoryError VERIFICATION with `data.reason` where something is not trusted; FORMAT, NETWORK, STORAGE,
   * INTERRUPTED
   */
  async texts(): Promise<TextSource> {
    const { signal, onEvent } = this.#device;
    const { VerifiedMetadata } = await import('./verified-metadata.js');
    const files = new MetadataFiles(this.#mirrors, signal);
    const before = this.#state ?? (await firstRoot(files, onEvent));
    const metadata = await VerifiedMetadata.refresh(before, files);
    this.#metadata = metadata;
    return vouchedTexts(metadata, this.#mirrors);
  }

  /**
   * Checks that what an update is to make, and all that it is to fetch, is signed.
   *
   * @throws UpdateRepositoryError VERIFICATION where a file is not, or with another size or sha256
   */
  async checkRoute(image: MetaImage, hops: readonly Hop[]): Promise<void> {
    const metadata = this.#metadata;
    if (metadata === null) throw new UpdateRepositoryError('INTERNAL', 'a way is to be checked before any metadata is');
    await checkVouchedHops(metadata, image, hops, this.#mirrors.name);
  }

  /** Remembers what was verified, where that is another state than before and the device is ours to change. */
  async keep(): Promise<void> {
    const state = this.#metadata?.state ?? null;
    if (state === null) return;
    this.#state = state;
    if (!this.#device.isHeld || (this.#kept !== null && isSame(this.#kept, state))) return;
    await this.#device.assertMayGoOn();
    await writeTrust(this.#device.place, state);
    this.#kept = state;
  }
}

/** The first root that the mirror has; a note says which. */
async function firstRoot(files: MetadataFiles, onEvent: EventSink): Promise<TrustState> {
  const { checkRoot } = await import('./roots.js');
  const wanted = { role: 'root', kind: 'root', version: 1 } as const;
  const state = stateOfRoot(await files.read(wanted, (text, { file }) => checkRoot(text, file)));
  const message = `trusted on first use: the root with sha256 ${state.given}, which nobody has vouched for`;
  onEvent({ type: 'note', level: 'warning', subject: files.nameOf(wanted), message });
  return state;
}

function isSame(one: TrustState, other: TrustState): boolean {
  return (
    one.given === other.given &&
    one.chain.size === other.chain.size &&
    [...one.chain].every((sha256) => other.chain.has(sha256)) &&
    one.root === other.root &&
    one.timestamp === other.timestamp &&
    one.snapshot === other.snapshot &&
    one.roles.size === other.roles.size &&
    [...one.roles].every(([name, text]) => other.roles.get(name) === text)
  );
}
