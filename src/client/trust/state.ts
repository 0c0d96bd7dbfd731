import { createHash } from 'node:crypto';
import { UpdateRepositoryError } from '../../errors.js';
import { writeFileAtomic } from '../../io/atomic-file.js';
import { readPlainTextFile } from '../../io/plain-file.js';
import { isSha256Hex, parseSha256Hex, SHA256_FORM, type Sha256Hex } from '../../metadata/brands.js';
import {
  type JsonNode,
  jsonItems,
  jsonMember,
  jsonMembers,
  jsonString,
  parseJson,
  wrongJson,
} from '../../metadata/json-node.js';
import type { PrivateDirectory } from '../device/private-directory.js';

/*
 * trust.json in the private directory of a device: the metadata that it verified last, file by file, and the sha256 of the
 * root that it was given at first, and of others of its chain.
 *
 *     { "format": 1, "given": "<sha256>", "chain": ["<sha256>", …],
 *       "root": "…", "timestamp": "…", "snapshot": "…", "roles": { "targets": "…", … } }
 *
 * Earlier versions wrote no "chain".
 */
const FORMAT = 1;
/** Some series of the largest size that there may be. */
const MAX_BYTES = 64 * 1024 * 1024;
const MAX_ROLES = 10_000;
const MAX_ROOTS = 10_000;

/** What a device trusts: the texts of metadata files, all of which belong together. */
export interface TrustState {
  /** The root that it was given, which may have been followed by others. */
  readonly given: Sha256Hex;
  /** Of other roots that are known to be of its chain: it followed them, or was given them later. */
  readonly chain: ReadonlySet<Sha256Hex>;
  readonly root: string;
  /** Null where only a root was given so far. */
  readonly timestamp: string | null;
  readonly snapshot: string | null;
  /** By name: targets, and those delegated roles that were needed. */
  readonly roles: ReadonlyMap<string, string>;
}

/** What a device trusts that was given a root, and has seen nothing else. */
export function stateOfRoot(root: string): TrustState {
  return { given: rootSha256(root), chain: new Set(), root, timestamp: null, snapshot: null, roles: new Map() };
}

/** By which a root is remembered. */
export function rootSha256(root: string): Sha256Hex {
  return parseSha256Hex(createHash('sha256').update(root).digest('hex'), 'a digest');
}

/**
 * What a device remembers; null where it was never given a root.
 *
 * @throws UpdateRepositoryError FORMAT where it is damaged: that is no reason to trust anybody; IO
 */
export async function readTrust({ trustPath }: PrivateDirectory): Promise<TrustState | null> {
  const text = await readPlainTextFile(trustPath, MAX_BYTES);
  if (text === null) return null;
  try {
    return parseTrust(parseJson(text, { file: trustPath, code: 'FORMAT' }));
  } catch (error) {
    if (!(error instanceof UpdateRepositoryError)) throw error;
    const hint = 'give the root once more, by --trust ROOT.json';
    throw new UpdateRepositoryError(error.code, error.message, { data: error.data, hint, cause: error });
  }
}

/**
 * Puts `state` in the place of what is remembered: a kill at any instant leaves the one or the other.
 *
 * @throws UpdateRepositoryError FORMAT where it is more than would be read again; NO_SPACE, IO
 */
export async function writeTrust(place: PrivateDirectory, state: TrustState): Promise<void> {
  const { chain, roles, ...others } = state;
  const text = `${JSON.stringify({ format: FORMAT, ...others, chain: [...chain], roles: Object.fromEntries(roles) })}\n`;
  const sizeBytes = Buffer.byteLength(text);
  if (sizeBytes > MAX_BYTES) {
    const path = place.trustPath;
    const message = `${path}: expected at most ${MAX_BYTES} bytes of metadata to remember, found ${sizeBytes}`;
    throw new UpdateRepositoryError('FORMAT', message, { data: { path, maxBytes: MAX_BYTES, sizeBytes } });
  }
  await writeFileAtomic(place.trustPath, text, place.temporaryPath('trust.json'));
}

function parseTrust(document: JsonNode): TrustState {
  const format = jsonMember(document, 'format');
  if (format.value !== FORMAT) throw wrongJson(format, `the format ${FORMAT} that this program knows`);
  const text = (member: JsonNode) => jsonString(member, 'the text of a metadata file', (value) => value !== '');
  const textOrNull = (name: string) => {
    const member = jsonMember(document, name);
    return member.value === null ? null : text(member);
  };
  const sha256 = (member: JsonNode) => jsonString(member, SHA256_FORM, isSha256Hex);
  const chain = jsonMember(document, 'chain');
  return {
    given: sha256(jsonMember(document, 'given')),
    chain: new Set(chain.value === undefined ? [] : jsonItems(chain, MAX_ROOTS).map(sha256)),
    root: text(jsonMember(document, 'root')),
    timestamp: textOrNull('timestamp'),
    snapshot: textOrNull('snapshot'),
    roles: new Map(
      [...jsonMembers(jsonMember(document, 'roles'), MAX_ROLES)].map(([name, member]) => [name, text(member)]),
    ),
  };
}
