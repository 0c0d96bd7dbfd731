import { type ErrorCode, UpdateRepositoryError } from '../../errors.js';
import type { RsyncEnd } from './run.js';

interface Rule {
  readonly pattern: RegExp;
  readonly code: ErrorCode;
  readonly hint?: string;
}

/** What says more than the exit code does. The first that fits is taken. */
const RULES: readonly Rule[] = [
  { pattern: /No space left on device|quota exceeded/i, code: 'NO_SPACE', hint: 'free some space there' },
  {
    pattern: /Host key verification failed/,
    code: 'STORAGE',
    hint: 'connect with ssh by hand once, and compare the key of the host',
  },
  {
    pattern: /Permission denied \(|Too many authentication failures/,
    code: 'STORAGE',
    hint: 'give ssh a key that the other side knows, by its agent or by IdentityFile in its configuration',
  },
  { pattern: /@ERROR: max connections/, code: 'NETWORK' },
  {
    pattern: /@ERROR: auth failed|password (?:must|file)|Password:/,
    code: 'STORAGE',
    hint: 'set RSYNC_PASSWORD in the environment, and name the user in the address',
  },
  { pattern: /@ERROR: Unknown module/, code: 'STORAGE', hint: 'list its modules with: rsync HOST::' },
  { pattern: /@ERROR/, code: 'STORAGE' },
  { pattern: /rsync: (?:command )?not found/, code: 'STORAGE', hint: 'install rsync 3.1 or newer there' },
  { pattern: /rrsync|unknown option|not allowed|to refuse/i, code: 'STORAGE' },
];

/**
 * Exit codes after which another try may help: sockets, a broken stream, a kill from outside, timeouts, and 255 of ssh
 * that did not get through (rsync(1), EXIT VALUES).
 */
const NETWORK_CODES: readonly (number | null)[] = [10, 12, 19, 20, 30, 35, 255, null];

/** Lines that come with whatever went wrong, and say nothing of it. */
const IDLE =
  /^(?:rsync (?:error|warning): |WARNING: |file has vanished|.*(?:connection unexpectedly closed|read error: ))/;

/** Why an rsync failed that was to do something to `name`, an address; `doing` completes "cannot …". */
export function rsyncFailure(name: string, doing: string, { code, complaints }: RsyncEnd): UpdateRepositoryError {
  const rule = RULES.find(({ pattern }) => pattern.test(complaints));
  const byExit = NETWORK_CODES.includes(code) ? 'NETWORK' : 'STORAGE';
  const how = code === null ? 'rsync was killed' : `rsync ended with ${code}`;
  const why = reasonOf(complaints, rule?.pattern);
  return new UpdateRepositoryError(
    rule?.code ?? byExit,
    `${name}: cannot ${doing}: ${why === '' ? how : `${why} (${how})`}`,
    { data: { storage: name, exitCode: code }, ...(rule?.hint === undefined ? {} : { hint: rule.hint }) },
  );
}

/** The line that says most. */
function reasonOf(complaints: string, pattern: RegExp | undefined): string {
  const lines = complaints.split(/[\r\n]+/).filter((line) => line.trim() !== '');
  const best =
    lines.find((line) => pattern?.test(line)) ??
    lines.find((line) => /^(?:rsync: |ssh: |@ERROR)/.test(line) && !IDLE.test(line)) ??
    lines.find((line) => !IDLE.test(line)) ??
    lines[0] ??
    '';
  return best
    .replaceAll(/\p{Cc}/gu, ' ')
    .trim()
    .slice(0, 300);
}

/** Whether nothing else went wrong than that what was asked for is not there. */
export function isOnlyMissing({ code, complaints }: RsyncEnd): boolean {
  const failures = complaints.split('\n').filter((line) => / failed: |rrsync error: /.test(line));
  if (failures.length === 0) return false;
  // Where everything is missing the other side may be gone before it was asked for all, and 12 is what that looks like.
  if (code === 3 || code === 12) return failures.every((line) => NO_DIRECTORY.test(line));
  return code === 23 && failures.every((line) => NO_DIRECTORY.test(line) || BELOW_A_FILE.test(line));
}

/** ENOENT of the directory that everything is in; rrsync looks for it before rsync does. */
const NO_DIRECTORY = /change_dir .* failed: .*\(2\)$|rrsync error: .* No such file or directory$/;
const BELOW_A_FILE = /link_stat .* failed: .*\(20\)$/;
