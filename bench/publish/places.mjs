// Where the bench publishes to, and the commands that do it: ours and rclone's, with the same number of transfers.
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { ours } from '../program.mjs';
import { findTools } from '../tools.mjs';
import { asItsUser, bucket, cephTools, startCeph } from './ceph.mjs';

/** @typedef {import('./requests.mjs').Requests} Requests */

/**
 * A place of a kind, new and empty. `target` is what `line` of a contender needs to know of it; `requests` counts what was
 * asked of its server since it was called last.
 * @typedef {{target: string, requests?: () => Promise<Requests>, end: () => Promise<void>}} Opened
 */

/** @typedef {{name: string, line: (target: string) => string[]}} Contender */

/** @typedef {{name: string, contenders: readonly Contender[], open: () => Promise<Opened>}} Place */

/** All move so many files at once. */
export const transfers = '4';

const rclone = ['rclone', 'copy', '--config', '/dev/null', '--transfers', transfers];
const publicFiles = ['--exclude', '/.update-repository/**'];

/**
 * Those that this machine has the tools for.
 * @param {{mirror: string, cache: string, program: string}} request
 * @returns {Place[]}
 */
export function publishPlaces({ mirror, cache, program }) {
  const publish = (/** @type {string[]} */ ...args) =>
    ours(program, 'publish', '--quiet', '--transfers', transfers, ...args);
  const hasRclone = findTools(['rclone']).has('rclone');
  const contenders = (/** @type {Contender['line']} */ ourLine, /** @type {Contender['line']} */ rcloneLine) => [
    { name: 'ours', line: ourLine },
    ...(hasRclone ? [{ name: 'rclone copy', line: rcloneLine }] : []),
  ];
  const directory = {
    name: 'a directory',
    contenders: contenders(
      (target) => publish(mirror, target),
      (target) => [...rclone, ...publicFiles, mirror, target],
    ),
    open: async () => openDirectory(cache),
  };
  const s3 = {
    name: 'S3 (Ceph RGW on this machine)',
    contenders: contenders(
      (endpoint) => [...asItsUser, ...publish('--endpoint', endpoint, '--path-style', mirror, `s3://${bucket}/mirror`)],
      (endpoint) => [
        ...[...asItsUser, ...rclone, ...publicFiles],
        ...['--s3-provider', 'Ceph', '--s3-env-auth', '--s3-endpoint', endpoint, mirror, `:s3:${bucket}/mirror`],
      ],
    ),
    open: async () => {
      const { endpoint, requests, end } = await startCeph(cache);
      return { target: endpoint, requests, end };
    },
  };
  return [directory, ...(findTools(cephTools).size === cephTools.length ? [s3] : [])];
}

/**
 * @param {string} cache
 * @returns {Opened}
 */
function openDirectory(cache) {
  const work = mkdtempSync(join(cache, 'bench-'));
  return { target: join(work, 'www'), end: async () => rmSync(work, { recursive: true, force: true }) };
}
