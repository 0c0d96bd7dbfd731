import type { KeyListEvent, KeySummaryEvent, MetadataExpiry, RefreshSummaryEvent } from '../../events.js';
import { formatDuration } from '../durations.js';
import { count } from './count.js';
import { printable } from './printable.js';

/** The keys of a directory, one a line, and until when metadata is good. */
export function keyListLines({ keys, entries, expiries }: KeyListEvent): string[] {
  return [
    ...(entries.length === 0 ? [`${printable(keys)}: no keys`] : []),
    ...entries.map(({ keyid, keytype, roles, secret }) => {
      return `${keyid}  ${keytype.padEnd(7)}  ${secret ? 'secret' : 'public'}  ${roles.join(', ')}`;
    }),
    ...expiries.map(expiryLine),
  ];
}

/** What became of keys: the files first, what is missing after them. */
export function keySummaryLines({ action, keys, files, published, missing, fingerprint }: KeySummaryEvent): string[] {
  const signed = published.length === 0 ? '' : `, ${count(published.length, 'file')} of metadata signed`;
  const which = fingerprint === undefined ? '' : `, fingerprint ${fingerprint}`;
  return [
    ...files.map(printable),
    ...missing.map(({ role, missing: count, keyids }) => {
      return `${role}: ${count} more of the signatures of ${keyids.join(', ')} needed`;
    }),
    `${printable(keys)}: ${PAST[action]}${signed}${which}`,
  ];
}

/** What was signed, and what ends first. */
export function refreshSentence({ mirror, written, expiries, durationMs }: RefreshSummaryEvent): string {
  const done = written.length === 0 ? 'up to date, nothing signed' : `${count(written.length, 'file')} written`;
  const [first] = expiries;
  const until = first === undefined ? '' : `, ${first.role} is the first to expire, at ${first.expires}`;
  return `${printable(mirror)}: ${done}${until}, ${formatDuration(durationMs)}`;
}

const PAST: Readonly<Record<KeySummaryEvent['action'], string>> = {
  init: 'keys made',
  export: 'exported',
  rotate: 'rotated',
  revoke: 'revoked',
  renew: 'renewed',
  sign: 'signed',
  'pgp-init': 'key made',
  'pgp-export': 'public key exported',
};

function expiryLine({ role, version, expires, state }: MetadataExpiry): string {
  return `${expires}  ${state.padEnd(7)}  ${printable(role)} ${version}`;
}
