import { MetadataFiles } from '../../../../src/client/trust/metadata-files.js';
import type { TrustState } from '../../../../src/client/trust/state.js';
import { VerifiedMetadata } from '../../../../src/client/trust/verified-metadata.js';
import { UpdateRepositoryError } from '../../../../src/errors.js';
import type { SeenState } from './seen-state.js';

/** As `seeState` has it of tuf-js, what a device of ours takes for the state of a mirror, and what it remembers of it. */
export async function seeByUs(
  before: TrustState,
  files: ReadonlyMap<string, Buffer>,
): Promise<{ readonly seen: SeenState; readonly state: TrustState }> {
  const metadata = await VerifiedMetadata.refresh(before, metadataIn(files));
  const targets: Record<string, string> = {};
  for (const path of files.keys()) {
    const found = path.startsWith('metadata/') ? null : await metadata.find(path);
    if (found !== null) targets[path] = found.sha256;
  }
  const { state } = metadata;
  const { root, timestamp, snapshot, roles } = state;
  const texts = Object.entries({ root, timestamp, snapshot, ...Object.fromEntries(roles) });
  const versions = Object.fromEntries(texts.map(([role, text]) => [role, JSON.parse(text ?? '').signed.version]));
  return { seen: { versions, targets }, state };
}

function metadataIn(files: ReadonlyMap<string, Buffer>): MetadataFiles {
  type Texts = ConstructorParameters<typeof MetadataFiles>[0];
  const textIfThere: Texts['textIfThere'] = async ({ path }, parse) => {
    const bytes = files.get(path);
    return bytes === undefined ? null : parse(bytes.toString(), path);
  };
  const text: Texts['text'] = async (wanted, parse, signal) => {
    const found = await textIfThere(wanted, parse, signal);
    if (found === null) throw new UpdateRepositoryError('NOT_FOUND', wanted.path);
    return found;
  };
  return new MetadataFiles({ name: 'mirror', text, textIfThere }, new AbortController().signal);
}
