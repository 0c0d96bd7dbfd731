import { hasCode, UpdateRepositoryError } from '../errors.js';
import type { Published, ReleaseObject } from '../publish/release.js';
import {
  type DocumentByKind,
  type FileClaim,
  MAX_BYTES,
  metadataPath,
  type RootDocument,
} from '../trust/tuf/documents.js';
import { parseEnvelope } from '../trust/tuf/parse-document.js';
import { claimOf, type Repository, topSigners } from '../trust/tuf/repository.js';
import { isSigned } from '../trust/tuf/signatures.js';

/**
 * Throws CONFIG where clients that have seen the metadata of a place would refuse a mirror's as a rollback: some of it is of
 * a higher version there, or of the same one with other bytes, as after the mirror came back from a backup. What the keys of
 * the mirror's root did not sign, such as what a thief put forward before they were replaced, counts there as little as with
 * clients.
 *
 * @param file the mirror's timestamp as it is to be published
 */
export async function requireNewerMetadata(ours: Repository, file: ReleaseObject, published: Published): Promise<void> {
  const root = ours.root.signed;
  const nextRoot = metadataPath('root', root.version + 1);
  if (published.has(nextRoot)) throw older(published, nextRoot, `no root above the mirror's ${root.version}`, 'it');
  const timestamp = await readSigned('timestamp', 0, root, published);
  if (timestamp === null) return;
  const { version } = ours.timestamp.signed;
  const claim = { version, length: file.sizeBytes, hashes: { sha256: file.sha256 } };
  requireLater('timestamp', claimOf(timestamp.text, timestamp.signed.version), claim, published);
  const there = timestamp.signed.meta['snapshot.json'];
  const here = ours.timestamp.signed.meta['snapshot.json'];
  requireLater('snapshot', there, here, published);
  if (isSame(there, here)) return;
  const snapshot = await readSigned('snapshot', there.version, root, published);
  if (snapshot === null) return;
  for (const [name, claim] of Object.entries(snapshot.signed.meta)) {
    const own = Object.hasOwn(ours.snapshot.signed.meta, name) ? ours.snapshot.signed.meta[name] : undefined;
    requireLater(name.replace(/\.json$/, ''), claim, own, published);
  }
}

/** What a place has, where clients would take it; null for all else. */
async function readSigned<Kind extends 'timestamp' | 'snapshot'>(
  kind: Kind,
  version: number,
  root: RootDocument,
  published: Published,
): Promise<{ readonly text: string; readonly signed: DocumentByKind[Kind] } | null> {
  const path = metadataPath(kind, version);
  if (!published.has(path)) return null;
  try {
    const text = await published.readText(path, MAX_BYTES[kind]);
    if (text === null) return null;
    const envelope = parseEnvelope(kind, text, path);
    return isSigned(envelope, topSigners(root, kind)) ? { text, signed: envelope.signed } : null;
  } catch (error) {
    if (hasCode(error, 'FORMAT')) return null;
    throw error;
  }
}

function requireLater(role: string, there: FileClaim, here: FileClaim | undefined, published: Published): void {
  if (here !== undefined && (here.version > there.version || isSame(here, there))) return;
  const path = metadataPath(role, there.version);
  const expected = here === undefined ? 'a role of the mirror' : `a version below the mirror's ${here.version}`;
  const found =
    here?.version === there.version ? `another file of version ${there.version}` : `version ${there.version}`;
  throw older(published, path, expected, found);
}

function isSame(one: FileClaim, other: FileClaim): boolean {
  return one.version === other.version && one.hashes.sha256 === other.hashes.sha256;
}

function older({ name }: Published, path: string, expected: string, found: string): UpdateRepositoryError {
  return new UpdateRepositoryError('CONFIG', `${name}/${path}: expected ${expected}, found ${found}`, {
    data: { storage: name, path },
    hint: 'clients refuse to go back: where the mirror came from a backup, copy metadata/ from there over its own, and build it',
  });
}
