import type { DeltaPlace } from '../../delta/delta-place.js';
import { isSha256Hex, SHA256_FORM, type Sha256Hex } from '../../metadata/brands.js';
import { type JsonNode, jsonCount, jsonMember, jsonString, parseJson, wrongJson } from '../../metadata/json-node.js';

/** What the bytes of a partial file are. */
export type PartialRecord = DownloadRecord | PatchRecord;

/** The beginning of a file of the mirror. */
export interface DownloadRecord {
  readonly kind: 'download';
  /** Of the whole file. */
  readonly sha256: Sha256Hex;
  readonly sizeBytes: number;
}

/** The beginning of an image that is being made from a delta. */
export interface PatchRecord {
  readonly kind: 'patch';
  /** Where the making of the image goes on. */
  readonly checkpoint: DeltaPlace;
  readonly baseSha256: Sha256Hex;
  readonly deltaSha256: Sha256Hex;
  readonly targetSha256: Sha256Hex;
}

/**
 * Reads the record of a partial file; `file` opens the messages. Members that are not known, such as what a server said
 * of the file, are passed over.
 *
 * @throws UpdateRepositoryError FORMAT
 */
export function parsePartialRecord(text: string, file: string): PartialRecord {
  const root = parseJson(text, { file, code: 'FORMAT' });
  const kind = jsonMember(root, 'kind');
  switch (kind.value) {
    case 'download':
      return {
        kind: 'download',
        sha256: sha256Of(root, 'sha256'),
        sizeBytes: jsonCount(jsonMember(root, 'sizeBytes')),
      };
    case 'patch':
      return {
        kind: 'patch',
        checkpoint: parseCheckpoint(jsonMember(root, 'checkpoint')),
        baseSha256: sha256Of(root, 'baseSha256'),
        deltaSha256: sha256Of(root, 'deltaSha256'),
        targetSha256: sha256Of(root, 'targetSha256'),
      };
    default:
      throw wrongJson(kind, '"download" or "patch"');
  }
}

function parseCheckpoint(node: JsonNode): DeltaPlace {
  return {
    deltaBytes: jsonCount(jsonMember(node, 'deltaBytes')),
    targetBytes: jsonCount(jsonMember(node, 'targetBytes')),
    literalLeft: jsonCount(jsonMember(node, 'literalLeft')),
    copyDone: jsonCount(jsonMember(node, 'copyDone')),
  };
}

function sha256Of(node: JsonNode, member: string): Sha256Hex {
  return jsonString(jsonMember(node, member), SHA256_FORM, isSha256Hex);
}
