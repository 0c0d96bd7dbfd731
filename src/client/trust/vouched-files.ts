import type { MetaImage } from '../../metadata/meta.js';
import { hashNamedCopy } from '../../trust/tuf/contents.js';
import type { TextSource } from '../catalog.js';
import { remoteFileOf } from '../download/remote-file.js';
import type { Hop } from '../hop.js';
import { checkVouched, hashNamedText } from './check-vouched.js';
import type { MirrorTexts } from './metadata-files.js';
import type { VerifiedMetadata } from './verified-metadata.js';

/** The small files that verified metadata speaks of, each with the bytes that were signed. */
export function vouchedTexts(metadata: VerifiedMetadata, mirrors: MirrorTexts): TextSource {
  return {
    name: mirrors.name,
    async read(wanted, parse, signal) {
      const target = await metadata.find(wanted.path);
      if (target === null) return null;
      const copy = hashNamedCopy(wanted.path, target.sha256);
      return await hashNamedText(mirrors, { ...target, path: copy, maxBytes: wanted.maxBytes }, parse, signal);
    },
  };
}

/**
 * Checks that an image that is to be made, and all that is fetched and made on the way there, is signed; `mirror` opens the
 * messages.
 *
 * @throws UpdateRepositoryError VERIFICATION where a file is not, or with another size or sha256
 */
export async function checkVouchedHops(
  metadata: VerifiedMetadata,
  image: MetaImage,
  hops: readonly Hop[],
  mirror: string,
): Promise<void> {
  const made = [image, ...hops.map((hop) => hop.image)];
  const files = new Map([
    ...made.map(({ filename, size, sha256 }) => [filename, { sizeBytes: size, sha256 }] as const),
    ...hops.map(remoteFileOf).map(({ path, sizeBytes, sha256 }) => [path, { sizeBytes, sha256 }] as const),
  ]);
  for (const [path, file] of files) checkVouched(path, file, await metadata.find(path), mirror);
}
