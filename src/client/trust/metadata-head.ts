import { jsonCount, jsonMember, jsonString, parseJson } from '../../metadata/json-node.js';
import type { MetadataPlace } from './faults.js';

/** What a metadata file says of itself, whoever signed it. Throws FORMAT. */
export function headOf(text: string, { file }: MetadataPlace): { readonly version: number; readonly expires: string } {
  const signed = jsonMember(parseJson(text, { file, code: 'FORMAT' }), 'signed');
  return {
    version: jsonCount(jsonMember(signed, 'version')),
    expires: jsonString(jsonMember(signed, 'expires'), 'a time', (time) => !Number.isNaN(Date.parse(time))),
  };
}

/** Which version of the snapshot a timestamp names, whoever signed it. Throws FORMAT. */
export function snapshotVersionIn(timestamp: string, { file }: MetadataPlace): number {
  const signed = jsonMember(parseJson(timestamp, { file, code: 'FORMAT' }), 'signed');
  return jsonCount(jsonMember(jsonMember(jsonMember(signed, 'meta'), 'snapshot.json'), 'version'));
}
