import { createHash } from 'node:crypto';
import { UpdateRepositoryError } from '../../errors.js';
import { writeFileAtomic } from '../../io/atomic-file.js';
import { readPlainTextFile } from '../../io/plain-file.js';
import { isSha256Hex, parseSha256Hex, SHA256_FORM, type Sha256Hex } from '../../metadata/brands.js';
import { type JsonNode, jsonMember, jsonMembers, jsonString, parseJson, wrongJson } from '../../metadata/json-node.js';
import type { PrivateDirectory } from '../device/private-directory.js';

/*
 * trust.json in the private directory of a device: the metadata that it verified last, file by file, and the sha256 of the
 * root that it was given at first.
 *
 *     { "format": 1, "given": "<sha256>", "root": "…", "timestamp": "…", "snapshot": "…", "roles": { "targets": "…", … } }
 */
const FORMAT = 1;
/** Some series of the largest size that there may be. */
const MAX_BYTES = 64 * 1024 * 1024;
const MAX_ROLES = 10_000;

/** What a device trusts: the texts of metadata files, all of which belong together. */
export interface TrustState {
  /** The root that it was given, which may have been followed by others. */
  readonly given: Sha256Hex;
  readonly root: string;
  /** Null where only a root was given so far. */
  readonly timestamp: string | null;
  readonly snapshot: string | null;
  /** By name: targets, and those delegated roles that were needed. */
  readonly roles: ReadonlyMap<string, string>;
}

/** What a device trusts that was given a root, and has seen nothing else. */
export function stateOfRoot(root: string): TrustState {
  const given = parseSha256Hex(createHash('sha256').update(root).digest('hex'), 'a digest');
  return { given, root, timestamp: null, snapshot: null, roles: new Map() };
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

/** Puts `state` in the place of what is remembered: a kill at any instant leaves the one or the other. Throws NO_SPACE, IO. */
export async function writeTrust(place: PrivateDirectory, state: TrustState): Promise<void> {
  const { given, root, timestamp, snapshot, roles } = state;
  const text = JSON.stringify({ format: FORMAT, given, root, timestamp, snapshot, roles: Object.fromEntries(roles) });
  await writeFileAtomic(place.trustPath, `${text}\n`, place.temporaryPath('trust.json'));
}

function parseTrust(document: JsonNode): TrustState {
  const format = jsonMember(document, 'format');
  if (format.value !== FORMAT) throw wrongJson(format, `the format ${FORMAT} that this program knows`);
  const text = (member: JsonNode) => jsonString(member, 'the text of a metadata file', (value) => value !== '');
  const textOrNull = (name: string) => {
    const member = jsonMember(document, name);
    return member.value === null ? null : text(member);
  };
  return {
    given: jsonString(jsonMember(document, 'given'), SHA256_FORM, isSha256Hex),
    root: text(jsonMember(document, 'root')),
    timestamp: textOrNull('timestamp'),
    snapshot: textOrNull('snapshot'),
    roles: new Map(
      [...jsonMembers(jsonMember(document, 'roles'), MAX_ROLES)].map(([name, member]) => [name, text(member)]),
    ),
  };
}
