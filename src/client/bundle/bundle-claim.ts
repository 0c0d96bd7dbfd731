import type { SeriesMeta } from '../../metadata/meta.js';
import { metaPath } from '../../metadata/mirror-paths.js';
import { fetchMeta } from '../catalog.js';
import type { Device } from '../device/device.js';
import { untrusted } from '../trust/faults.js';
import { openTrust } from '../trust/open-trust.js';
import type { Trust } from '../trust/trust.js';
import type { TrustWish } from '../trust/wish.js';
import type { BundleFiles } from './bundle-files.js';
import { BundleTexts } from './bundle-texts.js';
import type { BundleManifest } from './manifest.js';

/** What a bundle says of its path, and what vouches for that. */
export interface BundleClaim {
  readonly manifest: BundleManifest;
  /** Null where nobody does, or need do. */
  readonly trust: Trust | null;
}

/**
 * What a bundle says, to be verified as its device wishes.
 *
 * @throws UpdateRepositoryError VERIFICATION where a root is trusted and the bundle has no metadata; what {@link openTrust}
 * throws
 */
export async function claimOf(
  { manifest, metadata }: Pick<BundleFiles, 'manifest' | 'metadata'>,
  device: Device,
  { source: { path }, trust: wish }: { readonly source: { readonly path: string }; readonly trust?: TrustWish },
): Promise<BundleClaim> {
  const trust = await openTrust(wish ?? { kind: 'remembered' }, device, new BundleTexts(path, metadata));
  if (trust === null || metadata.size > 0) return { manifest, trust };
  throw untrusted(
    'missing-metadata',
    { file: path },
    {
      expected: 'signed metadata, as a root is trusted',
      found: 'a bundle without',
      hint: 'make it by bundle --trust ROOT.json, or type --insecure to go on without',
    },
  );
}

/**
 * What is known of the series: the meta file that the metadata vouches for, where a root is trusted, once all that the bundle
 * carries is vouched for, too. What was verified is remembered then.
 *
 * @throws UpdateRepositoryError VERIFICATION with `data.reason`, FORMAT, NOT_FOUND, IO
 */
export async function metaOf({ manifest, trust }: BundleClaim, { signal }: Device): Promise<SeriesMeta> {
  const { series, hops, meta } = manifest;
  if (trust === null) return meta;
  const texts = await trust.texts();
  for (const hop of hops) await trust.checkRoute(hop.image, [hop]);
  const signed = await fetchMeta(texts, { metaPath: metaPath(series), series }, signal);
  await trust.keep();
  return signed;
}
