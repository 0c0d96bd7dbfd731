import { UpdateRepositoryError } from '../../errors.js';
import { isSha256Hex, isSha512Hex, SHA256_FORM, SHA512_FORM } from '../../metadata/brands.js';
import {
  claimOnce,
  type JsonNode,
  jsonCount,
  jsonItems,
  jsonMember,
  jsonMembers,
  jsonString,
  parseJson,
  wrongJson,
} from '../../metadata/json-node.js';
import { findNameFault, findRelativePathFault } from '../../metadata/safe-name.js';
import type {
  DelegatedRole,
  Delegations,
  DocumentByKind,
  DocumentKind,
  Envelope,
  FileClaim,
  KeyTable,
  RoleKeys,
  RootDocument,
  Signature,
  SnapshotDocument,
  TargetCustom,
  TargetEntry,
  TargetsDocument,
  TimestampDocument,
  TufDocument,
} from './documents.js';
import { MAX_BYTES, TOP_ROLES } from './documents.js';
import { members } from './members.js';
import { keyIdOf, parseTufKey } from './public-key.js';
import { MAX_VERSION } from './versions.js';

/** Far above what {@link MAX_BYTES} lets in. */
const MAX_ENTRIES = 200_000;
const MAX_SIGNATURES = 1_000;

const READERS: { readonly [Kind in DocumentKind]: (signed: JsonNode) => DocumentByKind[Kind] } = {
  root: parseRoot,
  timestamp: parseTimestamp,
  snapshot: parseSnapshot,
  targets: parseTargets,
};

/**
 * Reads a metadata file of foreign origin; `file` opens the messages. Whether its signatures are good is not asked here.
 * Throws FORMAT with the path of the member that is wrong; a member that is not known is wrong.
 */
export function parseEnvelope<Kind extends DocumentKind>(
  kind: Kind,
  text: string,
  file: string,
): Envelope<DocumentByKind[Kind]> {
  const length = Buffer.byteLength(text);
  if (length > MAX_BYTES[kind]) {
    throw new UpdateRepositoryError('FORMAT', `${file}: expected at most ${MAX_BYTES[kind]} bytes, found ${length}`);
  }
  const { signatures, signed } = members(parseJson(text, { file, code: 'FORMAT' }), ['signatures', 'signed']);
  const type = jsonMember(signed, '_type');
  if (type.value !== kind) throw wrongJson(type, `"${kind}"`);
  return { signatures: parseSignatures(signatures), signed: READERS[kind](signed) };
}

/** The text of a metadata file. */
export function renderEnvelope({ signatures, signed }: Envelope<TufDocument>): string {
  return JSON.stringify({ signatures, signed });
}

function parseSignatures(node: JsonNode): Signature[] {
  const taken = new Map<string, string>();
  return jsonItems(node, MAX_SIGNATURES).map((item) => {
    const { keyid, sig } = members(item, ['keyid', 'sig']);
    const id = jsonString(keyid, SHA256_FORM, isSha256Hex);
    claimOnce(taken, id, keyid, 'one signature a key');
    return { keyid: id, sig: jsonString(sig, 'hex digits', isHex) };
  });
}

function isHex(text: string): boolean {
  return /^(?:[0-9a-f]{2}){1,512}$/.test(text);
}

type CommonMember = '_type' | 'spec_version' | 'version' | 'expires';

const COMMON: readonly CommonMember[] = ['_type', 'spec_version', 'version', 'expires'];

function parseCommon<Kind extends DocumentKind>(kind: Kind, nodes: Readonly<Record<CommonMember, JsonNode>>) {
  return {
    _type: kind,
    spec_version: jsonString(nodes.spec_version, 'version 1 of TUF', (text) => /^1(?:\.[0-9]{1,4}){1,2}$/.test(text)),
    version: parseVersion(nodes.version),
    expires: jsonString(nodes.expires, 'a time YYYY-MM-DDTHH:MM:SSZ', isTime),
  };
}

function parseVersion(node: JsonNode): number {
  const version = jsonCount(node);
  if (version >= 1 && version <= MAX_VERSION) return version;
  throw wrongJson(node, `a version from 1 to ${MAX_VERSION}`);
}

function isTime(text: string): boolean {
  return /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$/.test(text) && !Number.isNaN(Date.parse(text));
}

function parseRoot(signed: JsonNode): RootDocument {
  const nodes = members(signed, [...COMMON, 'consistent_snapshot', 'keys', 'roles']);
  if (nodes.consistent_snapshot.value !== true) throw wrongJson(nodes.consistent_snapshot, 'true');
  const keys = parseKeys(nodes.keys);
  const roles = members(nodes.roles, ['root', 'targets', 'snapshot', 'timestamp']);
  return {
    ...parseCommon('root', nodes),
    consistent_snapshot: true,
    keys,
    roles: {
      root: parseTopRole(roles.root, keys),
      targets: parseTopRole(roles.targets, keys),
      snapshot: parseTopRole(roles.snapshot, keys),
      timestamp: parseTopRole(roles.timestamp, keys),
    },
  };
}

function parseTimestamp(signed: JsonNode): TimestampDocument {
  const nodes = members(signed, [...COMMON, 'meta']);
  const meta = members(nodes.meta, ['snapshot.json']);
  return { ...parseCommon('timestamp', nodes), meta: { 'snapshot.json': parseClaim(meta['snapshot.json']) } };
}

function parseSnapshot(signed: JsonNode): SnapshotDocument {
  const nodes = members(signed, [...COMMON, 'meta']);
  const meta = [...jsonMembers(nodes.meta, MAX_ENTRIES)].map(([name, node]) => [name, parseClaim(node)] as const);
  return { ...parseCommon('snapshot', nodes), meta: Object.fromEntries(meta) };
}

function parseTargets(signed: JsonNode): TargetsDocument {
  const nodes = members(signed, [...COMMON, 'targets'], ['delegations']);
  const targets = [...jsonMembers(nodes.targets, MAX_ENTRIES)].map(([path, node]) => {
    const fault = findRelativePathFault(path);
    if (fault !== null) throw wrongJson(node, 'a plain relative path', fault);
    return [path, parseTarget(node)] as const;
  });
  const document = { ...parseCommon('targets', nodes), targets: Object.fromEntries(targets) };
  const delegations = nodes.delegations;
  return delegations.value === undefined ? document : { ...document, delegations: parseDelegations(delegations) };
}

function parseClaim(node: JsonNode): FileClaim {
  const { version, length, hashes } = members(node, ['version', 'length', 'hashes']);
  const { sha256 } = members(hashes, ['sha256']);
  return {
    version: parseVersion(version),
    length: jsonCount(length),
    hashes: { sha256: jsonString(sha256, SHA256_FORM, isSha256Hex) },
  };
}

function parseTarget(node: JsonNode): TargetEntry {
  const nodes = members(node, ['length', 'hashes'], ['custom']);
  const { sha256, sha512 } = members(nodes.hashes, ['sha256', 'sha512']);
  const entry = {
    length: jsonCount(nodes.length),
    hashes: {
      sha256: jsonString(sha256, SHA256_FORM, isSha256Hex),
      sha512: jsonString(sha512, SHA512_FORM, isSha512Hex),
    },
  };
  return nodes.custom.value === undefined ? entry : { ...entry, custom: parseCustom(nodes.custom) };
}

function parseCustom(node: JsonNode): TargetCustom {
  const nodes = members(node, ['version'], ['base']);
  const isVersion = (text: string) => text.length <= 100;
  const version = jsonString(nodes.version, 'a version', isVersion);
  return nodes.base.value === undefined
    ? { version }
    : { version, base: jsonString(nodes.base, 'a version', isVersion) };
}

function parseDelegations(node: JsonNode): Delegations {
  const nodes = members(node, ['keys', 'roles']);
  const keys = parseKeys(nodes.keys);
  const names = new Map<string, string>();
  const roles = jsonItems(nodes.roles, MAX_ENTRIES).map((item) => {
    const role = parseDelegatedRole(item, keys);
    claimOnce(names, role.name, item, 'a role that is not delegated to yet');
    return role;
  });
  return { keys, roles };
}

function parseDelegatedRole(node: JsonNode, keys: KeyTable): DelegatedRole {
  const nodes = members(node, ['name', 'keyids', 'threshold', 'terminating'], ['paths', 'path_hash_prefixes']);
  if (nodes.terminating.value !== true) throw wrongJson(nodes.terminating, 'true');
  const role = {
    name: jsonString(nodes.name, 'the name of a delegated role that can be a file name', isRoleName),
    ...parseRoleKeys(nodes.keyids, nodes.threshold, keys),
    terminating: true as const,
  };
  const { paths, path_hash_prefixes: prefixes } = nodes;
  if ((paths.value === undefined) === (prefixes.value === undefined)) {
    throw wrongJson(node, 'either paths or path_hash_prefixes', 'both or neither');
  }
  return paths.value === undefined
    ? { ...role, path_hash_prefixes: parseStrings(prefixes, 'hex digits', (text) => /^[0-9a-f]{1,64}$/.test(text)) }
    : { ...role, paths: parseStrings(paths, 'a pattern of paths', (text) => text !== '' && text.length <= 1_000) };
}

function isRoleName(text: string): boolean {
  return findNameFault(text) === null && TOP_ROLES.every((role) => role !== text);
}

function parseStrings(node: JsonNode, expected: string, accepts: (text: string) => boolean): string[] {
  return jsonItems(node, MAX_ENTRIES).map((item) => jsonString(item, expected, accepts));
}

function parseKeys(node: JsonNode): KeyTable {
  const keys = [...jsonMembers(node, MAX_SIGNATURES)].map(([id, item]) => {
    const key = parseTufKey(item);
    if (keyIdOf(key) !== id) throw wrongJson(item, `the key whose id is ${id}`, `the key of ${keyIdOf(key)}`);
    return [id, key] as const;
  });
  return Object.fromEntries(keys);
}

function parseTopRole(node: JsonNode, keys: KeyTable): RoleKeys {
  const { keyids, threshold } = members(node, ['keyids', 'threshold']);
  return parseRoleKeys(keyids, threshold, keys);
}

/** A threshold that its own keys cannot meet would close the repository for ever. */
function parseRoleKeys(keyids: JsonNode, threshold: JsonNode, keys: KeyTable): RoleKeys {
  const taken = new Map<string, string>();
  const ids = jsonItems(keyids, MAX_SIGNATURES).map((item) => {
    const id = jsonString(item, SHA256_FORM, isSha256Hex);
    if (!Object.hasOwn(keys, id)) throw wrongJson(item, 'the id of a key in "keys"');
    claimOnce(taken, id, item, 'every key once');
    return id;
  });
  const count = jsonCount(threshold);
  if (count < 1 || count > ids.length) throw wrongJson(threshold, `a threshold from 1 to ${ids.length}`);
  return { keyids: ids, threshold: count };
}
